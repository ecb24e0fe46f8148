"""Faults with the alerts that must fire, the time to fire, and the time to fall silent after the mending."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from tests.alerts.watched import Load, WatchedStack
from tests.support.waiting import wait_until

#: Bounds of the promise, in seconds.
DETECTED_SECONDS, RETURNED_SECONDS = 60, 60

Step = Callable[[WatchedStack, Load], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A fault: its title, the alert that must fire, the signal behind it, and the steps that plant and mend it."""

    title: str
    alert: str
    signal: str
    plant: Step
    mend: Step | None = None


@dataclass(frozen=True)
class Finding:
    """The times of a fault, in seconds; `returned` is None for alerts that end with their window."""

    fault: Fault
    detected: float
    returned: float | None


def _signal(name: str, number: signal.Signals) -> Step:
    async def step(stack: WatchedStack, _: Load) -> None:
        stack.signal(name, number)

    return step


def _kill(name: str) -> Step:
    async def step(stack: WatchedStack, _: Load) -> None:
        await stack.kill(name)

    return step


def _restart(name: str) -> Step:
    async def step(stack: WatchedStack, _: Load) -> None:
        await stack.restart(name)

    return step


async def _kill_relay(stack: WatchedStack, load: Load) -> None:
    await stack.kill("smtp-sink")
    await load.ask()


async def _write_unseen(stack: WatchedStack, load: Load) -> None:
    stack.signal("tansu", signal.SIGSTOP)
    await asyncio.sleep(0)
    await load.ask()


async def _poison(stack: WatchedStack, _: Load) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.addresses["kafka"])
    await producer.start()
    try:
        await producer.send_and_wait("registration.v1", b"no event", key=b"ed/edition/ed")
    finally:
        await producer.stop()


BROKER = Fault(
    "broker frozen",
    "BrokerSilent",
    "tertulia_broker_silent_seconds",
    _signal("tansu", signal.SIGSTOP),
    _signal("tansu", signal.SIGCONT),
)
UNSENT = Fault(
    "broker frozen while people write",
    "ChangesUnsent",
    "tertulia_oldest_unsent_seconds",
    _write_unseen,
    _signal("tansu", signal.SIGCONT),
)
DATABASE = Fault(
    "database frozen",
    "DatabaseAway",
    'tertulia_part_missing{part="mongo"}',
    _signal("secantus", signal.SIGSTOP),
    _signal("secantus", signal.SIGCONT),
)
KILLED = Fault("matching killed", "ServiceDown", "up", _kill("matching"), _restart("matching"))
FROZEN = Fault(
    "scheduler frozen", "ServiceDown", "up", _signal("scheduler", signal.SIGSTOP), _signal("scheduler", signal.SIGCONT)
)
RELAY = Fault("relay dead", "MailServerAway", 'tertulia_part_missing{part="smtp"}', _kill_relay, _restart("smtp-sink"))
POISON = Fault("a record that is no event", "DeadLetters", "tertulia_records_total", _poison)

FAULTS = (BROKER, UNSENT, DATABASE, KILLED, FROZEN, RELAY, POISON)


async def find(stack: WatchedStack, load: Load, fault: Fault) -> Finding:
    """Plant a fault, wait for its alert, mend it, and wait for silence.

    Raises:
        TimeoutError: the alert did not fire in time, or did not fall silent.
    """

    async def fires() -> bool:
        return fault.alert in await stack.alerting.firing()

    async def is_silent() -> bool:
        return not await fires()

    assert not await fires()
    began = time.monotonic()
    await fault.plant(stack, load)
    await wait_until(fires, DETECTED_SECONDS)
    detected = time.monotonic() - began
    if fault.mend is None:
        return Finding(fault, detected, None)
    await fault.mend(stack, load)
    began = time.monotonic()
    await wait_until(is_silent, RETURNED_SECONDS)
    return Finding(fault, detected, time.monotonic() - began)
