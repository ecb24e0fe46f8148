"""HTTP in, behind the door: what registration asks for an organiser; each is read, put to a use case, answered."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from functools import partial
from itertools import islice
from typing import NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.scheduler.domain import timing
from services.scheduler.domain.objective.fill_rates import below_minimum, fill_rates_by_goal
from services.scheduler.domain.organiser.attendance import AttendanceReport
from services.scheduler.domain.organiser.edits import EditPlan, RulesBroken, StalePlan, mailed_participants
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.state import AgendaState
from services.scheduler.service import Scheduler
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.events import EncounterState
from shared.internal_api.edits import (
    BelowMinimum,
    BrokenRule,
    Edit,
    EditEffects,
    EncounterEffect,
    EncounterNow,
    GoalReached,
    More,
)
from shared.internal_api.server import Declined, body_of


class EditAsked(BaseModel):
    """An edit, and the token of the effects it was shown to have; without one it is tried only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edit: Edit
    token: str | None = None


class Page(BaseModel):
    """What to show: up to `limit` beyond `after`, by id; encounters of one participant if given."""

    after: str = ""
    limit: int = Field(default=100, ge=1, le=1000)
    participant_id: str | None = None


Query = TypeVar("Query", bound=BaseModel)
_Shown = Callable[[AgendaState, Page], Iterable[BaseModel]]


def routes_of(scheduler: Scheduler) -> list[BaseRoute]:
    """What the scheduler can be asked."""

    async def edits(request: Request) -> Response:
        asked = await body_of(request, EditAsked)
        edition_id = request.path_params["edition_id"]
        try:
            if asked.token is None:
                state, plan = await scheduler.plan_edit(edition_id, asked.edit)
            else:
                state, plan = await scheduler.apply_edit(edition_id, asked.edit, asked.token)
        except EditRejected as refused:
            _decline(refused)
        except StalePlan as stale:
            raise Declined(412, "stale", str(stale)) from stale
        except RulesBroken as broken:
            effects = effects_of(await scheduler.agenda(edition_id), broken.plan)
            rules = [each.model_dump(mode="json") for each in effects.broken]
            raise Declined(422, "rules-broken", f"it would break: {broken}", broken=rules) from broken
        return JSONResponse(effects_of(state, plan).model_dump(mode="json"))

    async def attendance(request: Request) -> Response:
        reported = await body_of(request, AttendanceReport)
        edition_id, encounter_id = request.path_params["edition_id"], request.path_params["encounter_id"]
        try:
            noted = await scheduler.record_attendance(edition_id, encounter_id, reported)
        except EditRejected as refused:
            _decline(refused)
        return JSONResponse(noted.model_dump(mode="json"))

    def encounters(state: AgendaState, page: Page) -> list[EncounterNow]:
        return encounters_of(state, page, scheduler.clock())

    listing = partial(_listing, scheduler)
    return [
        Route("/editions/{edition_id}/below-minimum", listing(below_minimum_of)),
        Route("/editions/{edition_id}/edits", edits, methods=["POST"]),
        Route("/editions/{edition_id}/encounters", listing(encounters)),
        Route("/editions/{edition_id}/encounters/{encounter_id}/attendance", attendance, methods=["POST"]),
        Route("/editions/{edition_id}/goals", listing(lambda state, _: goals_of(state))),
        Route("/editions/{edition_id}/what-if", _what_if(scheduler)),
    ]


def _what_if(scheduler: Scheduler) -> Callable[[Request], Awaitable[Response]]:
    async def what_if(request: Request) -> Response:
        more = _query_of(request, More)
        try:
            gain = await scheduler.what_if(request.path_params["edition_id"], more)
        except EditRejected as refused:
            _decline(refused)
        except (SolverBusy, SolverFailed) as busy:
            raise Declined(503, "busy", str(busy)) from busy
        return JSONResponse(gain.model_dump(mode="json"))

    return what_if


