"""Endpoints of the agenda: the encounters as they are, and edits by hand, tried first. The scheduler answers them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import BaseModel, Field, TypeAdapter

from services.registration.api.access import After, AskScheduler, CurrentDesk, Limit, PathId
from services.registration.api.bodies import body_of, takes
from services.registration.domain.day import BreaksRules, EditFacts, Unguarded, breach
from services.registration.domain.participant import Participant
from services.registration.peers import InternalClient, PeerDeclined
from services.registration.problems import rejections
from services.registration.service import OperatorService
from shared.contract.ids import Id
from shared.internal_api.edit_errors import EDIT_ERRORS, WHAT_IF_ERRORS
from shared.internal_api.edits import BelowMinimum, BrokenRule, EditEffects, EncounterNow, GoalReached, More, WhatIf

router = APIRouter(prefix="/editions/{edition_id}", tags=["agenda"])

_ETAG = re.compile(r'"([0-9a-f]{32})"')
_BROKEN = TypeAdapter(list[BrokenRule])


class EffectsView(EditEffects):
    """All that an edit leads to, with the names of whom it concerns."""

    names: dict[str, str] = Field(description="By participant id.")


class Encounters(BaseModel):
    """Some of the encounters, by id, with the names of those who meet."""

    items: list[EncounterNow]
    names: dict[str, str] = Field(description="By participant id.")
    next: str | None = Field(description="What to send as `after` for the next page; null on the last.")


class Underserved(BaseModel):
    """Some of those with too few encounters, by id, with their names."""

    items: list[BelowMinimum]
    names: dict[str, str] = Field(description="By participant id.")
    next: str | None = Field(description="What to send as `after` for the next page; null on the last.")


class Goals(BaseModel):
    """The edition's goals, in its order."""

    items: list[GoalReached]


def _token(if_match: Annotated[str | None, Header(max_length=200)] = None) -> str:
    """The token that `If-Match` names, or `*`; one that is none of ours matches nothing."""
    if if_match is None:
        raise Unguarded("send If-Match with the ETag of the dry run; * makes the edit whatever it leads to")
    found = _ETAG.search(if_match)
    return "*" if if_match.strip() == "*" else found[1] if found else "none"


Edit = Annotated[EditFacts, body_of(EditFacts)]


@router.get("/encounters")
async def list_encounters(
    desk: CurrentDesk,
    scheduler: AskScheduler,
    edition_id: PathId,
    limit: Limit = 100,
    after: After = None,
    participant_id: Annotated[Id | None, Query(description="Of this participant alone.")] = None,
) -> Encounters:
    """The edition's encounters as they are now: placed, waiting with their reason, held or missed."""
    await desk.edition(edition_id)
    of_one = {"participant_id": participant_id} if participant_id else {}
    found = await scheduler.get(f"/editions/{edition_id}/encounters", _page(limit, after) | of_one)
    items = [EncounterNow.model_validate(each) for each in found["items"]]
    shown = items[:limit]
    names = await _names(desk, edition_id, (person for each in shown for person in each.participant_ids))
    return Encounters(items=shown, names=names, next=shown[-1].encounter_id if len(items) > limit else None)


@router.get("/below-minimum")
async def list_below_minimum(
    desk: CurrentDesk, scheduler: AskScheduler, edition_id: PathId, limit: Limit = 100, after: After = None
) -> Underserved:
    """Who has fewer encounters now than `quotas.min_encounters`, and waits for a place for another.

    Of the same priority, they are served before all others. Who wants fewer than the minimum is not below it for that.
    """
    await desk.edition(edition_id)
    found = await scheduler.get(f"/editions/{edition_id}/below-minimum", _page(limit, after))
    items = [BelowMinimum.model_validate(each) for each in found["items"]]
    shown = items[:limit]
    names = await _names(desk, edition_id, (each.participant_id for each in shown))
    return Underserved(items=shown, names=names, next=shown[-1].participant_id if len(items) > limit else None)


@router.get("/goals")
async def list_goals(desk: CurrentDesk, scheduler: AskScheduler, edition_id: PathId) -> Goals:
    """How many of the encounters that serve each goal of the edition have a place now, and how many are wanted.

    One that serves both goals counts for both.
    """
    await desk.edition(edition_id)
    return Goals.model_validate(await scheduler.get(f"/editions/{edition_id}/goals", {}))


@router.get("/what-if", responses=rejections(WHAT_IF_ERRORS))
async def what_if(
    desk: CurrentDesk, scheduler: AskScheduler, edition_id: PathId, more: Annotated[More, Query()]
) -> WhatIf:
    """How many more encounters there would be with more tables, longer days or more days, and how many at most.

    From the agenda as it is; nothing is changed. Who has said when they are there is not there any longer for it. It
    takes seconds; 503 if all who could find out are busy.
    """
    await desk.edition(edition_id)
    asked = {name: str(value) for name, value in more.model_dump(exclude_none=True).items()}
    return WhatIf.model_validate(await scheduler.get(f"/editions/{edition_id}/what-if", asked))


@router.post("/agenda/edits/dry-run", openapi_extra=takes(EditFacts), responses=rejections(EDIT_ERRORS))
async def try_edit(
    desk: CurrentDesk, scheduler: AskScheduler, edition_id: PathId, asked: Edit, response: Response
) -> EffectsView:
    """What an edit would lead to: who moves, what breaks, which rules forbid it, who gets a mail. Changes nothing.

    The `ETag` names just these effects.
    """
    effects = await _ask(desk, scheduler, edition_id, asked, None)
    response.headers["ETag"] = f'"{effects.token}"'
    return effects


@router.post("/agenda/edits", openapi_extra=takes(EditFacts), responses=rejections(EDIT_ERRORS))
async def edit(
    desk: CurrentDesk, scheduler: AskScheduler, edition_id: PathId, asked: Edit, token: Annotated[str, Depends(_token)]
) -> EffectsView:
    """Make an edit with the effects that its dry run showed: `If-Match` is the `ETag` of that.

    412 if the agenda has changed so that it would lead to anything else: try again. 422 if a rule forbids it.
    """
    return await _ask(desk, scheduler, edition_id, asked, token)


def _page(limit: int, after: str | None) -> dict[str, str]:
    """What to ask for a page, and one more to see whether there is another."""
    return {"limit": str(limit + 1), "after": after or ""}


async def _ask(
    desk: OperatorService, scheduler: InternalClient, edition_id: str, asked: EditFacts, token: str | None
) -> EffectsView:
    await desk.edition(edition_id)
    body = {"edit": asked.edit.model_dump(mode="json"), "token": token}
    try:
        effects = EditEffects.model_validate(await scheduler.post(f"/editions/{edition_id}/edits", body))
    except PeerDeclined as declined:
        broken = _BROKEN.validate_python(declined.more.get("broken", []))
        if not broken:
            raise
        names = await _names(desk, edition_id, (person for rule in broken for person in rule.participant_ids))
        raise BreaksRules(*(breach(rule, names) for rule in broken)) from declined
    concerned = [*effects.mailed, *(person for rule in effects.broken for person in rule.participant_ids)]
    for each in effects.encounters:
        concerned += [*each.participant_ids_before, *each.participant_ids_after]
    return EffectsView(**dict(effects), names=await _names(desk, edition_id, concerned))


async def _names(desk: OperatorService, edition_id: str, participant_ids: Iterable[str]) -> dict[str, str]:
    ids = sorted(set(participant_ids))
    found = await desk.records.things.find_many(Participant, edition_id, ids) if ids else {}
    return {participant_id: participant.name for participant_id, participant in sorted(found.items())}
