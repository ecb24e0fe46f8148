"""Endpoints of the agenda, answered by the scheduler: encounters, coverage, and edits by hand with their dry run."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

from services.registration.api.access import After, CurrentService, Limit, PathId, SchedulerClient, is_id
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.problems import rejections
from services.registration.api.replies import Tried
from services.registration.api.rights import needs
from services.registration.confirmation import Previewed, must_be_confirmed
from services.registration.domain.agenda import EditBreaksRules, EditFacts, MissingIfMatch, describe_breach
from services.registration.domain.errors import NotFound
from services.registration.internal_clients import InternalClient, ServiceDeclined
from services.registration.previews import PreviewView, preview_of_edit
from services.registration.service import OperatorService
from shared.access import Action
from shared.contract.ids import Id
from shared.internal_api.edit_errors import EDIT_ERRORS, WHAT_IF_ERRORS
from shared.internal_api.edits import BelowMinimum, BrokenRule, EditEffects, EncounterNow, GoalReached, More, WhatIf
from shared.internal_api.remedies import EncounterRemedy, describe

router = APIRouter(prefix="/editions/{edition_id}", tags=["agenda"])

_ETAG = re.compile(r'"([0-9a-f]{32})"')
_BROKEN_RULES = TypeAdapter(list[BrokenRule])


class EffectsView(EditEffects):
    """The effects of an edit, with the names of the participants concerned."""

    names: dict[str, str] = Field(description="By participant id.")


class Encounters(BaseModel):
    """A page of encounters, by id, with the names of their participants."""

    items: list[EncounterNow]
    names: dict[str, str] = Field(description="By participant id.")
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class RemedyView(EncounterRemedy):
    """An encounter now and the remedy of its wait, with names and in words."""

    names: dict[str, str] = Field(description="By participant id.")
    text: str = Field(description="The reason and the remedy in English sentences; empty if it does not wait.")


class Underserved(BaseModel):
    """A page of participants below the minimum of encounters, by id, with their names."""

    items: list[BelowMinimum]
    names: dict[str, str] = Field(description="By participant id.")
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class Goals(BaseModel):
    """The goals of the edition, in its order."""

    items: list[GoalReached]


async def _token(
    if_match: Annotated[str | None, Header(max_length=200)] = None,
    token: Annotated[
        str | None, Query(max_length=64, description="As `If-Match`: the token of the dry run, or `*`.")
    ] = None,
    *,
    dry_run: Annotated[
        bool, Query(description="`true` makes no edit, and returns its preview with the token.")
    ] = False,
) -> str | None:
    """Return the token that `?token=` or `If-Match` names, or `*`; None for a dry run.

    A token of unknown form matches nothing.
    """
    if dry_run:
        return None
    if token is not None:
        return token
    if if_match is None:
        raise MissingIfMatch("send If-Match with the ETag of the dry run; * makes the edit whatever its effects")
    found = _ETAG.search(if_match)
    return "*" if if_match.strip() == "*" else found[1] if found else "none"


Edit = Annotated[EditFacts, body_of(EditFacts)]


@router.get("/encounters")
@needs(Action.READ_AGENDA)
async def list_encounters(
    service: CurrentService,
    scheduler: SchedulerClient,
    edition_id: PathId,
    limit: Limit = 100,
    after: After = None,
    participant_id: Annotated[Id | None, Query(description="Only the encounters of this participant.")] = None,
) -> Encounters:
    """List the encounters as they are now: placed, held, missed, or waiting with the reason and the remedy.

    Remedies are sought for a second. `remedy_sought` is false for the rest: ask again, or for the remedy of one.
    """
    await service.editions.get(edition_id)
    query = _page_query(limit, after) | ({"participant_id": participant_id} if participant_id else {})
    answer = await scheduler.get(f"/editions/{edition_id}/encounters", query)
    items = [EncounterNow.model_validate(item) for item in answer["items"]]
    shown = items[:limit]
    concerned = {participant_id for encounter in shown for participant_id in _named_by(encounter)}
    names = await service.participants.names(edition_id, concerned)
    return Encounters(items=shown, names=names, next=shown[-1].encounter_id if len(items) > limit else None)


@router.get("/encounters/{encounter_id}/remedy")
@needs(Action.PLAN_AGENDA)
async def find_remedy(
    service: CurrentService, scheduler: SchedulerClient, edition_id: PathId, encounter_id: PathId
) -> RemedyView:
    """Return an encounter as it is now. If it waits, name the smallest change found that would place it.

    The change was tried on a copy of the agenda at `as_of`: more tables, an hour of a participant, a session to leave,
    a higher quota, an order or a lock to give up, a place by hand, a longer day, or several of these. A later answer
    may differ. 503 while too many remedies are being sought.
    """
    edition = await service.editions.get(edition_id)
    found = await remedy_of(scheduler, edition_id, encounter_id)
    names = await service.participants.names(edition_id, concerned_by(found))
    return RemedyView(
        **dict(found),
        names=names,
        text=describe(found.encounter.waiting_reason, found.remedy, names, ZoneInfo(edition.timezone)),
    )


@router.get("/below-minimum")
@needs(Action.PLAN_AGENDA)
async def list_below_minimum(
    service: CurrentService, scheduler: SchedulerClient, edition_id: PathId, limit: Limit = 100, after: After = None
) -> Underserved:
    """List the participants with fewer encounters than `quotas.min_encounters` and more that wait for a place.

    Among waiting encounters of the same priority, theirs are placed first. Participants who want fewer encounters
    than the minimum are not listed for that.
    """
    await service.editions.get(edition_id)
    answer = await scheduler.get(f"/editions/{edition_id}/below-minimum", _page_query(limit, after))
    items = [BelowMinimum.model_validate(item) for item in answer["items"]]
    shown = items[:limit]
    names = await service.participants.names(edition_id, (participant.participant_id for participant in shown))
    return Underserved(items=shown, names=names, next=shown[-1].participant_id if len(items) > limit else None)


@router.get("/goals")
@needs(Action.PLAN_AGENDA)
async def list_goals(service: CurrentService, scheduler: SchedulerClient, edition_id: PathId) -> Goals:
    """Count, by goal of the edition, the encounters that serve it: how many are wanted, how many have a place.

    An encounter that serves two goals counts for both.
    """
    await service.editions.get(edition_id)
    return Goals.model_validate(await scheduler.get(f"/editions/{edition_id}/goals", {}))


@router.get("/what-if", responses=rejections(WHAT_IF_ERRORS))
@needs(Action.PLAN_AGENDA)
async def what_if(
    service: CurrentService, scheduler: SchedulerClient, edition_id: PathId, more: Annotated[More, Query()]
) -> WhatIf:
    """Compute how many more encounters more tables, longer days or more days would allow, and an upper bound.

    The computation starts from the present agenda and changes nothing. Participants with stated times of presence
    are not available in the added time. It takes seconds; 503 while all solvers are busy, and 429 while two earlier
    questions of the operator are being computed.
    """
    await service.editions.get(edition_id)
    query = {name: str(value) for name, value in more.model_dump(exclude_none=True).items()}
    return WhatIf.model_validate(await scheduler.get(f"/editions/{edition_id}/what-if", query))


@router.post("/agenda/edits/dry-run", openapi_extra=body_docs(EditFacts), responses=rejections(EDIT_ERRORS))
@needs(Action.EDIT_AGENDA)
async def try_edit(
    service: CurrentService, scheduler: SchedulerClient, edition_id: PathId, asked: Edit, response: Response
) -> EffectsView:
    """Compute the effects of an edit without making it: moves, broken rules, and the participants who get a mail.

    The `ETag` identifies exactly these effects.
    """
    effects = await _send_edit(service, scheduler, edition_id, asked, None)
    response.headers["ETag"] = f'"{effects.token}"'
    return effects


@router.post("/agenda/edits", openapi_extra=body_docs(EditFacts), responses=rejections(EDIT_ERRORS))
@needs(Action.EDIT_AGENDA)
async def edit(
    request: Request,
    service: CurrentService,
    scheduler: SchedulerClient,
    edition_id: PathId,
    asked: Edit,
    token: Annotated[str | None, Depends(_token)],
) -> EffectsView | Tried:
    """Make an edit with the effects that its dry run showed; `?token=` is its token, or `If-Match` its `ETag`.

    412 if the agenda has changed so that the effects would differ; with `?token=` the answer holds the present preview.
    422 if a rule forbids it.
    """
    try:
        effects = await _send_edit(service, scheduler, edition_id, asked, token)
    except ServiceDeclined as declined:
        if declined.status != HTTPStatus.PRECONDITION_FAILED or "token" not in request.query_params:
            raise
        effects = await _send_edit(service, scheduler, edition_id, asked, None)
        must_be_confirmed(str(token), _previewed(effects))
        raise
    previewed = _previewed(effects)
    return effects if token is not None else Tried(token=previewed.token, preview=previewed.preview)


def _previewed(effects: EffectsView) -> Previewed[PreviewView]:
    return Previewed(effects.token, preview_of_edit(effects, effects.names))


async def remedy_of(scheduler: InternalClient, edition_id: str, encounter_id: str) -> EncounterRemedy:
    """Ask the scheduler for an encounter and its remedy."""
    if not is_id(encounter_id):
        raise NotFound("there is no such encounter")
    return EncounterRemedy.model_validate(
        await scheduler.get(f"/editions/{edition_id}/encounters/{encounter_id}/remedy")
    )


def concerned_by(found: EncounterRemedy) -> set[str]:
    """Return the ids of all participants that an answer names."""
    return _named_by(found.encounter.model_copy(update={"remedy": found.remedy}))


def _named_by(encounter: EncounterNow) -> set[str]:
    steps = encounter.remedy.steps if encounter.remedy else ()
    return {*encounter.participant_ids, *(step.participant_id for step in steps if step.participant_id)}


def _page_query(limit: int, after: str | None) -> dict[str, str]:
    """Return the query for a page and an item more, which tells whether there is a next page."""
    return {"limit": str(limit + 1), "after": after or ""}


async def _send_edit(
    service: OperatorService, scheduler: InternalClient, edition_id: str, asked: EditFacts, token: str | None
) -> EffectsView:
    await service.editions.get(edition_id)
    actor = service.unit_of_work.principal.actor
    body = {"edit": asked.edit.model_dump(mode="json"), "token": token}
    try:
        effects = EditEffects.model_validate(await scheduler.post(f"/editions/{edition_id}/edits", body, actor))
    except ServiceDeclined as declined:
        broken = _BROKEN_RULES.validate_python(declined.more.get("broken", []))
        if not broken:
            raise
        concerned = [participant_id for rule in broken for participant_id in rule.participant_ids]
        names = await service.participants.names(edition_id, concerned)
        raise EditBreaksRules(*(describe_breach(rule, names) for rule in broken)) from declined
    names = await service.participants.names(edition_id, _concerned(effects))
    return EffectsView(**dict(effects), names=names)


def _concerned(effects: EditEffects) -> set[str]:
    """Return the ids of all participants that the effects of an edit name."""
    concerned = {
        *effects.mailed,
        *(participant_id for rule in effects.broken for participant_id in rule.participant_ids),
    }
    for encounter in effects.encounters:
        concerned |= {*encounter.participant_ids_before, *encounter.participant_ids_after}
    return concerned