def _listing(scheduler: Scheduler, shown: _Shown) -> Callable[[Request], Awaitable[Response]]:
    async def listing(request: Request) -> Response:
        state = await scheduler.agenda(request.path_params["edition_id"])
        items = [each.model_dump(mode="json") for each in shown(state, _query_of(request, Page))]
        return JSONResponse({"items": items})

    return listing


def effects_of(state: AgendaState, plan: EditPlan) -> EditEffects:
    """A plan as it is shown: encounters by their ids."""
    return EditEffects(
        token=plan.token,
        encounters=tuple(
            EncounterEffect(
                encounter_id=state.encounter_id(pair),
                before=plan.before[pair].place,
                after=after.place,
                participant_ids_before=plan.before[pair].people,
                participant_ids_after=after.people,
                waiting_reason=after.reason,
                is_locked=after.is_locked,
                comes_after=_encounter_ids(state, after.comes_after),
            )
            for pair, after in plan.after.items()
        ),
        broken=tuple(
            BrokenRule(
                rule=each.rule,
                encounter_ids=tuple(map(state.encounter_id, each.pair_ids)),
                participant_ids=_people(state, plan, each.pair_ids),
            )
            for each in plan.violations
        ),
        mailed=tuple(mailed_participants(state, plan)),
        idle_slots=plan.idle,
    )


def encounters_of(state: AgendaState, page: Page, now: datetime) -> list[EncounterNow]:
    """The encounters of a page: those that have a place, wait for one, or are over."""
    if page.participant_id is None:
        pairs: Iterable[str] = state.pairs_by_encounter.values()
    else:
        pairs = state.links.pairs_of.get(page.participant_id, ())
    ids = {state.encounter_id(pair): pair for pair in pairs if _is_shown(state, pair)}
    chosen = heapq.nsmallest(page.limit, (each for each in ids if each > page.after))
    return [_now(state, ids[each], each, now) for each in chosen]


def below_minimum_of(state: AgendaState, page: Page) -> list[BelowMinimum]:
    """Who has fewer encounters than everybody should have: those of a page."""
    few = ((each, served) for each, served in below_minimum(state).items() if each > page.after)
    return [
        BelowMinimum(participant_id=each, placed=served.placed, wanted=served.wanted, least=state.min_encounters or 0)
        for each, served in islice(few, page.limit)
    ]


def goals_of(state: AgendaState) -> list[GoalReached]:
    """How far the edition has come with each of its goals, in its order."""
    reached = fill_rates_by_goal(state)
    return [GoalReached(goal=goal, placed=served.placed, wanted=served.wanted) for goal, served in reached.items()]


def _query_of(request: Request, kind: type[Query]) -> Query:
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise Declined(422, "invalid", str(error)) from error


def _now(state: AgendaState, pair: str, encounter_id: str, now: datetime) -> EncounterNow:
    arranged, attended, told = state.arrangement(pair), state.attended.get(pair), state.encounters.get(pair)
    untold = EncounterState.SCHEDULED if arranged.place else EncounterState.WAITING
    return EncounterNow(
        encounter_id=encounter_id,
        participant_ids=arranged.people,
        state=attended.outcome if attended else told.state if told else untold,
        place=attended.place if attended else arranged.place,
        waiting_reason=arranged.reason,
        is_locked=arranged.is_locked,
        is_frozen=arranged.place is not None and timing.is_frozen(state, arranged.place, now),
        comes_after=_encounter_ids(state, arranged.comes_after),
    )


def _encounter_ids(state: AgendaState, pairs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(state.encounter_id, pairs)))


def _is_shown(state: AgendaState, pair: str) -> bool:
    return pair in state.placements or pair in state.waiting or pair in state.attended


def _people(state: AgendaState, plan: EditPlan, pair_ids: Iterable[str]) -> tuple[str, ...]:
    """Who would meet in these encounters."""
    met = (plan.after[pair].people if pair in plan.after else state.pairs[pair].people for pair in pair_ids)
    return tuple(sorted({person for people in met for person in people}))


def _decline(refused: EditRejected) -> NoReturn:
    raise Declined(refused.code.status, refused.code.value, str(refused)) from refused
