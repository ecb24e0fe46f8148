"""Solve an instance to proven optimality: one engine alone at first, a second one beside it when that takes long.

Both climb: is there a schedule with `bound` breaks; if not, with one more? The first one found is optimal, and most
instances need one question or two. The second engine is another solver in a process of its own; both tell each other
the bounds they prove, and the first to find a schedule at the bound ends the search.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Self

from services.scheduler.b2b.instance import Infeasible, Instance, Schedule
from services.scheduler.b2b.presolve import narrowed, refuse_unfair
from services.scheduler.b2b.search import EncodingWrong, Engine, Outcome, Search

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_SPAWN = multiprocessing.get_context("spawn")

#: The paper's limit on how far apart the breaks of two participants may be.
FAIRNESS = 2
_FIRST = Engine("cadical195")
_SECOND = Engine("glucose42")

#: So long the first engine is alone: most instances take less, and a process costs a few tenths of a second.
_ALONE_SECONDS = 1.0
#: Conflicts a slice: about half a second, after which news of the other engine is heard.
_SLICE = 2_000


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
    first = Search(fewer, fairness, _FIRST)
    best = _Best(clock, first.bound)
    with _Second(fewer, fairness) as second:
        while not best.proven and clock.left > 0:
            first.bound = best.bound
            first.ask(best.bound, _SLICE)
            best.hear(first.bound, first.schedule, first.breaks)
            if not best.proven and clock.elapsed > _ALONE_SECONDS:
                for news in second.news(best.bound):
                    best.hear(*news)
    first.stop()
    return Solved(best.schedule, best.breaks, best.bound, clock.elapsed, best.seconds)


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


class _Best:
    """What both engines know together."""

    def __init__(self, clock: _Clock, bound: int) -> None:
        self._clock = clock
        self.bound = bound
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self.seconds = 0.0

    @property
    def proven(self) -> bool:
        return self.breaks == self.bound

    def hear(self, bound: int, schedule: Schedule | None, breaks: int | None) -> None:
        self.bound = max(self.bound, bound)
        if breaks is not None and (self.breaks is None or breaks < self.breaks):
            self.schedule, self.breaks, self.seconds = schedule, breaks, self._clock.elapsed


_News = tuple[int, Schedule | None, int | None]


class _Second:
    """The second engine's process: started when it is first asked for news, killed at the end."""

    def __init__(self, instance: Instance, fairness: int) -> None:
        self._bound = _SPAWN.Value("i", 0)
        self._pipe, self._theirs = _SPAWN.Pipe(duplex=False)
        self._process = _SPAWN.Process(target=_serve, args=(self._theirs, self._bound, instance, fairness), daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.pid is not None:
            self._process.kill()
            self._process.join()

    def news(self, bound: int) -> Iterator[_News]:
        """Tell it a bound, and hear what it has found since."""
        self._bound.value = bound
        if self._process.pid is None:
            self._process.start()
            self._theirs.close()
        with suppress(EOFError):  # it has said its last word, and gone
            while self._pipe.poll():
                news: _News | Exception = self._pipe.recv()
                if isinstance(news, Exception):
                    raise news
                yield news


def _serve(pipe: Connection, bound: Synchronized[int], instance: Instance, fairness: int) -> None:
    """Find any schedule, or prove that there is none; then climb, and try half way down from the best by turns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        for news in _improvements(Search(instance, fairness, _SECOND), bound):
            pipe.send(news)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)


def _improvements(search: Search, bound: Synchronized[int]) -> Iterator[_News]:
    while search.ask(None, _SLICE) is Outcome.UNDECIDED:
        pass
    conflicts = _SLICE
    while (best := search.breaks) is not None and best > search.bound:
        yield search.bound, search.schedule, best
        search.ask(search.bound, conflicts)
        search.ask((search.bound + best) // 2, conflicts)
        search.bound = max(search.bound, bound.value)
        conflicts = conflicts * 3 // 2
    yield search.bound, search.schedule, search.breaks
