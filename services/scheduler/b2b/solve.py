"""Solve an instance to proven optimality: in this process at first, by two engines side by side when that takes long.

All climb: is there a schedule with `bound` breaks; if not, with one more? The first one found is optimal, and most
instances need one question or two. The engines run in processes of their own, so that they need not be interrupted to
be heard (CaDiCaL begins its phases anew whenever it is). Whoever asks a question that the other has settled is stopped
and begins again at the new bound; the first to find a schedule at the bound ends the search.

The processes are forked: both have the formula without encoding it again, and the first all that was learnt so far.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Self

from services.scheduler.b2b.encoding import Encoding
from services.scheduler.b2b.instance import Infeasible, Instance, Schedule
from services.scheduler.b2b.presolve import narrowed, refuse_unfair
from services.scheduler.b2b.search import EncodingWrong, Engine, News, Outcome, Search

_FORK = multiprocessing.get_context("fork")

#: The paper's limit on how far apart the breaks of two participants may be.
FAIRNESS = 2
#: Both begin with every variable false: most meetings are not in most slots.
_REFUTER = Engine("cadical195", {"phase": 0})
#: It keeps to where it is: no change between two modes of search, no return to earlier phases.
_FINDER = Engine("cadical195", {"phase": 0, "stabilizeonly": 1, "rephase": 0})

#: Conflicts before it takes long: a second or two. Most instances need fewer.
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
    encoding = Encoding(fewer, fairness)
    search = Search(encoding, _REFUTER)
    for news in _alone(search):
        best.hear(*news)
        if best.proven or clock.left <= 0:
            break
    if not best.proven and clock.left > 0:
        _side_by_side([lambda bound: _climb(search, bound), lambda bound: _settle(encoding, bound)], best, clock)
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
    """What all engines know together."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.bound = 0
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self.seconds = 0.0

    @property
    def proven(self) -> bool:
        return self.breaks is not None and self.breaks <= self.bound

    def hear(self, bound: int, schedule: Schedule | None, breaks: int | None) -> None:
        self.bound = max(self.bound, bound)
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


def _climb(search: Search, bound: int) -> Iterator[News]:
    """Keep the formula, and what was learnt from it, from bound to bound: made to refute."""
    outcome = Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        outcome = search.ask(max(search.bound, bound), _NO_LIMIT)
        yield search.news


def _settle(encoding: Encoding, bound: int) -> Iterator[News]:
    """Begin anew at each bound, with the limit in the formula: made to find."""
    outcome = Outcome.REFUSED
    while outcome is Outcome.REFUSED:
        search = Search(encoding, _FINDER)
        outcome = search.settle(bound)
        yield search.news
        search.stop()
        bound = search.bound


#: Works from a bound that is proven, and says when it knows more.
_Work = Callable[[int], Iterator[News]]


class _Helper:
    """A process at work, and the bound at which it asks its question now."""

    def __init__(self, work: _Work, bound: int) -> None:
        self._work = work
        self.bound = bound
        self.pipe, theirs = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_serve, args=(theirs, work, bound), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self) -> News | None:
        """The news that wait in the pipe; None if there will be no more.

        Raises:
            Infeasible: the work has proven it.
            EncodingWrong: the work found a schedule that breaks a rule.
        """
        try:
            news: News | Exception = self.pipe.recv()
        except EOFError:
            return None
        if isinstance(news, Exception):
            raise news
        self.bound = news[0]
        return news

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self.pipe.close()

    def at(self, bound: int) -> Self:
        """This one, or a new one in its place if its question is settled."""
        if self.bound >= bound:
            return self
        self.stop()
        return type(self)(self._work, bound)


def _side_by_side(works: Sequence[_Work], best: _Best, clock: _Clock) -> None:
    """Start the engines, hear them until the optimum is proven or the time is up, and kill them."""
    helpers: list[_Helper] = []
    try:
        helpers += (_Helper(work, best.bound) for work in works)
        while helpers and not best.proven and clock.left > 0:
            _hear(helpers, best, clock)
            if not best.proven:
                helpers[:] = [helper.at(best.bound) for helper in helpers]
    finally:
        for helper in helpers:
            helper.stop()


def _hear(helpers: list[_Helper], best: _Best, clock: _Clock) -> None:
    """Wait for news; whoever has ended is taken from the list."""
    ready = wait([helper.pipe for helper in helpers], clock.left)
    for helper in [each for each in helpers if each.pipe in ready]:
        news = helper.hear()
        if news is None:
            helper.stop()
            helpers.remove(helper)
        else:
            best.hear(*news)


def _serve(pipe: Connection, work: _Work, bound: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        for news in work(bound):
            pipe.send(news)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)
