"""What the scheduler does: take inputs at once, improve editions when they are quiet, announce them when published."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from services.scheduler.aggregate import Answer, Decide, Query, adopting, announcing, publishing
from services.scheduler.domain.changes import Change, Placed
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.improvement.adopt import SolutionStale
from services.scheduler.domain.improvement.problem import Problem, Solution, problem_of
from services.scheduler.domain.organiser.attendance import AttendanceEffects, AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edits import EditPlan, apply_edit, plan_edit
from services.scheduler.domain.organiser.what_if import problem_with
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.events import EncounterChanged, Event
from shared.internal_api.edits import Edit, More, WhatIf
from shared.messaging.inputs import Input, Owns
from shared.runtime.clock import Clock, utc_now
from shared.runtime.log import get_logger
from shared.runtime.metrics import DECISION_SECONDS, ENCOUNTERS, IMPROVE_SECONDS, IMPROVEMENTS, VERIFIER_REJECTIONS
from shared.storage.aggregate import Decision

_log = get_logger(__name__)

#: How long a pass over the editions waits for those that take long.
_PASS_SECONDS = 1.0
#: Editions whose last answer is kept, some kilobytes a participant.
_ANSWERS_KEPT = 32
#: Who asks what if waits so long for a turn at most, and as long again for the answer.
_WHAT_IF_SECONDS = 4.0


class Editions(Protocol):
    """Where editions are kept and decided upon: the journal."""

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Event]:
        """Decide on a batch of inputs, keep what changed, send what is to be said."""
        ...

    async def transact(self, edition_id: str, decide: Decide) -> Decision[Change, Event]:
        """The same for any other decision."""
        ...

    async def read(self, edition_id: str) -> AgendaState:
        """The current state, not to be changed."""
        ...

    async def current(self, edition_id: str) -> AgendaState:
        """The same, with what other processes have written."""
        ...

    async def editions(self) -> list[str]:
        """Every edition there is."""
        ...


class Solver(Protocol):
    """Who improves: a pool of processes."""

    def turn(self, within: float) -> AbstractAsyncContextManager[None]:
        """A turn to solve, once it is one's; raises `SolverBusy` if that is not within so many seconds."""
        ...

    async def solve(self, problem: Problem, effort: Effort, within: float) -> Solution:
        """The best agenda found in so many seconds at most; raises `SolverFailed`."""
        ...


@dataclass(frozen=True)
class Pace:
    """When to improve, and how much: see the settings of the same names."""

    quiet_seconds: float
    announce_seconds: float
    change_budget: int
    effort: Effort


@dataclass
class _Watch:
    """An edition that may have something left to do. `gave_up` is the version whose improvement failed.

    `ask_again_below`: with how few seconds left it no longer waits for what it asked the solver when it had no end to
    keep: it has one once it is published.
    """

    last_input: float
    published_at: float | None = None
    gave_up: int | None = None
    ask_again_below: float = -math.inf


class _Outlook(NamedTuple):
    """What is left to do for an edition."""

    can_be_improved: bool
    awaits_announcement: bool


