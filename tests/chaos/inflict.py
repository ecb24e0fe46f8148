"""Injection of faults into the running stack, and their removal at the end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from demo.client import run_together
from shared.contract.topics import TOPICS
from tests.chaos.faults import Fault, FaultKind
from tests.chaos.stack import BROKERS, ChaosStack

#: Processes that may be down or starting at a time: more of them would only wait for the two cores.
_MOST_PROCESSES = 2
_MOST_TOXICS = 2
_LOOK_EVERY_SECONDS = 0.3


class FaultInjector:
    """Injects faults while it runs. `inflicted` counts them by name; `skewed` holds the wrong clocks."""

    def __init__(self, stack: ChaosStack, faults: Iterator[Fault], say: Callable[[str], None]) -> None:
        self._stack = stack
        self._faults = faults
        self._say = say
        self._suffering: dict[str, FaultKind] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self.inflicted: Counter[str] = Counter()
        self.passed_over = 0
        self.skewed: dict[str, timedelta] = {}

    async def run(self, seconds: float) -> None:
        """Inject faults for so many seconds, then end the lasting faults and wait until all processes are up.

        A fault is skipped if its target has a fault already, or too many targets have: at most two processes at a
        time, at most one of them a broker, and two connections.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for fault in self._faults:
                    await asyncio.sleep(fault.after)
                    if self._may_befall(fault):
                        self._begin(fault)
                    else:
                        self.passed_over += 1
        self._over.set()
        if self._tasks:
            await run_together(*(_outcome(task) for task in list(self._tasks)))

    async def clear(self) -> None:
        """Remove toxics and wrong clocks. Return when all processes are up and all brokers in sync."""
        for proxy in self._stack.proxies.values():
            proxy.cure()
        for name in [name for name, offset in self.skewed.items() if offset]:
            self._stack.skew(name, timedelta(0))
            await self._stack.restart(name)
        await self._in_sync()

    def _may_befall(self, fault: Fault) -> bool:
        toxics = sum(kind is FaultKind.TOXIC for kind in self._suffering.values())
        if _sufferer(fault) in self._suffering:
            return False
        if fault.kind is FaultKind.TOXIC:
            return toxics < _MOST_TOXICS
        if fault.kind is FaultKind.BROKER and FaultKind.BROKER in self._suffering.values():
            return False
        return len(self._suffering) - toxics < _MOST_PROCESSES

    def _begin(self, fault: Fault) -> None:
        self.inflicted[fault.name] += 1
        self._suffering[_sufferer(fault)] = fault.kind
        task = asyncio.create_task(self._befall(fault))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _befall(self, fault: Fault) -> None:
        self._say(f"{fault.name} -> {fault.target} ({fault.seconds:.1f} s)")
        try:
            await self._inflict(fault)
        finally:
            del self._suffering[_sufferer(fault)]

    async def _inflict(self, fault: Fault) -> None:
        stack, target = self._stack, fault.target
        if fault.toxic is not None:
            stack.proxies[target].poison(fault.toxic)
            await self._last(fault.seconds)
            stack.proxies[target].cure()
        elif fault.kind is FaultKind.FREEZE:
            stack.signal(target, signal.SIGSTOP)
            await self._last(fault.seconds)
            stack.signal(target, signal.SIGCONT)
        elif fault.kind in {FaultKind.KILL, FaultKind.BROKER}:
            await stack.kill(target)
            await self._last(fault.seconds)
            await stack.restart(target)
            if fault.kind is FaultKind.BROKER:
                await self._in_sync()
        else:
            if fault.kind is FaultKind.CLOCK:
                self.skewed[target] = fault.offset
                stack.skew(target, fault.offset)
            await stack.restart(target)

    async def _last(self, seconds: float) -> None:
        """Wait for the duration of a fault, or until the run is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _in_sync(self) -> None:
        """Wait until every partition is in sync on every broker."""
        while not await is_in_sync(self._stack.kafka):
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def is_in_sync(bootstrap: str) -> bool:
    """Return whether all partitions of our topics are in sync on all brokers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        await admin.start()
        described = await admin.describe_topics([topic.name for topic in TOPICS])
    except KafkaError:
        return False
    finally:
        await admin.close()
    return all(len(partition["isr"]) == BROKERS for topic in described for partition in topic["partitions"])


def _sufferer(fault: Fault) -> str:
    return f"proxy {fault.target}" if fault.kind is FaultKind.TOXIC else fault.target


async def _outcome(task: asyncio.Task[None]) -> None:
    await task
