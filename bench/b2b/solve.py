"""Solver of an instance to proven optimality: in this process first, then in two processes if that takes long.

A search climbs: it asks for a schedule with `bound` breaks, and after a refusal for one break more. The first schedule
found is optimal. Most instances need one or two questions. A search keeps the clauses learnt from a refusal, since they
help at the next bound. The time of a search varies with the order of its variables, so two searches in different orders
end sooner than a single search. They run in processes of their own, because an interruption to read their results would
restart the phases of CaDiCaL. The processes are forked, so that nothing is encoded twice.
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

#: The paper's limit on the difference between the breaks of two participants.
FAIRNESS = 2
#: Options: begin with every variable false, since most meetings are not in most slots; keep to a single mode of search
#: and to the current phases; spend no time on a smaller formula.
_ENGINE = Engine("cadical195", {"phase": 0, "stabilizeonly": 1, "rephase": 0, "vivify": 0, "probe": 0, "elim": 0})
_ANOTHER_ORDER = 1

#: Conflicts before two processes are started: a second or two. Most instances need fewer.
_CONFLICTS = 3_000
_NO_LIMIT = -1


@dataclass(frozen=True)
class B2bSolution:
    """The best schedule found, if any, with its proven bound, and wall-clock seconds."""

    schedule: Schedule | None
    breaks: int | None
    bound: int
    seconds: float
    seconds_to_best: float

    @property
    def proven(self) -> bool:
        """True if the schedule is proven optimal."""
        return self.breaks == self.bound


def solve(instance: B2bInstance, fairness: int = FAIRNESS, seconds: float = 60.0) -> B2bSolution:
    """Solve an instance within `seconds`. The breaks of two participants differ by at most `fairness`.

    Raises:
        Infeasible: there is provably no schedule. The message holds the reason.
    """
    clock = _Clock(seconds)
    fewer = narrowed(instance)
    refuse_unfair(fewer, fairness)
    best = _Best(clock)
    encoding = Encoding(fewer, fairness)
    search = Search(encoding, _ENGINE)
    for progress in _search_alone(search):
        best.update(*progress)
        if best.proven or clock.left <= 0:
            break
    if not best.proven and clock.left > 0:
        searches = [lambda: _climb(search), lambda: _find_and_climb(Search(encoding, _ENGINE, _ANOTHER_ORDER))]
        _side_by_side(searches, best, clock)
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
    """The joint results of all searches."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock
        self.bound = 0
        self.schedule: Schedule | None = None
        self.breaks: int | None = None
        self.seconds = 0.0

    @property
    def proven(self) -> bool:
        return self.breaks is not None and self.breaks <= self.bound

    def update(self, bound: int, schedule: Schedule | None, breaks: int | None) -> None:
        self.bound = max(self.bound, bound)
        if breaks is not None and (self.breaks is None or breaks < self.breaks):
            self.schedule, self.breaks, self.seconds = schedule, breaks, self._clock.elapsed


def _search_alone(search: Search) -> Iterator[Progress]:
    """Ask at the bound until a schedule is found, or a question takes too many conflicts."""
    outcome = SearchOutcome.REFUSED
    while outcome is SearchOutcome.REFUSED:
        yield search.progress
        outcome = search.ask(search.bound, _CONFLICTS)
    yield search.progress


def _climb(search: Search) -> Iterator[Progress]:
    """Ask at the bound, without a limit of conflicts, until a schedule is found."""
    outcome = SearchOutcome.REFUSED
    while outcome is SearchOutcome.REFUSED:
        outcome = search.ask(search.bound, _NO_LIMIT)
        yield search.progress


def _find_and_climb(search: Search) -> Iterator[Progress]:
    """Find any schedule first, for the case that the time runs out; then climb."""
    search.ask(None, _CONFLICTS)
    yield search.progress
    yield from _climb(search)


#: Yields progress whenever there is any.
_Work = Callable[[], Iterator[Progress]]


class _Helper:
    """A process that runs a search."""

    def __init__(self, work: _Work) -> None:
        self.pipe, theirs = _FORK.Pipe(duplex=False)
        self._process = _FORK.Process(target=_serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()

    def receive(self) -> Progress | None:
        """Return the progress in the pipe; None after the end of the search.

        Raises:
            Infeasible: the search has proven it.
            EncodingWrong: the search found a schedule that violates a rule.
        """
        try:
            progress: Progress | Exception = self.pipe.recv()
        except EOFError:
            return None
        if isinstance(progress, Exception):
            raise progress
        return progress

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _side_by_side(searches: Sequence[_Work], best: _Best, clock: _Clock) -> None:
    """Run the searches until the optimum is proven or the time is up, and kill their processes."""
    helpers: list[_Helper] = []
    try:
        helpers += map(_Helper, searches)
        while helpers and not best.proven and clock.left > 0:
            _receive(helpers, best, clock)
    finally:
        for helper in helpers:
            helper.stop()


def _receive(helpers: list[_Helper], best: _Best, clock: _Clock) -> None:
    """Wait for progress. A process that has ended is removed from the list."""
    ready = wait([helper.pipe for helper in helpers], clock.left)
    for helper in [helper for helper in helpers if helper.pipe in ready]:
        progress = helper.receive()
        if progress is None:
            helper.stop()
            helpers.remove(helper)
        else:
            best.update(*progress)


def _serve(pipe: Connection, work: _Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    try:
        for progress in work():
            pipe.send(progress)
    except (Infeasible, EncodingWrong) as error:
        pipe.send(error)
