"""Endpoints that put or delete a member of a list, without the rest of the list.

Concurrent requests of two organisers both count. `If-Match` is not needed; it is honoured. A change is tried with
`?dry_run=true`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.registration.api.access import CurrentService, Gate, OptionalIfMatch, PathId
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.replies import WarnedEdition, WarnedOrganisation, WarnedParticipant, outcome, tried_or
from services.registration.api.rights import needs
from services.registration.domain import members
from services.registration.domain.edition import SessionFacts, ZoneFacts
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}", tags=["members"])


Label = Annotated[str, Path(max_length=1000, description="The label of the table; a `/` in it is sent as it is.")]


@router.put("/zones/{zone_id}", responses=tried_or(WarnedEdition), openapi_extra=body_docs(ZoneFacts))
@needs(Action.CHANGE_EDITIONS)
async def put_zone(
    service: CurrentService,
    edition_id: PathId,
    zone_id: PathId,
    revisions: OptionalIfMatch,
    gate: Gate,
    zone: Annotated[ZoneFacts, body_of(ZoneFacts)],
) -> Response:
    """Add a zone, or replace the zone of that id with its tables."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.put_zone(zone_id, zone), revisions)
    )


@router.delete("/zones/{zone_id}", responses=tried_or(WarnedEdition))
@needs(Action.CHANGE_EDITIONS)
async def delete_zone(
    service: CurrentService, edition_id: PathId, zone_id: PathId, revisions: OptionalIfMatch, gate: Gate
) -> Response:
    """Remove a zone. A repeated request changes nothing."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.remove_zone(zone_id), revisions)
    )


@router.put("/zones/{zone_id}/tables/{table:path}", responses=tried_or(WarnedEdition))
@needs(Action.CHANGE_EDITIONS)
async def put_table(
    service: CurrentService, edition_id: PathId, zone_id: PathId, table: Label, revisions: OptionalIfMatch, gate: Gate
) -> Response:
    """Add a table to a zone, after its tables. A repeated request changes nothing."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.put_table(zone_id, table), revisions)
    )


@router.delete("/zones/{zone_id}/tables/{table:path}", responses=tried_or(WarnedEdition))
@needs(Action.CHANGE_EDITIONS)
async def delete_table(
    service: CurrentService, edition_id: PathId, zone_id: PathId, table: Label, revisions: OptionalIfMatch, gate: Gate
) -> Response:
    """Remove a table from a zone. A repeated request changes nothing."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.remove_table(zone_id, table), revisions)
    )


@router.put("/sessions/{session_id}", responses=tried_or(WarnedEdition), openapi_extra=body_docs(SessionFacts))
@needs(Action.CHANGE_EDITIONS)
async def put_session(
    service: CurrentService,
    edition_id: PathId,
    session_id: PathId,
    revisions: OptionalIfMatch,
    gate: Gate,
    session: Annotated[SessionFacts, body_of(SessionFacts)],
) -> Response:
    """Add a session, or replace the session of that id."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.put_session(session_id, session), revisions)
    )


@router.delete("/sessions/{session_id}", responses=tried_or(WarnedEdition))
@needs(Action.CHANGE_EDITIONS)
async def delete_session(
    service: CurrentService, edition_id: PathId, session_id: PathId, revisions: OptionalIfMatch, gate: Gate
) -> Response:
    """Remove a session. A repeated request changes nothing."""
    return await outcome(
        service, gate, await service.editions.change(edition_id, members.remove_session(session_id), revisions)
    )


def _add_list_of_participant(name: str, field: str, docs: str) -> None:
    """Add the routes that put an id into a list of a participant, and delete it from there."""
    path = f"/participants/{{participant_id}}/{name}/{{member_id}}"

    @router.put(path, name=f"put_{field}", responses=tried_or(WarnedParticipant), description=docs)
    @needs(Action.CHANGE_PARTIES)
    async def put(
        service: CurrentService,
        edition_id: PathId,
        participant_id: PathId,
        member_id: PathId,
        revisions: OptionalIfMatch,
        gate: Gate,
    ) -> Response:
        patch_of = members.put_id(field, member_id)
        return await outcome(
            service, gate, await service.participants.change(edition_id, participant_id, patch_of, revisions)
        )

    @router.delete(path, name=f"delete_{field}", responses=tried_or(WarnedParticipant), description=f"Undo: {docs}")
    @needs(Action.CHANGE_PARTIES)
    async def delete(
        service: CurrentService,
        edition_id: PathId,
        participant_id: PathId,
        member_id: PathId,
        revisions: OptionalIfMatch,
        gate: Gate,
    ) -> Response:
        patch_of = members.remove_id(field, member_id)
        return await outcome(
            service, gate, await service.participants.change(edition_id, participant_id, patch_of, revisions)
        )


_add_list_of_participant("sessions", "session_ids", "Have a participant attend a session.")
_add_list_of_participant("blocks", "blocked_ids", "Block a participant or an organisation for a participant.")
_add_list_of_participant("declines", "declined_ids", "Note that a participant declined a proposed partner.")


@router.put("/organisations/{organisation_id}/competitors/{competitor_id}", responses=tried_or(WarnedOrganisation))
@needs(Action.CHANGE_PARTIES)
async def put_competitor(
    service: CurrentService,
    edition_id: PathId,
    organisation_id: PathId,
    competitor_id: PathId,
    revisions: OptionalIfMatch,
    gate: Gate,
) -> Response:
    """Add a competitor. A repeated request changes nothing."""
    patch_of = members.put_id("competitor_ids", competitor_id)
    return await outcome(
        service, gate, await service.organisations.change(edition_id, organisation_id, patch_of, revisions)
    )


@router.delete("/organisations/{organisation_id}/competitors/{competitor_id}", responses=tried_or(WarnedOrganisation))
@needs(Action.CHANGE_PARTIES)
async def delete_competitor(
    service: CurrentService,
    edition_id: PathId,
    organisation_id: PathId,
    competitor_id: PathId,
    revisions: OptionalIfMatch,
    gate: Gate,
) -> Response:
    """Remove a competitor. A repeated request changes nothing."""
    patch_of = members.remove_id("competitor_ids", competitor_id)
    return await outcome(
        service, gate, await service.organisations.change(edition_id, organisation_id, patch_of, revisions)
    )
