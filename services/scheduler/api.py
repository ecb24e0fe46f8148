"""HTTP in, on the internal API: requests that registration makes for an organiser."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
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
from services.scheduler.domain.organiser.edit_plan import EditPlan, RulesBroken, StalePlan
from services.scheduler.domain.organiser.edit_targets import arrangement_of
from services.scheduler.domain.organiser.edits import mailed_participants
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.state import AgendaState
from services.scheduler.previews import BaseOutdated, Behind
from services.scheduler.service import Scheduler
from services.scheduler.solver.pool import SolverBusy, SolverFailed
from shared.contract.events import EncounterState, Remedy
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
from shared.internal_api.previews import LARGEST_PREVIEW, FactsToPreview
from shared.internal_api.remedies import EncounterRemedy
from shared.internal_api.server import Declined, actor_of, body_of
from shared.runtime.fair_turns import QueueFull


class EditRequest(BaseModel):
    """An edit, and the token of its planned effects. An edit without a token is planned, not applied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edit: Edit
    token: str | None = None


class PageRequest(BaseModel):
    """A page of a list sorted by id: up to `limit` items after the id `after`, of a single participant if given."""

    after: str = ""
    limit: int = Field(default=100, ge=1, le=1000)
    participant_id: str | None = None


Parameters = TypeVar("Parameters", bound=BaseModel)
_List = Callable[[AgendaState, PageRequest], Iterable[BaseModel]]


def routes_of(scheduler: Scheduler) -> list[BaseRoute]:
    """Return the routes of the scheduler's internal API."""

    async def edits(request: Request) -> Response:
        edit_request = await body_of(request, EditRequest)
        edition_id = request.path_params["edition_id"]
        try:
            if edit_request.token is None:
                state, plan = await scheduler.plan_edit(edition_id, edit_request.edit)
            else:
                state, plan = await scheduler.apply_edit(
                    edition_id, edit_request.edit, edit_request.token, actor_of(request)
                )
        except EditRejected as rejected:
            _decline(rejected)
        except StalePlan as stale:
            raise Declined(412, "stale", str(stale)) from stale
        except RulesBroken as broken:
            effects = effects_of(await scheduler.agenda(edition_id), broken.plan)
            rules = [rule.model_dump(mode="json") for rule in effects.broken]
            raise Declined(422, "rules-broken", f"the edit would break: {broken}", broken=rules) from broken
        return JSONResponse(effects_of(state, plan).model_dump(mode="json"))

    async def attendance(request: Request) -> Response:
        report = await body_of(request, AttendanceReport)
        edition_id, encounter_id = request.path_params["edition_id"], request.path_params["encounter_id"]
        try:
            effects = await scheduler.record_attendance(edition_id, encounter_id, report, actor_of(request))
        except EditRejected as rejected:
            _decline(rejected)
        return JSONResponse(effects.model_dump(mode="json"))

    async def encounters(request: Request) -> Response:
        edition_id, page = request.path_params["edition_id"], _query_of(request, PageRequest)
        state, remedies, now = await scheduler.remedies(edition_id, lambda state: pairs_of(state, page).values())
        items = encounters_of(state, page, now, remedies)
        return JSONResponse({"items": [item.model_dump(mode="json") for item in items]})

    listing = partial(_listing, scheduler)
    return [
        Route("/editions/{edition_id}/below-minimum", listing(below_minimum_of)),
        Route("/editions/{edition_id}/edits", edits, methods=["POST"]),
        Route("/editions/{edition_id}/encounters", encounters),
        Route("/editions/{edition_id}/encounters/{encounter_id}/attendance", attendance, methods=["POST"]),
        Route("/editions/{edition_id}/encounters/{encounter_id}/remedy", _remedy(scheduler)),
        Route("/editions/{edition_id}/goals", listing(lambda state, _: goals_of(state))),
        Route("/editions/{edition_id}/previews", _previews(scheduler), methods=["POST"]),
        Route("/editions/{edition_id}/what-if", _what_if(scheduler)),
    ]


def _remedy(scheduler: Scheduler) -> Callable[[Request], Awaitable[Response]]:
    async def remedy(request: Request) -> Response:
        edition_id, encounter_id = request.path_params["edition_id"], request.path_params["encounter_id"]
        try:
            state, pair_id, found, now = await scheduler.remedy(edition_id, encounter_id)
        except EditRejected as rejected:
            _decline(rejected)
        except (QueueFull, TimeoutError) as full:
            raise Declined(503, "busy", "too many remedies are being sought; ask again in a moment") from full
        encounter = _now(state, pair_id, encounter_id, now, {pair_id: found})
        return JSONResponse(EncounterRemedy(encounter=encounter, remedy=found, as_of=now).model_dump(mode="json"))

    return remedy


def _what_if(scheduler: Scheduler) -> Callable[[Request], Awaitable[Response]]:
    async def what_if(request: Request) -> Response:
        more = _query_of(request, More)
        try:
            gain = await scheduler.what_if(request.path_params["edition_id"], more)
        except EditRejected as rejected:
            _decline(rejected)
        except QueueFull as full:
            detail = "what-if questions of yours are still being computed; ask again when one is answered"
            raise Declined(429, "too-many-requests", detail) from full
        except (SolverBusy, SolverFailed) as busy:
            raise Declined(503, "busy", str(busy)) from busy
        return JSONResponse(gain.model_dump(mode="json"))

    return what_if