@dataclass
class Scheduler:
    """The use cases of the scheduler."""

    editions: Editions
    solver: Solver
    pace: Pace
    clock: Clock = utc_now
    monotonic: Callable[[], float] = time.monotonic
    #: Called after each edition: a pass over many takes longer than a stall may.
    progress: Callable[[], None] = lambda: None
    _watched: dict[str, _Watch] = field(default_factory=dict)
    _attending: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    #: A share of the editions that is not looked at yet, and those that were in the share before.
    _share: Owns | None = None
    _ours: set[str] = field(default_factory=set)
    #: One edition at a time is read again for what it may need: after a start all are, beside what comes in.
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: What was last asked of the solver for an edition, and its answer; the longest unused first.
    _answered: dict[str, tuple[Problem, Solution]] = field(default_factory=dict)

    def on_assignment(self, owns: Owns) -> None:
        """Look at the editions that are this process's from now on, for what others left undone; leave the others'."""
        self._share = owns

    async def recall(self) -> None:
        """Watch what is in a new share, and was in none before."""
        owns, self._share = self._share, None
        if owns is None:
            return
        try:
            ours = {edition_id for edition_id in await self.editions.editions() if owns(edition_id)}
        except BaseException:
            self._share = self._share or owns
            raise
        for edition_id in sorted(ours - self._ours):
            self._watch(edition_id)
        for edition_id in [each for each in self._watched if not owns(each)]:
            del self._watched[edition_id]
        self._ours = ours

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Insert what came in into the agenda, repair what it breaks, and say what changed."""
        watch = self._watch(edition_id)
        watch.last_input = self.monotonic()
        with DECISION_SECONDS.time():
            try:
                decision = await self.editions.decide(edition_id, inputs)
            except AgendaBroken as broken:
                self._note_rejection(edition_id, broken)
                raise
        _count(decision)
        await self._look(edition_id, watch)

    async def plan_edit(self, edition_id: str, edit: Edit) -> tuple[AgendaState, EditPlan]:
        """What an edit by hand would do, and the agenda it would do it to. Raises `NotPossible`."""
        state = await self.editions.current(edition_id)
        return state, plan_edit(state, edit, self.clock())

    async def apply_edit(self, edition_id: str, edit: Edit, token: str) -> tuple[AgendaState, EditPlan]:
        """Make an edit as it was planned under the token. Raises as `domain.edits.apply_edit`."""
        return await self._ask(edition_id, lambda decision: (decision.state, apply_edit(decision, edit, token)))

    async def record_attendance(
        self, edition_id: str, encounter_id: str, attendance: AttendanceReport
    ) -> AttendanceEffects:
        """Note that an encounter was held or missed. Raises `NotPossible`."""
        return await self._ask(edition_id, lambda decision: record_attendance(decision, encounter_id, attendance))

    async def what_if(self, edition_id: str, more: More) -> WhatIf:
        """What there would be to gain by more tables or time.

        Raises:
            NotPossible: as `domain.what_if.problem_with`.
            SolverBusy: no worker was free for it.
            SolverFailed: it found nothing in time.
        """
        async with self.solver.turn(_WHAT_IF_SECONDS):
            state = await self.editions.current(edition_id)
            placed, waiting = len(state.placements), len(state.waiting)
            problem = problem_with(state, more, self.clock(), self.pace.change_budget)
            solution = await self.solver.solve(problem, self.pace.effort, _WHAT_IF_SECONDS)
        return WhatIf(
            placed=placed, waiting=waiting, placed_then=len(solution.assignments), at_most_then=solution.bound
        )

    async def agenda(self, edition_id: str) -> AgendaState:
        """The edition's agenda as it is now, not to be changed."""
        return await self.editions.current(edition_id)

    async def _ask(self, edition_id: str, work: Callable[[DecisionInProgress], Answer]) -> Answer:
        asking = Query(work)
        decision = await self._decide(edition_id, asking)
        if decision.changes:
            self._watch(edition_id).last_input = self.monotonic()
        return asking.answer

    async def improve_quiet_editions(self) -> None:
        """For each edition that is quiet: improve it if inputs came in, announce it if published, tell what is left.

        An edition that takes long keeps no other one waiting: the next pass leaves it to go on.
        """
        await self.recall()
        for edition_id, watch in self._watched.items():
            if self._left(watch) < watch.ask_again_below:
                self._attending.pop(edition_id).cancel()
            if edition_id not in self._attending and self._is_time(watch):
                self._attending[edition_id] = asyncio.create_task(self._attend_to(edition_id, watch))
        if not self._attending:
            return
        await asyncio.wait(self._attending.values(), timeout=_PASS_SECONDS)
        ended = {edition_id: task for edition_id, task in self._attending.items() if task.done()}
        for edition_id in ended:
            del self._attending[edition_id]
        # All are asked before the first is raised: what nobody asks for, asyncio complains of when it is forgotten.
        if errors := [error for task in ended.values() if (error := task.exception())]:
            raise errors[0]

    async def stop(self) -> None:
        """Leave what takes long; returns once nothing is in hand."""
        for task in self._attending.values():
            task.cancel()
        await asyncio.gather(*self._attending.values(), return_exceptions=True)
        self._attending.clear()

    async def _attend_to(self, edition_id: str, watch: _Watch) -> None:
        """It may wait long for its turn, beside as many others as there are: it holds on to no state meanwhile."""
        async with self._looking:
            outlook = await self._look(edition_id, watch)
        if outlook.can_be_improved and self._left(watch) > 0:
            await self._improve(edition_id, watch)
            outlook = await self._look(edition_id, watch)
        if outlook.awaits_announcement and (not outlook.can_be_improved or self._left(watch) <= 0):
            await self._decide(edition_id, announcing)
            watch.published_at = None
        await self._tell_the_rest(edition_id)
        await self._let_go(edition_id, watch)
        self.progress()

    async def _look(self, edition_id: str, watch: _Watch) -> _Outlook:
        """What is left to do; from when it is seen to be published, an edition has `announce_seconds`."""
        state = await self.editions.read(edition_id)
        if state.awaits_announcement and watch.published_at is None:
            watch.published_at = self.monotonic()
        return _Outlook(self._can_be_improved(state, watch), state.awaits_announcement)

    def _is_time(self, watch: _Watch) -> bool:
        """Whether an edition is quiet, or published and so busy that it must be improved while it is busy."""
        is_quiet = self.monotonic() - watch.last_input >= self.pace.quiet_seconds
        return is_quiet or self._left(watch) <= self.pace.announce_seconds / 2

    def _left(self, watch: _Watch) -> float:
        """Seconds until the edition is announced as it stands, which no improvement may outlast."""
        if watch.published_at is None:
            return math.inf
        return watch.published_at + self.pace.announce_seconds - self.monotonic()

    def _can_be_improved(self, state: AgendaState, watch: _Watch) -> bool:
        return (
            state.edition is not None
            and not state.is_closed
            and state.has_new_inputs
            and watch.gave_up != state.version
        )

    async def _improve(self, edition_id: str, watch: _Watch) -> None:
        outcome = "failed"
        try:
            solution = await self._kept_answer(edition_id) or await self._answer(edition_id, watch)
            decision = await self._decide(edition_id, adopting(solution))
            outcome = "adopted" if any(isinstance(change, Placed) for change in decision.changes) else "kept"
        except SolutionStale as stale:
            outcome = "stale"
            _log.info("solution_stale", edition=edition_id, reason=str(stale))
        except SolverBusy:
            outcome = "busy"
        except SolverFailed as failed:
            _log.warning("improve_failed", edition=edition_id, reason=str(failed))
        except AgendaBroken as broken:
            watch.gave_up = solution.version
            self._note_rejection(edition_id, broken)
        finally:
            IMPROVEMENTS.labels(outcome=outcome).inc()

    async def _kept_answer(self, edition_id: str) -> Solution | None:
        """The last answer, if the same is asked again, as when an edition at rest is published."""
        known = self._answered.pop(edition_id, None)
        if known is None:
            return None
        problem = await self._problem(edition_id)
        if not problem.asks_the_same(known[0]):
            return None
        self._answered[edition_id] = known
        return replace(known[1], version=problem.version)

    async def _answer(self, edition_id: str, watch: _Watch) -> Solution:
        """What the solver finds, asked once it is the edition's turn."""
        left = self._left(watch)
        try:
            watch.ask_again_below = math.inf if left == math.inf else -math.inf
            async with self.solver.turn(left):
                problem, started, left = await self._problem(edition_id), self.monotonic(), self._left(watch)
                watch.ask_again_below = 0 if left == math.inf else -math.inf
                with IMPROVE_SECONDS.time():
                    solution = await self.solver.solve(problem, self.pace.effort, left)
        except SolverFailed:
            watch.gave_up = problem.version
            raise
        finally:
            watch.ask_again_below = -math.inf
        solution = replace(solution, seconds=round(self.monotonic() - started, 3))
        self._answered[edition_id] = problem, solution
        if len(self._answered) > _ANSWERS_KEPT:
            del self._answered[next(iter(self._answered))]
        return solution

    async def _problem(self, edition_id: str) -> Problem:
        return problem_of(await self.editions.read(edition_id), self.clock(), self.pace.change_budget)

    async def _tell_the_rest(self, edition_id: str) -> None:
        while True:
            state = await self.editions.read(edition_id)
            if state.is_closed or not (state.unpublished_pairs or state.unpublished_participants):
                return
            await self._decide(edition_id, publishing)

    async def _decide(self, edition_id: str, decide: Decide) -> Decision[Change, Event]:
        decision = await self.editions.transact(edition_id, decide)
        _count(decision)
        return decision

    async def _let_go(self, edition_id: str, watch: _Watch) -> None:
        """Forget an edition with nothing left to do, until its next input."""
        outlook = await self._look(edition_id, watch)
        if not outlook.can_be_improved and not outlook.awaits_announcement and self._is_time(watch):
            self._watched.pop(edition_id, None)

    def _watch(self, edition_id: str) -> _Watch:
        return self._watched.setdefault(edition_id, _Watch(self.monotonic()))

    def _note_rejection(self, edition_id: str, broken: AgendaBroken) -> None:
        VERIFIER_REJECTIONS.inc()
        _log.error("agenda_broken", edition=edition_id, violations=str(broken))


def _count(decision: Decision[Change, Event]) -> None:
    for event in decision.outbox:
        if isinstance(event, EncounterChanged):
            ENCOUNTERS.labels(state=event.state.value).inc()
