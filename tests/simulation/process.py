"""A process of a service, as the world sees it: all it does to the world is a named step, and there it can be struck.

The steps are the calls that the services' own code makes of its drivers, with the names of `tests/model`:

| Step | Call |
|---|---|
| `take` | the consumer fetches a batch |
| `load` | `MongoJournalStore` reads a snapshot or entries |
| `insert` | it inserts an entry: the fence |
| `send` | the broker is given records: of a journal's outbox, of registration's or the ledger's |
| `mark` | the entry is marked as published |
| `snapshot` | a snapshot is written |
| `commit` | the consumer commits |
| `set aside` | the broker is given a dead letter |
| `sweep` | the entries or outboxes left unsent are looked for |
| `solve` | the scheduler asks for an improvement |
| `read`, `write` | registration reads or writes one of its things |
| `outbox: read`, `outbox: empty` | `OutboxRelay` reads an outbox, and takes out what is sent |
| `want` | `LedgerOutlet` writes what is to be mailed into the ledger |
| `mail: look`, `mail: take`, `mail: start`, `mail: settle`, `mail: postpone` | `DeliveryWorker` reads or writes the ledger |
| `mail: connect`, `mail: address`, `mail: send` | SMTP: the connection, the envelope, DATA |

No hook is in the services: the step is the driver's call, and the driver is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Mode(StrEnum):
    """What happens at a step. `late`: the caller is told that it failed, and it takes effect some time after."""

    DIE = "die"
    HANG = "hang"
    ERROR = "error"
    LATE = "late"


class When(StrEnum):
    """Whether it happens before or after the step has had its effect."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Fault:
    """What befalls a process at a step; `seconds` is how long it hangs, or how much later it takes effect."""

    mode: Mode
    when: When = When.BEFORE
    seconds: float = 0.0


class Faults(Protocol):
    """Who decides what goes wrong, and how long everything takes."""

    def at(self, process: Process, step: str) -> Fault | None:
        """What befalls the process at this step."""

    def latency(self) -> float:
        """How long a request or an answer is on its way, in seconds."""


class Process:
    """One process: it lives until it dies, and then none of its steps ever ends again, as after SIGKILL.

    Attributes:
        name: the service's, with a number.
        history: where its steps are noted: when, who, what, and how it ended.
        is_over: whether the run has come to its end, so that nothing goes on any more.
        stopped_answering, answers_again: called when it dies or is frozen, and when it wakes.
    """

    def __init__(
        self,
        service: str,
        number: int,
        faults: Faults,
        history: list[tuple[float, str, str, str]],
    ) -> None:
        self.service = service
        self.name = f"{service}-{number}"
        self.is_dead = False
        self.is_over = False
        self.stopped_answering: list[Callable[[], None]] = []
        self.answers_again: list[Callable[[], None]] = []
        self._faults = faults
        self._history = history
        self._loop = asyncio.get_running_loop()
        self._limbo: asyncio.Future[None] = self._loop.create_future()
        self._awake = asyncio.Event()
        self._awake.set()

    @property
    def answers(self) -> bool:
        """Whether it is neither dead nor frozen."""
        return not self.is_dead and self._awake.is_set()

    def die(self) -> None:
        """SIGKILL."""
        self.is_dead = True
        self._note("dies", "")
        for tell in self.stopped_answering:
            tell()

    def freeze(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT that much later."""
        self._awake.clear()
        self._note("freezes", f"{seconds:.1f} s")
        self._loop.call_later(seconds, self.wake)
        for tell in self.stopped_answering:
            tell()

    def wake(self) -> None:
        """SIGCONT."""
        if not self._awake.is_set() and not self.is_dead:
            self._awake.set()
            self._note("wakes", "")
            for tell in self.answers_again:
                tell()

    async def alive(self) -> None:
        """Return while the process runs; when it is frozen, once it wakes; when it is dead, never."""
        while self.is_over or not self.answers:
            if self.is_over:
                raise asyncio.CancelledError
            if self.is_dead:
                await self._limbo
            await self._awake.wait()

    async def step(self, name: str, effect: Callable[[], Result], away: Callable[[str], Exception]) -> Result:
        """Have an effect on the world; what it raises is raised, or `away` if the answer does not come."""
        await self.alive()
        fault = self._faults.at(self, name)
        await self._on_the_way()
        if fault is not None and fault.mode is Mode.LATE:
            self._loop.call_later(fault.seconds, self._late, name, effect)
            raise away("no answer")
        if fault is not None and fault.when is When.BEFORE:
            await self.suffer(name, fault, away)
        try:
            result = effect()
        except Exception as error:
            self._note(name, type(error).__name__)
            raise
        self._note(name, "")
        await self._on_the_way()
        if fault is not None and fault.when is When.AFTER:
            await self.suffer(name, fault, away)
        return result

    async def _on_the_way(self) -> None:
        """Let the others go on while a request or an answer takes its time."""
        if seconds := self._faults.latency():
            await asyncio.sleep(seconds)
            await self.alive()

    async def suffer(self, name: str, fault: Fault, away: Callable[[str], Exception]) -> None:
        """Die, hang, or have the call fail."""
        self._note(name, f"{fault.mode} {fault.when}")
        match fault.mode:
            case Mode.DIE:
                self.die()
            case Mode.HANG:
                self.freeze(fault.seconds)
            case _:
                raise away("no answer")
        await self.alive()

    def _late(self, name: str, effect: Callable[[], object]) -> None:
        try:
            effect()
        except Exception as error:  # noqa: BLE001 - nobody waits for the answer any more
            self._note(name, f"late: {type(error).__name__}")
        else:
            self._note(name, "late")

    def _note(self, what: str, how: str) -> None:
        self._history.append((round(self._loop.time(), 4), self.name, what, how))
