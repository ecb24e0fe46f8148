from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import inflict
from tests.chaos.faults import Fault, FaultKind
from tests.chaos.inflict import FaultInjector
from tests.chaos.proxy import Toxic, ToxicKind
from tests.chaos.stack import ChaosStack

RESET = Toxic(ToxicKind.RESET)


class Stack(ChaosStack):
    """Stack that records the calls of the injector."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.done: list[tuple[Any, ...]] = []

    async def kill(self, name: str) -> None:
        self.done.append(("kill", name))

    async def restart(self, name: str) -> None:
        self.done.append(("restart", name))

    def signal(self, name: str, number: signal.Signals) -> None:
        self.done.append((number.name, name))

    def skew(self, name: str, offset: timedelta) -> None:
        self.done.append(("skew", name, offset.total_seconds()))


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    async def in_sync(_: str) -> bool:
        return True

    monkeypatch.setattr(inflict, "is_in_sync", in_sync)
    return Stack(tmp_path)


def then_nothing(*faults: Fault) -> Iterator[Fault]:
    yield from faults
    yield Fault(3600, FaultKind.STOP, "notify-2")


def injector(stack: Stack, *faults: Fault) -> FaultInjector:
    return FaultInjector(stack, then_nothing(*faults), lambda _: None)


@pytest.mark.parametrize(
    ("fault", "done"),
    [
        (Fault(0, FaultKind.KILL, "notify-1"), [("kill", "notify-1"), ("restart", "notify-1")]),
        (Fault(0, FaultKind.STOP, "notify-1"), [("restart", "notify-1")]),
        (Fault(0, FaultKind.FREEZE, "notify-1"), [("SIGSTOP", "notify-1"), ("SIGCONT", "notify-1")]),
        (Fault(0, FaultKind.BROKER, "kafka-2"), [("kill", "kafka-2"), ("restart", "kafka-2")]),
        (
            Fault(0, FaultKind.CLOCK, "notify-1", offset=timedelta(hours=1)),
            [("skew", "notify-1", 3600), ("restart", "notify-1")],
        ),
    ],
)
async def test_each_fault_is_injected_and_ended(stack: Stack, fault: Fault, done: list[tuple[Any, ...]]) -> None:
    injecting = injector(stack, fault)
    await injecting.run(0.2)
    assert stack.done == done
    assert injecting.inflicted == {str(fault.kind): 1}


async def test_a_toxic_lasts_and_is_cured(stack: Stack) -> None:
    injecting = injector(stack, Fault(0, FaultKind.TOXIC, "smtp", 3600, RESET))
    running = asyncio.create_task(injecting.run(0.2))
    await asyncio.sleep(0.1)
    assert stack.proxies["smtp"].toxic == RESET
    await running
    assert stack.proxies["smtp"].toxic is None
    assert injecting.inflicted == {"toxic: reset": 1}


async def test_faults_are_skipped_for_busy_targets_and_above_the_limits(stack: Stack) -> None:
    frozen = [Fault(0, FaultKind.FREEZE, name, 0.5) for name in ("notify-1", "notify-1", "matching-1", "matching-2")]
    toxics = [Fault(0, FaultKind.TOXIC, name, 0.5, RESET) for name in ("smtp", "smtp", "mongo", "kafka-1")]
    injecting = injector(stack, *frozen, *toxics)
    await injecting.run(0.2)
    assert [name for what, name in stack.done if what == "SIGSTOP"] == ["notify-1", "matching-1"]
    assert injecting.inflicted == {"freeze": 2, "toxic: reset": 2}
    assert injecting.passed_over == 4


async def test_only_one_broker_is_down_at_a_time(stack: Stack) -> None:
    injecting = injector(stack, *(Fault(0, FaultKind.BROKER, f"kafka-{node}", 0.5) for node in (1, 2)))
    await injecting.run(0.2)
    assert stack.done == [("kill", "kafka-1"), ("restart", "kafka-1")]


async def test_toxics_and_wrong_clocks_are_removed_at_the_end(stack: Stack) -> None:
    injecting = injector(stack, Fault(0, FaultKind.CLOCK, "notify-1", offset=timedelta(hours=-1)))
    await injecting.run(0.2)
    stack.proxies["mongo"].poison(RESET)
    stack.done.clear()
    await injecting.clear()
    assert stack.done == [("skew", "notify-1", 0), ("restart", "notify-1")]
    assert stack.proxies["mongo"].toxic is None
