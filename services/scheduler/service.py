"""Use cases of the scheduler: decide on inputs, edit agendas by hand, record attendance, answer what-if questions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.scheduler.aggregate import Answer, Query
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.organiser.attendance import AttendanceEffects, AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edit_plan import EditPlan
from services.scheduler.domain.organiser.edits import apply_edit, plan_edit
from services.scheduler.domain.organiser.errors import pair_of_encounter
from services.scheduler.domain.organiser.remedy_trial import copy_of
from services.scheduler.domain.organiser.what_if import problem_with
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.improver import Improver, count_encounters, report_broken, transact
from services.scheduler.known_remedies import KnownRemedies
from services.scheduler.ports import Editions, Solver
from services.scheduler.previews import Behind, must_be_at_base, preview_of
from shared.contract.events import EncounterChanged, Event, Remedy
from shared.internal_api.edits import Edit, More, WhatIf
from shared.internal_api.previews import FactsPreview, FactsToPreview
from shared.messaging.inputs import Input
from shared.runtime.clock import Clock
from shared.runtime.fair_turns import FairTurns, QueueFull
from shared.runtime.log import get_logger
from shared.runtime.metrics import DECISION_SECONDS

#: Longest wait of a what-if question for a worker, and as long again for its answer.
_WHAT_IF_SECONDS = 4.0
#: What-if questions in hand: of all operators, and of an operator. Further questions are declined at once.
_QUESTIONS, _QUESTIONS_EACH = 64, 2
#: Previews at once: each holds a copy of its edition. Previews of an operator that wait for a turn.
_PREVIEWS, _PREVIEWS_EACH, _PREVIEWS_WAITING = 2, 1, 4
#: Longest wait of a preview for its turn, and as long again for the facts that it is based on.
_PREVIEW_SECONDS = 2.0
#: Interval between looks for the facts that a preview is based on.
_LOOK_SECONDS = 0.05
#: Searches for remedies of an operator that wait for a turn, and their longest wait. One search runs at a time: it
#: shares the process with decisions.
_REMEDIES_WAITING, _REMEDY_SECONDS = 8, 2.0
#: Longest search for the remedies of a list of encounters, and its longest wait for a turn.
_LIST_SECONDS, _LIST_WAIT_SECONDS = 1.0, 0.2
#: Longest search for the remedy of an encounter. Its reader waits ten seconds for the turn and the answer.
_SEARCH_SECONDS = 5.0


_log = get_logger(__name__)


@dataclass
class Scheduler:
    """The use cases of the scheduler. `improver` works on the editions in the background."""

    editions: Editions
    solver: Solver
    improver: Improver
    clock: Clock
    _questions: FairTurns = field(
        default_factory=lambda: FairTurns(_QUESTIONS, most_each=_QUESTIONS_EACH, most_waiting=0)
    )
    _previews: FairTurns = field(
        default_factory=lambda: FairTurns(_PREVIEWS, most_each=_PREVIEWS_EACH, most_waiting=_PREVIEWS_WAITING)
    )
    _remedies: FairTurns = field(default_factory=lambda: FairTurns(1, most_waiting=_REMEDIES_WAITING))
    _known: KnownRemedies = field(default_factory=KnownRemedies)

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Insert a batch of inputs into the agenda, repair it, and publish the changes."""
        self.improver.input_arrived(edition_id)
        with DECISION_SECONDS.time():
            try:
                decision = await self.editions.decide(edition_id, inputs)
            except AgendaBroken as broken:
                report_broken(edition_id, broken)
                raise
        count_encounters(decision)
        _log_confirmed(inputs, decision.outbox)
        await self.improver.input_decided(edition_id)

    async def plan_edit(self, edition_id: str, edit: Edit) -> tuple[AgendaState, EditPlan]:
        """Return the effects that an edit by hand would have, and the agenda before it. Raises `EditRejected`."""
        state = await self.editions.current(edition_id)
        return state, plan_edit(state, edit, self.clock())

    async def apply_edit(
        self, edition_id: str, edit: Edit, token: str, actor: str | None = None
    ) -> tuple[AgendaState, EditPlan]:
        """Apply an edit with the effects that the token names. Raises as `organiser.edits.apply_edit`."""
        return await self._ask(edition_id, lambda decision: (decision.state, apply_edit(decision, edit, token)), actor)

    async def preview(self, edition_id: str, facts: FactsToPreview) -> FactsPreview:
        """Return the effects that changes of facts would have. The decision is made on a copy, in a thread.

        Raises:
            QueueFull, TimeoutError: too many previews are in hand.
            Behind: the facts that the change is based on have not arrived in time.
            BaseOutdated: the scheduler has newer facts.
        """
        events = facts.events
        operator_id = events[0].operator_id if events else edition_id
        async with self._previews.turn(operator_id, within=_PREVIEW_SECONDS):
            await self._have_base(edition_id, facts)
            state = await self.editions.fresh(edition_id)
            return await asyncio.to_thread(preview_of, state, events, self.clock())

    async def _have_base(self, edition_id: str, facts: FactsToPreview) -> None:
        """Wait for the facts that a change is based on: registration may have written them just now."""
        deadline = asyncio.get_running_loop().time() + _PREVIEW_SECONDS
        while True:
            try:
                must_be_at_base(await self.editions.current(edition_id), facts.events)
            except Behind:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return

    async def record_attendance(
        self, edition_id: str, encounter_id: str, report: AttendanceReport, actor: str | None = None
    ) -> AttendanceEffects:
        """Record a report of attendance. Raises `EditRejected`."""
        return await self._ask(edition_id, lambda decision: record_attendance(decision, encounter_id, report), actor)

    async def what_if(self, edition_id: str, more: More) -> WhatIf:
        """Return the encounters that more tables or more time would give.

        Raises:
            EditRejected: as `organiser.what_if.problem_with`.
            QueueFull: the operator has too many questions in hand.
            SolverBusy: no worker was free in time.
            SolverFailed: the worker found no solution in time.
        """
        operator_id = (await self.editions.read(edition_id)).operator_id or edition_id
        async with (
            self._questions.turn(operator_id),
            self.solver.turn(operator_id, _WHAT_IF_SECONDS),
        ):
            state = await self.editions.current(edition_id)
            placed, waiting = len(state.placements), len(state.waiting)
            problem = problem_with(state, more, self.clock(), self.improver.pace.change_budget)
            solution = await self.solver.solve(problem, self.improver.pace.effort, _WHAT_IF_SECONDS)
        return WhatIf(
            placed=placed, waiting=waiting, placed_then=len(solution.assignments), at_most_then=solution.bound
        )

    async def remedy(self, edition_id: str, encounter_id: str) -> tuple[AgendaState, str, Remedy | None, datetime]:
        """Return the smallest change that would place a waiting encounter, sought on a copy of the state in a thread.

        The answer holds the copy, the pair of the encounter, the remedy if there is one, and the time of the search.

        Raises:
            EditRejected: the edition has no such encounter.
            QueueFull, TimeoutError: too many remedies are being sought.
        """
        present = await self.editions.current(edition_id)
        pair_id = pair_of_encounter(present, encounter_id)
        async with self._remedies.turn(present.operator_id or edition_id, within=_REMEDY_SECONDS):
            state, now = copy_of(await self.editions.current(edition_id)), self.clock()
            found = await asyncio.to_thread(self._known.seek, state, [pair_id], now, _SEARCH_SECONDS)
            return state, pair_id, found.get(pair_id), now

    async def remedies(
        self, edition_id: str, chosen: Callable[[AgendaState], Collection[str]]
    ) -> tuple[AgendaState, Mapping[str, Remedy | None], datetime]:
        """Return the remedies of the chosen pairs that wait, as far as they are known or found in a short search.

        The answer holds the state that they were sought for, the remedies by pair, and the time.
        """
        state, now = await self.editions.current(edition_id), self.clock()
        known = self._known.of(state, now)
        sought = [pair for pair in chosen(state) if pair in state.waiting and pair not in known]
        if not sought or self._known.rests:
            return state, known, now
        try:
            async with self._remedies.turn(state.operator_id or edition_id, within=_LIST_WAIT_SECONDS):
                state = copy_of(await self.editions.current(edition_id))
                waiting = [pair for pair in sought if pair in state.waiting]
                found = await asyncio.to_thread(self._known.seek, state, waiting, now, _LIST_SECONDS)
        except (QueueFull, TimeoutError):
            return await self.editions.current(edition_id), {}, now
        return state, {**self._known.of(state, now), **found}, now

    async def agenda(self, edition_id: str) -> AgendaState:
        """Return the present state of an edition. The caller does not change it."""
        return await self.editions.current(edition_id)

    async def _ask(self, edition_id: str, work: Callable[[DecisionInProgress], Answer], actor: str | None) -> Answer:
        query = Query(work, actor)
        decision = await transact(self.editions, edition_id, query)
        if decision.changes:
            self.improver.input_arrived(edition_id)
        return query.answer


def _log_confirmed(inputs: Sequence[Input], published: Sequence[Event]) -> None:
    """Log the encounters that changed together with a confirmed change: its preview can be compared with them."""
    for event in (received.event for received in inputs):
        if (token := getattr(event, "preview_token", None)) is not None:
            states = Counter(news.state.value for news in published if isinstance(news, EncounterChanged))
            _log.info("confirmed_change", edition=event.edition_id, thing=event.thing, token=token, **states)
