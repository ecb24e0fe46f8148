"""A service that is told to stop: balancers learn it first."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.support.service_process import ServiceProcess, service_process
from tests.support.waiting import wait_until


def runs(pid: int) -> bool:
    """Return whether a child process runs: a zombie has ended."""
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text()


async def leaves(service: ServiceProcess) -> bool:
    return b"about to stop" in await service.get("/readyz")


async def test_readiness_is_withdrawn_while_requests_are_still_served_before_the_stop() -> None:
    with service_process("notify", leave_seconds=3) as service:
        assert await service.lives()  # its port is open before it listens to signals
        os.kill(service.pid, signal.SIGTERM)
        await wait_until(lambda: leaves(service))
        assert await service.lives()
        await wait_until(lambda: not runs(service.pid))


async def test_a_second_signal_stops_at_once() -> None:
    with service_process("notify", leave_seconds=600) as service:
        assert await service.lives()  # its port is open before it listens to signals
        os.kill(service.pid, signal.SIGTERM)
        await wait_until(lambda: leaves(service))
        os.kill(service.pid, signal.SIGTERM)
        await wait_until(lambda: not runs(service.pid))