def _previews(scheduler: Scheduler) -> Callable[[Request], Awaitable[Response]]:
    async def previews(request: Request) -> Response:
        facts = await body_of(request, FactsToPreview, LARGEST_PREVIEW)
        try:
            preview = await scheduler.preview(request.path_params["edition_id"], facts)
        except BaseOutdated as outdated:
            raise Declined(409, "overtaken", str(outdated)) from outdated
        except Behind as behind:
            raise Declined(503, "behind", str(behind)) from behind
        except (QueueFull, TimeoutError) as busy:
            raise Declined(503, "busy", "too many previews are in hand") from busy
        return JSONResponse(preview.model_dump(mode="json"))

    return previews


def _listing(scheduler: Scheduler, items_of: _List) -> Callable[[Request], Awaitable[Response]]:
    async def listing(request: Request) -> Response:
        state = await scheduler.agenda(request.path_params["edition_id"])
        items = [item.model_dump(mode="json") for item in items_of(state, _query_of(request, PageRequest))]
        return JSONResponse({"items": items})

    return listing


def effects_of(state: AgendaState, plan: EditPlan) -> EditEffects:
    """Return a plan with encounter ids in place of pair ids."""
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
                rule=violation.rule,
                encounter_ids=tuple(map(state.encounter_id, violation.pair_ids)),
                participant_ids=_people(state, plan, violation.pair_ids),
            )
            for violation in plan.violations
        ),
        mailed=tuple(mailed_participants(state, plan)),
        idle_slots=plan.idle,
        announced=state.announced,
        placed=sum(pair not in plan.after for pair in state.placements)
        + sum(before.place is not None for before in plan.before.values()),
    )


def encounters_of(
    state: AgendaState, page: PageRequest, now: datetime, remedies: Mapping[str, Remedy | None]
) -> list[EncounterNow]:
    """List the encounters of a page that have a place, wait for a place, or are over. `remedies` are by pair."""
    return [_now(state, pair, encounter_id, now, remedies) for encounter_id, pair in pairs_of(state, page).items()]


def pairs_of(state: AgendaState, page: PageRequest) -> dict[str, str]:
    """Return the pairs of a page by encounter."""
    if page.participant_id is None:
        pairs: Iterable[str] = state.pairs_by_encounter.values()
    else:
        pairs = state.links.pairs_of.get(page.participant_id, ())
    ids = {state.encounter_id(pair): pair for pair in pairs if _is_listed(state, pair)}
    chosen = heapq.nsmallest(page.limit, (encounter_id for encounter_id in ids if encounter_id > page.after))
    return {encounter_id: ids[encounter_id] for encounter_id in chosen}


def below_minimum_of(state: AgendaState, page: PageRequest) -> list[BelowMinimum]:
    """List the participants of a page below the edition's minimum of encounters."""
    rates = ((person_id, rate) for person_id, rate in below_minimum(state).items() if person_id > page.after)
    least = state.min_encounters or 0
    return [
        BelowMinimum(participant_id=person_id, placed=rate.placed, wanted=rate.wanted, least=least)
        for person_id, rate in islice(rates, page.limit)
    ]


def goals_of(state: AgendaState) -> list[GoalReached]:
    """List the edition's goals in its order, with the numbers of encounters placed and wanted."""
    rates = fill_rates_by_goal(state)
    return [GoalReached(goal=goal, placed=rate.placed, wanted=rate.wanted) for goal, rate in rates.items()]


def _query_of(request: Request, kind: type[Parameters]) -> Parameters:
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise Declined(422, "invalid", str(error)) from error


def _now(
    state: AgendaState, pair: str, encounter_id: str, now: datetime, remedies: Mapping[str, Remedy | None]
) -> EncounterNow:
    arranged, attended, published = arrangement_of(state, pair), state.attended.get(pair), state.encounters.get(pair)
    arranged_state = published.state if published else EncounterState.SCHEDULED
    return EncounterNow(
        encounter_id=encounter_id,
        participant_ids=arranged.people,
        state=attended.outcome if attended else EncounterState.WAITING if arranged.reason else arranged_state,
        place=attended.place if attended else arranged.place,
        waiting_reason=arranged.reason,
        is_locked=arranged.is_locked,
        is_frozen=arranged.place is not None and timing.is_frozen(state, arranged.place, now),
        comes_after=_encounter_ids(state, arranged.comes_after),
        remedy=remedies.get(pair) if arranged.reason else None,
        remedy_sought=arranged.reason is not None and pair in remedies,
        absent_ids=attended.absent_ids if attended else (),
    )


def _encounter_ids(state: AgendaState, pairs: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(map(state.encounter_id, pairs)))


def _is_listed(state: AgendaState, pair: str) -> bool:
    return pair in state.placements or pair in state.waiting or pair in state.attended


def _people(state: AgendaState, plan: EditPlan, pair_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the people who would meet in these encounters, sorted."""
    groups = (plan.after[pair].people if pair in plan.after else state.pairs[pair].people for pair in pair_ids)
    return tuple(sorted({person_id for people in groups for person_id in people}))


def _decline(rejected: EditRejected) -> NoReturn:
    raise Declined(rejected.code.status, rejected.code.value, str(rejected)) from rejected
