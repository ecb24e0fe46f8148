"""A process of a service. All its effects on servers are named steps, and faults occur at steps.

Steps are the calls of drivers by the services' own code, with the names of `tests/model`:

| Step | Call |
|---|---|
| `take` | the consumer fetches a batch |
| `load` | `MongoJournalStore` reads a snapshot or entries |
| `insert` | it inserts an entry: the fence |
| `send` | the broker is given records: of a journal's outbox, of registration's or the ledger's |
| `mark` | the entry is marked as published |
| `snapshot` | a snapshot is written |
| `commit` | the consumer commits |
| `dead-letter` | the broker is given a dead letter |
| `sweep` | unsent entries or outboxes are looked for |
| `solve` | the scheduler asks for an improvement |
| `read`, `write` | registration reads or writes a thing |
| `outbox: read`, `outbox: empty` | `OutboxRelay` reads an outbox, and removes sent messages |
| `want` | `LedgerOutlet` writes a wanted delivery into the ledger |
| `mail: look`, `mail: take`, `mail: start`, `mail: settle`, `mail: postpone` | `DeliveryWorker` uses the ledger |
| `mail: connect`, `mail: address`, `mail: send` | SMTP: the connection, the envelope, DATA |

The services have no hooks: a step is a call of a driver, and the drivers are those of the simulation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

Result = TypeVar("Result")


class Mode(StrEnum):
    """Kind of a fault at a step. With `late`, the caller gets an error and the step takes effect some time after."""

    DIE = "die"
    HANG = "hang"
    ERROR = "error"
    LATE = "late"


class When(StrEnum):
    """Time of a fault: before or after the effect of the step."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Fault:
    """A fault of a process at a step; `seconds` is the duration of a hang or the delay of a late effect."""

    mode: Mode
    when: When = When.BEFORE
    seconds: float = 0.0


class Faults(Protocol):
    """Decides on faults, and on the duration of requests."""

    def at(self, process: Process, step: str) -> Fault | None:
        """Return the fault of the process at this step, if any."""

    def latency(self) -> float:
        """Return the duration of a request or an answer, in seconds."""


class Process:
    """A process. Once it dies, none of its steps ends again, as after SIGKILL.

    Attributes:
        name: the name of the service and a number.
        history: list to which steps are added: time, process, step, and result or fault.
        is_over: whether the run is over, so that all tasks of the process end.
        stopped_answering, answers_again: called when the process dies or freezes, and when it wakes.
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
        self._limbo: asyncio.Future[None] | None = None
        self._awake = asyncio.Event()
        self._awake.set()

    @property
    def answers(self) -> bool:
        """Tell whether the process is neither dead nor frozen."""
        return not self.is_dead and self._awake.is_set()

    def die(self) -> None:
        """End the process as by SIGKILL."""
        self.is_dead = True
        self._note("dies", "")
        for callback in self.stopped_answering:
            callback()

    def freeze(self, seconds: float) -> None:
        """Freeze the process as by SIGSTOP, and wake it that many seconds later."""
        self._awake.clear()
        self._note("freezes", f"{seconds:.1f} s")
        asyncio.get_running_loop().call_later(seconds, self.wake)
        for callback in self.stopped_answering:
            callback()

    def wake(self) -> None:
        """Wake the process as by SIGCONT."""
        if not self._awake.is_set() and not self.is_dead:
            self._awake.set()
            self._note("wakes", "")
            for callback in self.answers_again:
                callback()

    async def alive(self) -> None:
        """Return at once in a running process, after the wake in a frozen one, and never in a dead one."""
        while self.is_over or not self.answers:
            if self.is_over:
                raise asyncio.CancelledError
            if self.is_dead:
                self._limbo = self._limbo or asyncio.get_running_loop().create_future()
                await self._limbo
            await self._awake.wait()

    async def step(self, name: str, effect: Callable[[], Result], away: Callable[[str], Exception]) -> Result:
        """Take a step: call `effect` and return its result. Raise its error, or `away` if a fault takes the answer."""
        await self.alive()
        fault = self._faults.at(self, name)
        await self._transit()
        if fault is not None and fault.mode is Mode.LATE:
            asyncio.get_running_loop().call_later(fault.seconds, self._late, name, effect)
            raise away("no answer")
        if fault is not None and fault.when is When.BEFORE:
            await self.suffer(name, fault, away)
        try:
            result = effect()
        except Exception as error:
            self._note(name, type(error).__name__)
            raise
        self._note(name, "")
        await self._transit()
        if fault is not None and fault.when is When.AFTER:
            await self.suffer(name, fault, away)
        return result

    async def _transit(self) -> None:
        """Wait for the duration of a request or an answer."""
        if seconds := self._faults.latency():
            await asyncio.sleep(seconds)
            await self.alive()

    async def suffer(self, name: str, fault: Fault, away: Callable[[str], Exception]) -> None:
        """Die, hang, or fail the call."""
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
        except Exception as error:  # noqa: BLE001 - no caller waits for the answer
            self._note(name, f"late: {type(error).__name__}")
        else:
            self._note(name, "late")

    def _note(self, what: str, how: str) -> None:
        self._history.append((round(asyncio.get_running_loop().time(), 4), self.name, what, how))
