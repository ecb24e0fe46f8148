"""What goes wrong: nothing, one thing at one step, or whatever follows from a seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass

from tests.simulation.process import Fault, Mode, Process, When

#: The steps that ask each server; what is not here asks the database.
_KAFKA = frozenset({"take", "send", "set aside", "commit"})
_SMTP = frozenset({"mail: connect", "mail: address", "mail: send"})
#: Writes that may take effect after their caller has given up on them. What a producer has given up on while it lives
#: it sends again under the same number; a mail server that takes a text later is `mail: send`, after.
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
    """Which server a step asks: `kafka`, `smtp`, `mongo`, or `none`."""
    if step == "solve":
        return "none"
    return "kafka" if step in _KAFKA else "smtp" if step in _SMTP else "mongo"


class Latency:
    """How long requests take: most no time at all, some a while, few very long."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def latency(self) -> float:
        drawn = self._chance.random()
        if drawn < 0.6:
            return 0.0
        return self._chance.uniform(0.001, 0.05) if drawn < 0.99 else self._chance.uniform(0.5, 3.0)


class NoFaults(Latency):
    """Nothing goes wrong."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__(chance)
        self.counts: Counter[str] = Counter()

    def at(self, process: Process, step: str) -> Fault | None:
        return None

    def end(self) -> None:
        """From here on nothing goes wrong."""


@dataclass(frozen=True)
class Blow:
    """A fault at the first time that any process of a service comes to a step."""

    service: str
    step: str
    fault: Fault


class Planned:
    """A few blows, one after the other: the next can only fall once the one before has."""

    def __init__(self, *blows: Blow) -> None:
        self.counts: Counter[str] = Counter()
        self.left = list(blows)

    def at(self, process: Process, step: str) -> Fault | None:
        if not self.left or (process.service, step) != (self.left[0].service, self.left[0].step):
            return None
        blow = self.left.pop(0)
        self.counts[f"{blow.fault.mode} {blow.fault.when}"] += 1
        return blow.fault

    def latency(self) -> float:
        return 0.001

    def end(self) -> None:
        """It is over when the last has fallen."""


class Seeded(Latency):
    """Faults at any step, and servers that are away for a while: as often as the seed says."""

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
        """From here on nothing goes wrong."""
        self._is_over = True

    def _draw(self, step: str) -> Fault:
        chance = self._chance
        mode = self._favourite if self._favourite and chance.random() < 0.5 else chance.choice(tuple(Mode))
        if mode is Mode.LATE:
            return Fault(mode, seconds=chance.uniform(0.0, 20.0)) if step in LATE else Fault(Mode.ERROR)
        when = chance.choice(tuple(When))
        # A short pause, one beyond the session, or one beyond the lease of a mail.
        return Fault(mode, when, chance.choice((1.0, 9.0, 25.0)) if mode is Mode.HANG else 0.0)
