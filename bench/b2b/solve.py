"""Solve an instance to proven optimality: in this process at first, in two side by side when that takes long.

A search climbs: is there a schedule with `bound` breaks; if not, with one more? The first one found is optimal, and
most instances need one question or two. What was learnt from a refusal helps to find at the next bound, so a search
keeps all it has learnt and goes on at its own pace; the first at the top ends it. How long that takes is luck, good or
bad: two searches, each in an order of its own, are sooner lucky. They run in processes of their own, so that they need
not be interrupted to be heard (CaDiCaL begins its phases anew then), forked, so that nothing is encoded twice.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from bench.b2b.encoding import Encoding
from bench.b2b.instance import B2bInstance, Infeasible, Schedule
from bench.b2b.presolve import narrowed, refuse_unfair
from bench.b2b.search import EncodingWrong, Engine, Progress, Search, SearchOutcome

_FORK = multiprocessing.get_context("fork")

#: The paper's limit on how far apart the breaks of two participants may be.
FAIRNESS = 2
#: It begins with every variable false (most meetings are not in most slots) and keeps to where it is: no change between
#: two modes of search, no return to earlier phases, no time spent on making the formula smaller.
_ENGINE = Engine("cadical195", {"phase": 0, "stabilizeonly": 1, "rephase": 0, "vivify": 0, "probe": 0, "elim": 0})
_ANOTHER_ORDER = 1

#: Conflicts before it takes long: a second or two. Most instances need fewer.
_CONFLICTS = 3_000
_NO_LIMIT = -1


@dataclass(frozen=True)
class B2bSolution:
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


def solve(instance: B2bInstance, fairness: int = FAIRNESS, seconds: float = 60.0) -> B2bSolution:
    """Solve an instance, with breaks of two participants at most `fairness` apart, for so many seconds at most.

    Raises:
        Infeasible: it is proven that there is no schedule; the message says why.
    """
    clock = _Clock(seconds)
    fewer = narrowed(instance)
    refuse_unfair(fewer, fairness)
    best = _Best(clock)
    encoding = Encoding(fewer, fairness)
    search = Search(encoding, _ENGINE)
    for news in _alone(search):
        best.hear(*news)
        if best.proven or clock.left <= 0:
            break
    if not best.proven and clock.left > 0:
        works = [lambda: _climb(search), lambda: _find_and_climb(Search(encoding, _ENGINE, _ANOTHER_ORDER))]
        _side_by_side(works, best, clock)
    return B2bSolution(best.schedule, best.breaks, best.bound, clock.elapsed, best.seconds)


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


def _alone(search: Search) -> Iterator[Progress]:
    """Ask at the bound until there is a schedule, or a question takes too many conflicts."""
    outcome = SearchOutcome.REFUSED
    while outcome is SearchOutcome.REFUSED:
        yield search.news
        outcome = search.ask(search.bound, _CONFLICTS)
    yield search.news


def _climb(search: Search) -> Iterator[Progress]:
    """Ask at the bound, however long it takes, until there is a schedule."""
    outcome = SearchOutcome.REFUSED
    while outcome is SearchOutcome.REFUSED:
        outcome = search.ask(search.bound, _NO_LIMIT)
        yield search.news


def _find_and_climb(search: Search) -> Iterator[Progress]:
    """First of all find any schedule, so that there is one if the time is up."""
    search.ask(None, _CONFLICTS)
    yield search.news
    yield from _climb(search)


#: Says whenever it knows more.
_Work = Callable[[], Iterator[Progress]]


class _Helper:
    """A process at work."""

    def __init__(self, work: _Work) -> None:
        self.pipe, theirs = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self) -> Progress | None:
        """The news that wait in the pipe; None if there will be no more.

        Raises:
            Infeasible: the work has proven it.
            EncodingWrong: the work found a schedule that breaks a rule.
        """
        try:
            news: Progress | Exception = self.pipe.recv()
        except EOFError:
            return None
        if isinstance(news, Exception):
            raise news
        return news

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _side_by_side(works: Sequence[_Work], best: _Best, clock: _Clock) -> None:
    """Start the searches, hear them until the optimum is proven or the time is up, and kill them."""
    helpers: list[_Helper] = []
    try:
        helpers += map(_Helper, works)
        while helpers and not best.proven and clock.left > 0:
            _hear(helpers, best, clock)
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


def _serve(pipe: Connection, work: _Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    try:
        for news in work():
            pipe.send(news)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)
