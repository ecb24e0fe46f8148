"""Faults of a chaos run, with their times and targets: a pure function of the seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random

from tests.chaos.proxy import Toxic, ToxicKind
from tests.chaos.stack import ALL_INSTANCES, KAFKA, PROXIES, SESSION_SECONDS


class FaultKind(StrEnum):
    """Kind of a fault.

    - kill: SIGKILL to a process, which is then restarted.
    - freeze: SIGSTOP until long after the session timeout, then SIGCONT: the process believes it owns partitions.
    - stop: SIGTERM to a process, which is then restarted.
    - clock: restart of a process with a clock that is an hour fast, an hour slow, or right.
    - broker: SIGKILL to a Kafka broker, which is then restarted.
    - toxic: a toxic in a proxy for some seconds.
    """

    KILL = "kill"
    FREEZE = "freeze"
    STOP = "stop"
    CLOCK = "clock"
    BROKER = "broker"
    TOXIC = "toxic"


@dataclass(frozen=True)
class Fault:
    """A fault that begins `after` seconds after the previous fault and lasts for `seconds`."""

    after: float
    kind: FaultKind
    target: str
    seconds: float = 0.0
    toxic: Toxic | None = None
    offset: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """Name under which the fault is counted."""
        return f"{self.kind}: {self.toxic.kind}" if self.toxic else str(self.kind)


#: Relative frequency of each kind: a toxic is over in seconds, a killed process needs seconds to start.
_WEIGHTS = {
    FaultKind.TOXIC: 10,
    FaultKind.KILL: 4,
    FaultKind.FREEZE: 2,
    FaultKind.STOP: 2,
    FaultKind.CLOCK: 1,
    FaultKind.BROKER: 2,
}
_PAUSE = (0.2, 2.0)
_BEYOND_SESSION = (3.0, 20.0)
_DOWN = (0.1, 2.0)
_TOXIC_SECONDS = (1.0, 5.0)
_OFFSETS = (timedelta(hours=1), timedelta(hours=-1), timedelta(0))


def draw_faults(seed: int) -> Iterator[Fault]:
    """Yield the faults of a seed, without end."""
    random = Random(f"tertulia-chaos-{seed}")  # noqa: S311 - faults, not secrets
    while True:
        yield _draw(random)


def _draw(random: Random) -> Fault:
    after = random.uniform(*_PAUSE)
    kind = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    if kind is FaultKind.TOXIC:
        return Fault(after, kind, random.choice(PROXIES), random.uniform(*_TOXIC_SECONDS), _toxic(random))
    if kind is FaultKind.BROKER:
        return Fault(after, kind, random.choice(KAFKA), random.uniform(*_DOWN))
    target = random.choice(ALL_INSTANCES)
    if kind is FaultKind.FREEZE:
        return Fault(after, kind, target, SESSION_SECONDS + random.uniform(*_BEYOND_SESSION))
    offset = random.choice(_OFFSETS) if kind is FaultKind.CLOCK else timedelta(0)
    return Fault(after, kind, target, random.uniform(*_DOWN), offset=offset)


def _toxic(random: Random) -> Toxic:
    kind = random.choice(list(ToxicKind))
    seconds = random.uniform(0.02, 0.5) if kind is ToxicKind.LATENCY else 0.0
    return Toxic(kind, seconds, jitter=seconds / 2, after_bytes=random.choice((0, 100, 1_000, 20_000)))
