"""Background work on editions: improve an agenda once no inputs arrive, announce it once the edition is published."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from services.scheduler.aggregate import Decide, adopting, announcing, publishing
from services.scheduler.domain.changes import Change, Placed
from services.scheduler.domain.improvement.adopt import SolutionStale
from services.scheduler.domain.improvement.problem import Solution, SolverProblem, problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.ports import Editions, Solver
from services.scheduler.remedy_seeker import RemedySeeker
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.events import EncounterChanged, Event, WaitingReason
from shared.messaging.inputs import Owns
from shared.runtime.clock import Clock, utc_now
from shared.runtime.log import get_logger
from shared.runtime.metric_kinds import begin_series
from shared.runtime.metrics import ENCOUNTERS, GAP, IMPROVE_SECONDS, IMPROVEMENTS, VERIFIER_REJECTIONS
from shared.storage.aggregate import Decision

_log = get_logger(__name__)
begin_series(ENCOUNTERS, state=("waiting",), reason=WaitingReason)

#: Longest wait of a pass for the editions that it improves. Longer improvements go on beside the next pass.
_PASS_SECONDS = 1.0
#: Editions whose last solution is kept, some kilobytes a participant.
_SOLUTIONS_KEPT = 32


@dataclass(frozen=True)
class Pace:
    """Pauses and effort of improvements: the settings of the same names."""

    quiet_seconds: float
    announce_seconds: float
    change_budget: int
    effort: Effort


@dataclass
class _Watch:
    """An edition that may need an improvement or an announcement. Times are of the monotonic clock.

    - `failed_version`: the version whose improvement failed; it is not tried again.
    - `restart_below`: seconds left below which a running improvement is cancelled, because the edition was published
      after the improvement had started without a time limit.
    - `is_reassigned`: the edition came with a new assignment, so entries of another process may be unknown here.
    """

    last_input: float
    published_at: float | None = None
    failed_version: int | None = None
    restart_below: float = -math.inf
    is_reassigned: bool = False


class _Outlook(NamedTuple):
    """Work left for an edition."""

    operator_id: str
    can_be_improved: bool
    awaits_announcement: bool


@dataclass
class Improver:
    """Improvement and announcement of the editions that are assigned to this process.

    `progress` is called after every edition, because a pass over many editions lasts longer than a stall may.
    """

    editions: Editions
    solver: Solver
    pace: Pace
    remedies: RemedySeeker
    clock: Clock = utc_now
    monotonic: Callable[[], float] = time.monotonic
    progress: Callable[[], None] = lambda: None
    _watched: dict[str, _Watch] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    #: An assignment that `recall` has not looked at yet.
    _assignment: Owns | None = None
    #: Editions are loaded one at a time: after a start all of them are, beside the inputs that arrive.
    _loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: The last problem and its solution by edition; the longest unused first.
    _solutions: dict[str, tuple[SolverProblem, Solution]] = field(default_factory=dict)

    def on_assignment(self, owns: Owns) -> None:
        """Take over the editions that `owns` accepts, with their unfinished work; forget the rest."""
        self._assignment = owns

    def input_arrived(self, edition_id: str) -> None:
        """Watch an edition, and wait until it is quiet from now."""
        self._watch(edition_id).last_input = self.monotonic()

    async def input_decided(self, edition_id: str) -> None:
        """Note the time if the input has published the edition."""
        if (watch := self._watched.get(edition_id)) is not None:
            await self._outlook(edition_id, watch)

    async def improve_quiet_editions(self) -> None:
        """Improve, announce and publish as far as quiet editions need it.

        An improvement that takes long delays no further edition: it goes on beside the next pass.
        """
        await self.recall()
        for edition_id, watch in self._watched.items():
            if self._seconds_left(watch) < watch.restart_below:
                self._running.pop(edition_id).cancel()
            if edition_id not in self._running and self._is_due(watch):
                self._running[edition_id] = asyncio.create_task(self._finish(edition_id, watch))
        if not self._running:
            return
        await asyncio.wait(self._running.values(), timeout=_PASS_SECONDS)
        ended = {edition_id: task for edition_id, task in self._running.items() if task.done()}
        for edition_id in ended:
            del self._running[edition_id]
        # Each exception is read before the first is raised: asyncio logs an exception that no caller has read.
        if errors := [error for task in ended.values() if (error := task.exception())]:
            raise errors[0]

    async def recall(self) -> None:
        """Watch the editions of a new assignment, those that this process had before as well.

        A process that was frozen hears of a new assignment only. Meanwhile another process had its editions, and may
        have left work undone.
        """
        owns, self._assignment = self._assignment, None
        if owns is None:
            return
        try:
            assigned = [edition_id for edition_id in await self.editions.editions() if owns(edition_id)]
        except BaseException:
            self._assignment = self._assignment or owns
            raise
        for edition_id in sorted(assigned):
            self._watch(edition_id).is_reassigned = True
        for edition_id in [edition_id for edition_id in self._watched if not owns(edition_id)]:
            del self._watched[edition_id]

    async def stop(self) -> None:
        """Cancel running improvements; return once all have ended."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._running.clear()

    async def _finish(self, edition_id: str, watch: _Watch) -> None:
        """Improve, announce and publish. No state is held while the edition waits for a worker, which may be long."""
        async with self._loading:
            if watch.is_reassigned:
                await self.editions.current(edition_id)
                watch.is_reassigned = False
            outlook = await self._outlook(edition_id, watch)
        if outlook.can_be_improved and self._seconds_left(watch) > 0:
            await self._improve(edition_id, watch, outlook.operator_id)
            outlook = await self._outlook(edition_id, watch)
        await self.remedies.seek(edition_id, lambda: self._seconds_left(watch) > 0)
        if outlook.awaits_announcement and (not outlook.can_be_improved or self._seconds_left(watch) <= 0):
            await transact(self.editions, edition_id, announcing)
            watch.published_at = None
        await self._publish_rest(edition_id)
        await self._release(edition_id, watch)
        self.progress()

    async def _outlook(self, edition_id: str, watch: _Watch) -> _Outlook:
        """Return the work left. An edition seen as published for the first time has `announce_seconds` from now."""
        state = await self.editions.read(edition_id)
        if state.awaits_announcement and watch.published_at is None:
            watch.published_at = self.monotonic()
        operator_id = state.operator_id or edition_id
        return _Outlook(operator_id, _can_be_improved(state, watch), state.awaits_announcement)

    def _is_due(self, watch: _Watch) -> bool:
        """Return whether an edition is quiet, or half of its time until the announcement is over."""
        is_quiet = self.monotonic() - watch.last_input >= self.pace.quiet_seconds
        return is_quiet or self._seconds_left(watch) <= self.pace.announce_seconds / 2

    def _seconds_left(self, watch: _Watch) -> float:
        """Return the seconds until the edition is announced as it is; infinite unless it is published."""
        if watch.published_at is None:
            return math.inf
        return watch.published_at + self.pace.announce_seconds - self.monotonic()

    async def _improve(self, edition_id: str, watch: _Watch, operator_id: str) -> None:
        outcome = "failed"
        try:
            solution = await self._known_solution(edition_id) or await self._solve(edition_id, watch, operator_id)
            decision = await transact(self.editions, edition_id, adopting(solution))
            outcome = "adopted" if any(isinstance(change, Placed) for change in decision.changes) else "kept"
            GAP.observe(solution.gap)
        except SolutionStale as stale:
            outcome = "stale"
            _log.info("solution_stale", edition=edition_id, reason=stale)
        except SolverBusy:
            outcome = "busy"
        except SolverFailed as failed:
            _log.warning("improve_failed", edition=edition_id, reason=failed)
        except AgendaBroken as broken:
            watch.failed_version = solution.version
            report_broken(edition_id, broken)
        finally:
            IMPROVEMENTS.labels(outcome=outcome).inc()

    async def _known_solution(self, edition_id: str) -> Solution | None:
        """Return the last solution if the problem is still the same, as after the publication of a quiet edition."""
        known = self._solutions.pop(edition_id, None)
        if known is None:
            return None
        problem = await self._problem(edition_id)
        if not problem.has_same_solution_as(known[0]):
            return None
        self._solutions[edition_id] = known
        return replace(known[1], version=problem.version)

    async def _solve(self, edition_id: str, watch: _Watch, operator_id: str) -> Solution:
        """Return the solver's solution of the problem as it is when a worker is free."""
        left = self._seconds_left(watch)
        try:
            watch.restart_below = math.inf if left == math.inf else -math.inf
            async with self.solver.turn(operator_id, left):
                problem, started = await self._problem(edition_id), self.monotonic()
                left = self._seconds_left(watch)
                watch.restart_below = 0 if left == math.inf else -math.inf
                with IMPROVE_SECONDS.time():
                    solution = await self.solver.solve(problem, self.pace.effort, left)
        except SolverFailed:
            watch.failed_version = problem.version
            raise
        finally:
            watch.restart_below = -math.inf
        solution = replace(solution, seconds=round(self.monotonic() - started, 3))
        self._solutions[edition_id] = problem, solution
        if len(self._solutions) > _SOLUTIONS_KEPT:
            del self._solutions[next(iter(self._solutions))]
        return solution

    async def _problem(self, edition_id: str) -> SolverProblem:
        return problem_of(await self.editions.read(edition_id), self.clock(), self.pace.change_budget)

    async def _publish_rest(self, edition_id: str) -> None:
        while True:
            state = await self.editions.read(edition_id)
            if state.is_closed or not (state.unpublished_pairs or state.unpublished_participants):
                return
            await transact(self.editions, edition_id, publishing)

    async def _release(self, edition_id: str, watch: _Watch) -> None:
        """Stop watching an edition that needs nothing more, until its next input."""
        outlook = await self._outlook(edition_id, watch)
        if not outlook.can_be_improved and not outlook.awaits_announcement and self._is_due(watch):
            self._watched.pop(edition_id, None)

    def _watch(self, edition_id: str) -> _Watch:
        return self._watched.setdefault(edition_id, _Watch(self.monotonic()))


async def transact(editions: Editions, edition_id: str, decide: Decide) -> Decision[Change, Event]:
    """Take a decision, and count its encounters."""
    decision = await editions.transact(edition_id, decide)
    count_encounters(decision)
    return decision


def count_encounters(decision: Decision[Change, Event]) -> None:
    """Count the encounters that a decision has published, by state and reason to wait."""
    for event in decision.outbox:
        if isinstance(event, EncounterChanged):
            ENCOUNTERS.labels(state=event.state.value, reason=event.waiting_reason or "").inc()


def report_broken(edition_id: str, broken: AgendaBroken) -> None:
    """Count and log an agenda that the verifier has rejected."""
    VERIFIER_REJECTIONS.inc()
    _log.error("agenda_broken", edition=edition_id, violations=broken.violations)


def _can_be_improved(state: AgendaState, watch: _Watch) -> bool:
    is_open = state.edition is not None and not state.is_closed
    return is_open and state.has_new_inputs and watch.failed_version != state.version
