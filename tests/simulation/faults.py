"""Plans of faults: none, a few at named steps, or random faults of a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from tests.support.in_memory.process import Fault, Mode, Process, When

#: Steps that call Kafka and SMTP; all other steps call the database.
_KAFKA = frozenset({"take", "send", "dead-letter", "commit"})
_SMTP = frozenset({"mail: connect", "mail: address", "mail: send"})
#: Writes that may take effect after their caller has given up on them. A living producer sends a record again under the
#: same number. A mail server that accepts a text late is `mail: send` with a fault after the step.
LATE = frozenset(
    {
        "insert",
        "mark",
        "snapshot",
        "commit",
        "write",
        "outbox: empty",
        "want",
        "mail: take",
        "mail: start",
        "mail: settle",
        "mail: postpone",
    }
)


def server_of(step: str) -> str:
    """Return the server that a step calls: `kafka`, `smtp`, `mongo`, or `none`."""
    if step == "solve":
        return "none"
    return "kafka" if step in _KAFKA else "smtp" if step in _SMTP else "mongo"


class Latency:
    """Draws the duration of requests: mostly zero, sometimes short, rarely very long."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def latency(self) -> float:
        drawn = self._chance.random()
        if drawn < 0.6:
            return 0.0
        return self._chance.uniform(0.001, 0.05) if drawn < 0.99 else self._chance.uniform(0.5, 3.0)


class NoFaults(Latency):
    """Plan without faults."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.counts: Counter[str] = Counter()

    def at(self, process: Process, step: str) -> Fault | None:
        return None

    def end(self) -> None:
        """End the faults."""


@dataclass(frozen=True)
class PlannedFault:
    """A fault at the first time that a process of the service comes to the step."""

    service: str
    step: str
    fault: Fault


class Planned:
    """Plan of a few faults in order: a fault can only occur once the fault before it has."""

    def __init__(self, *planned: PlannedFault) -> None:
        self.counts: Counter[str] = Counter()
        self.left = list(planned)

    def at(self, process: Process, step: str) -> Fault | None:
        if not self.left or (process.service, step) != (self.left[0].service, self.left[0].step):
            return None
        planned = self.left.pop(0)
        self.counts[f"{planned.fault.mode} {planned.fault.when}"] += 1
        return planned.fault

    def latency(self) -> float:
        return 0.001

    def end(self) -> None:
        """Do nothing: the plan is over with its last fault."""


class Seeded(Latency):
    """Plan of random faults at any step and of outages of servers, with a rate drawn from the seed."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.counts: Counter[str] = Counter()
        self.outages: list[tuple[float, float, str]] = []
        self._rate = chance.choice((0.0, 0.003, 0.01, 0.03))
        self._favourite = chance.choice((*Mode, None))
        self._is_over = False

    def at(self, process: Process, step: str) -> Fault | None:
        if self._is_over:
            return None
        now = asyncio.get_running_loop().time()
        if any(begins <= now < ends and server == server_of(step) for begins, ends, server in self.outages):
            return Fault(Mode.ERROR)
        if self._chance.random() >= self._rate:
            return None
        fault = self._draw(step)
        self.counts[f"{fault.mode} {fault.when}"] += 1
        return fault

    def end(self) -> None:
        """End the faults."""
        self._is_over = True

    def _draw(self, step: str) -> Fault:
        chance = self._chance
        mode = self._favourite if self._favourite and chance.random() < 0.5 else chance.choice(tuple(Mode))
        if mode is Mode.LATE:
            return Fault(mode, seconds=chance.uniform(0.0, 20.0)) if step in LATE else Fault(Mode.ERROR)
        when = chance.choice(tuple(When))
        # A short pause, a pause longer than the session, or a pause longer than the lease of a mail.
        return Fault(mode, when, chance.choice((1.0, 9.0, 25.0)) if mode is Mode.HANG else 0.0)
