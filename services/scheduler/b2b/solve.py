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
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from services.scheduler.b2b.instance import Infeasible, Instance, Schedule
from services.scheduler.b2b.presolve import narrowed, refuse_unfair
from services.scheduler.b2b.search import EncodingWrong, Engine, Outcome, Search

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_SPAWN = multiprocessing.get_context("spawn")

#: The paper's limit on how far apart the breaks of two participants may be.
FAIRNESS = 2
#: All begin with every variable false: most meetings are not in most slots. The last one is made to find schedules.
_ALONE = Engine("cadical195", {"phase": 0})
_SIDE_BY_SIDE = (_ALONE, Engine("cadical195", {"phase": 0, "stabilizeonly": 1}))

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
    for news in _climb(Search(fewer, fairness, _ALONE), best.bound, _CONFLICTS):
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


_News = tuple[int, Schedule | None, int | None]


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


def _climb(search: Search, proven: Synchronized[int], conflicts: int) -> Iterator[_News]:
    """Ask at the bound until there is a schedule, or the conflicts of one question are used up."""
    outcome = Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        search.bound = max(search.bound, proven.value)
        yield search.bound, search.schedule, search.breaks
        outcome = search.ask(search.bound, conflicts)
    yield search.bound, search.schedule, search.breaks


def _dive(search: Search) -> Iterator[_News]:
    """Find any schedule, or prove that there is none; then better ones, half way to the bound, while easy."""
    outcome = search.ask(None, _NO_LIMIT)
    while outcome is Outcome.FOUND and search.breaks is not None and search.breaks > search.bound:
        yield search.bound, search.schedule, search.breaks
        outcome = search.ask((search.bound + search.breaks) // 2, _CONFLICTS)


def _side_by_side(instance: Instance, fairness: int, best: _Best, clock: _Clock) -> None:
    """Start the engines, hear them until the optimum is proven or the time is up, and kill them."""
    channels = [_SPAWN.Pipe(duplex=False) for _ in _SIDE_BY_SIDE]
    processes = [
        _SPAWN.Process(target=_serve, args=(theirs, number, best.bound, instance, fairness), daemon=True)
        for number, (_, theirs) in enumerate(channels)
    ]
    try:
        for process, (_, theirs) in zip(processes, channels, strict=True):
            process.start()
            theirs.close()
        _hear([ours for ours, _ in channels], best, clock)
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
                news: _News | Exception = pipe.recv()
            except EOFError:
                pipes.remove(pipe)
                continue
            if isinstance(news, Exception):
                raise news
            best.hear(*news)


def _serve(pipe: Connection, number: int, proven: Synchronized[int], instance: Instance, fairness: int) -> None:
    """One engine's process: all climb, the last one dives first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        search = Search(instance, fairness, _SIDE_BY_SIDE[number])
        dive = _dive(search) if number else ()
        for news in chain(dive, _climb(search, proven, _NO_LIMIT)):
            pipe.send(news)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)
