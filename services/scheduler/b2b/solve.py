"""Solve an instance to proven optimality: in this process at first, by two engines side by side when that takes long.

All climb: is there a schedule with `bound` breaks; if not, with one more? The first one found is optimal, and most
instances need one question or two. The engines run in processes of their own, so that they need not be interrupted to
be heard (CaDiCaL begins its phases anew whenever it is): they tell each other the bounds they prove, and the first to
find a schedule at the bound ends the search.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from services.scheduler.b2b.instance import Infeasible, Instance, Schedule
from services.scheduler.b2b.presolve import narrowed, refuse_unfair
from services.scheduler.b2b.search import EncodingWrong, Engine, News, Outcome, Search

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_SPAWN = multiprocessing.get_context("spawn")

#: The paper's limit on how far apart the breaks of two participants may be.
FAIRNESS = 2
#: Both begin with every variable false: most meetings are not in most slots.
_REFUTER = Engine("cadical195", {"phase": 0})
_FINDER = Engine("cadical195", {"phase": 0, "stabilizeonly": 1})

#: Conflicts before it takes long: a second or two. Most instances need fewer; a process starts in half a second.
_CONFLICTS = 3_000
_NO_LIMIT = -1


@dataclass(frozen=True)
class Solved:
    """The best schedule found, if any, and what is proven about it; seconds of wall clock."""

    schedule: Schedule | None
    breaks: int | None
    bound: int
    seconds: float
    seconds_to_best: float

    @property
    def proven(self) -> bool:
        """Nobody can do better."""
        return self.breaks == self.bound


def solve(instance: Instance, fairness: int = FAIRNESS, seconds: float = 60.0) -> Solved:
    """Solve an instance, with breaks of two participants at most `fairness` apart, for so many seconds at most.

    Raises:
        Infeasible: it is proven that there is no schedule; the message says why.
    """
    clock = _Clock(seconds)
    fewer = narrowed(instance)
    refuse_unfair(fewer, fairness)
    best = _Best(clock)
    for news in _alone(Search(fewer, fairness, _REFUTER)):
        best.hear(*news)
        if best.proven or clock.left <= 0:
            break
    if not best.proven and clock.left > 0:
        _side_by_side(fewer, fairness, best, clock)
    return Solved(best.schedule, best.breaks, best.bound.value, clock.elapsed, best.seconds)


class _Clock:
    def __init__(self, seconds: float) -> None:
        self._started = time.monotonic()
        self._seconds = seconds

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._started

    @property
    def left(self) -> float:
        return self._seconds - self.elapsed


_Work = Callable[[Instance, int, "Synchronized[int]"], Iterator[News]]


class _Best:
    """What all engines know together; the bound is in memory that they share."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.bound: Synchronized[int] = _SPAWN.Value("i", 0)
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self.seconds = 0.0

    @property
    def proven(self) -> bool:
        return self.breaks is not None and self.breaks <= self.bound.value

    def hear(self, bound: int, schedule: Schedule | None, breaks: int | None) -> None:
        self.bound.value = max(self.bound.value, bound)
        if breaks is not None and (self.breaks is None or breaks < self.breaks):
            self.schedule, self.breaks, self.seconds = schedule, breaks, self._clock.elapsed


def _alone(search: Search) -> Iterator[News]:
    """Ask at the bound until there is a schedule, or a question takes too many conflicts; then for any schedule."""
    outcome = Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        yield search.news
        outcome = search.ask(search.bound, _CONFLICTS)
    if outcome is Outcome.UNDECIDED:
        search.ask(None, _CONFLICTS)
    yield search.news
    search.stop()


def _climb(instance: Instance, fairness: int, proven: Synchronized[int]) -> Iterator[News]:
    """Keep one formula, and what was learnt from it, from bound to bound: made to refute."""
    search, outcome = Search(instance, fairness, _REFUTER), Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        outcome = search.ask(max(search.bound, proven.value), _NO_LIMIT)
        yield search.news


def _settle(instance: Instance, fairness: int, proven: Synchronized[int]) -> Iterator[News]:
    """Begin anew at each bound, with the limit in the formula: made to find."""
    outcome = Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        search = Search(instance, fairness, _FINDER)
        outcome = search.settle(max(search.bound, proven.value))
        yield search.news
        search.stop()


def _side_by_side(instance: Instance, fairness: int, best: _Best, clock: _Clock) -> None:
    """Start the engines, hear them until the optimum is proven or the time is up, and kill them."""
    channels = [(work, *_SPAWN.Pipe(duplex=False)) for work in (_climb, _settle)]
    processes = [
        _SPAWN.Process(target=_serve, args=(theirs, work, instance, fairness, best.bound), daemon=True)
        for work, _, theirs in channels
    ]
    try:
        for process, (_, _, theirs) in zip(processes, channels, strict=True):
            process.start()
            theirs.close()
        _hear([ours for _, ours, _ in channels], best, clock)
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()
                process.join()


def _hear(pipes: list[Connection], best: _Best, clock: _Clock) -> None:
    while pipes and not best.proven and clock.left > 0:
        ready = wait(pipes, clock.left)
        for pipe in [each for each in pipes if each in ready]:
            try:
                news: News | Exception = pipe.recv()
            except EOFError:
                pipes.remove(pipe)
                continue
            if isinstance(news, Exception):
                raise news
            best.hear(*news)


def _serve(pipe: Connection, work: _Work, instance: Instance, fairness: int, proven: Synchronized[int]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        for news in work(instance, fairness, proven):
            pipe.send(news)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)
