"""Use cases of merges of organisations: the participants of a duplicate move to the kept organisation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import BaseModel, Field

from services.registration.amendments import Amendments, merge_amendment
from services.registration.confirmation import Previewed, token_of
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, FieldError, changed_since
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import must_be_active
from services.registration.service import OperatorService
from services.registration.use_cases.merge_parts import (
    Merge,
    MergeCollision,
    changes_of,
    giving_back,
    is_confirmed,
    must_not_be_tried,
    two_of,
)
from shared.contract.events import EarlierEncounters, Status
from shared.contract.ids import Id

#: Texts that a merge fills if they are empty. An undoing empties them, if the text is still the same.
_FILLED_FIELDS: Final = ("region", "delegation", "website", "description", "booth", "phone", "external_id")
#: Lists of both organisations, with the most members.
_LISTS: Final = {"codes": 30, "competitor_ids": 100, "met_before": 200}


class OrganisationMergePreview(BaseModel):
    """The effects of a merge of organisations, before it is made."""

    kept_id: Id
    merged_id: Id
    fields: list[str] = Field(description="Fields of the kept organisation that change.")
    moved_participants: list[Id] = Field(description="Participants who move to the kept organisation.")
    conflicts: list[MergeCollision] = Field(
        description="`colleagues-asked`: requests between people of the two, which get no encounter from then on."
    )


class OrganisationMergeService:
    """Use cases of merges of organisations."""

    def __init__(self, service: OperatorService, amendments: Amendments) -> None:
        self._gate = service.unit_of_work.gate
        self._amendments = amendments
        self._service = service.confirmed_as_a_whole()
        self._unit = self._service.unit_of_work

    async def merge(
        self, edition_id: str, kept_id: str, merged_id: str
    ) -> Merge[Organisation, OrganisationMergePreview]:
        """Merge an organisation into the kept organisation, once the sender has confirmed the preview.

        A repeated merge finishes the work that a crash has left, and changes nothing else.

        Raises:
            PreviewRequired, PreviewStale: the preview is not confirmed, or has changed.
            NotFound: there is no such organisation.
            Conflict: either is cancelled or merged already, or the edition is closed.
            Invalid: both ids are the same.
        """
        await self._service.editions.get_changeable(edition_id)
        kept, merged = await two_of(self._unit, Organisation, edition_id, kept_id, merged_id)
        moving = await self._people(edition_id, merged_id)
        preview = OrganisationMergePreview(
            kept_id=kept_id,
            merged_id=merged_id,
            fields=sorted(_merged_fields(kept, merged)),
            moved_participants=[participant.id for participant in moving],
            conflicts=await self._colleagues(edition_id, kept_id, moving),
        )
        previewed = Previewed(token_of(kept.revision, merged.revision, preview), preview)
        if not is_confirmed(self._gate, previewed, "a merge moves people and ends encounters between them"):
            return Merge(kept, previewed, is_made=False)
        after = await self._write(kept, merged, preview.moved_participants, self._gate.token)
        return Merge(after, previewed, is_made=True)

    async def _people(self, edition_id: str, organisation_id: str) -> list[Participant]:
        """List the active participants of an organisation, by id."""
        return [
            participant
            async for participant in self._unit.repository.all_of(
                Participant, edition_id, {"organisation_id": organisation_id, "status": Status.ACTIVE.value}
            )
        ]

    async def _colleagues(self, edition_id: str, kept_id: str, moving: Collection[Participant]) -> list[MergeCollision]:
        """Name the live requests between people of the two organisations."""
        there = {participant.id for participant in await self._people(edition_id, kept_id)}
        coming = {participant.id for participant in moving}
        asked = [
            request.id
            async for request in self._unit.repository.all_of(MatchRequest, edition_id)
            if request.state in LIVE and _is_between(request, there, coming)
        ]
        message = "people of the two organisations have asked each other: colleagues have no encounter"
        return [MergeCollision(slug="colleagues-asked", message=message, ids=asked)] if asked else []

    async def _write(
        self, kept: Organisation, merged: Organisation, moving: list[str], token: str | None
    ) -> Organisation:
        """Move the people, then end the duplicate, so that none of them is cancelled meanwhile."""
        edition_id, now = kept.edition_id, self._unit.clock()
        for participant_id in moving:
            await self._service.participants.change(
                edition_id, participant_id, lambda _: {"organisation_id": kept.id}, ()
            )

        async def end(organisation: Organisation) -> Organisation:
            return organisation.changed(now, status=Status.CANCELLED, merged_into=kept.id)

        async def take(organisation: Organisation) -> Organisation:
            must_be_active(organisation)
            return organisation.changed(now, **_merged_fields(organisation, merged))

        ended = await self._unit.amend(Organisation, edition_id, merged.id, end)
        after = await self._unit.amend(Organisation, edition_id, kept.id, take)
        await self._name_kept(edition_id, kept.id, merged.id)
        if ended.revision != merged.revision:
            before, became = changes_of(kept, after, _LISTS, _FILLED_FIELDS)
            became["participants"] = moving
            await self._amendments.add(merge_amendment(merged, ended, token, before, became))
        return after

    async def _name_kept(self, edition_id: str, kept_id: str, merged_id: str) -> None:
        """Name the kept organisation in the lists of organisations and people that name the merged organisation."""

        async def rename(organisation: Organisation) -> Organisation:
            return organisation.changed(self._unit.clock(), **_naming(organisation, kept_id, merged_id))

        async def block(participant: Participant) -> Participant:
            ids = participant.blocked_ids
            is_due = merged_id in ids and kept_id not in ids
            return participant.changed(self._unit.clock(), blocked_ids=(*ids, kept_id) if is_due else ids)

        async for organisation in self._unit.repository.all_of(Organisation, edition_id):
            if organisation.id not in (kept_id, merged_id) and _naming(organisation, kept_id, merged_id):
                await self._unit.amend(Organisation, edition_id, organisation.id, rename)
        async for participant in self._unit.repository.all_of(Participant, edition_id):
            if merged_id in participant.blocked_ids:
                await self._unit.amend(Participant, edition_id, participant.id, block)


class OrganisationMergeUndoing:
    """Takes a merge of organisations back, as far as nothing of it has changed since."""

    def __init__(self, service: OperatorService) -> None:
        self._gate = service.unit_of_work.gate
        self._service = service.confirmed_as_a_whole()
        self._unit = self._service.unit_of_work

    async def undo(
        self, edition_id: str, merged_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> tuple[Entity, list[FieldError]]:
        """Reinstate the merged organisation with its people. Return it, and the parts that have changed since.

        Raises:
            Invalid: a dry run is asked for.
            Conflict: the name of the merged organisation is in use, or the edition is closed.
        """
        must_not_be_tried(self._gate)
        merged, kept_id = await self._unit.get(Organisation, edition_id, merged_id), str(after["merged_into"])
        left = [] if merged.merged_into is None else await self._give_back(merged, kept_id, before, after)
        back = await self._service.organisations.reinstate(edition_id, merged_id, unmerged=True)
        for participant_id in after["participants"]:
            left += await self._move_back(edition_id, participant_id, kept_id, merged_id)
        return back.party, left

    async def _give_back(
        self, merged: Organisation, kept_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> list[FieldError]:
        left: list[FieldError] = []
        back = giving_back(merged, before, after, left)
        await self._service.organisations.change(merged.edition_id, kept_id, back, ())
        return left

    async def _move_back(self, edition_id: str, participant_id: str, kept_id: str, merged_id: str) -> list[FieldError]:
        def patch_of(participant: Participant) -> dict[str, Any]:
            return {"organisation_id": merged_id} if participant.organisation_id == kept_id else {}

        try:
            await self._service.participants.change(edition_id, participant_id, patch_of, ())
        except Conflict as error:
            return [changed_since(f"/participants/{participant_id}", str(error))]
        return []


def _is_between(request: MatchRequest, there: Collection[str], coming: Collection[str]) -> bool:
    sides = (request.requester_id, request.target_id)
    return any(side in there for side in sides) and any(side in coming for side in sides)


def _merged_fields(kept: Organisation, merged: Organisation) -> dict[str, Any]:
    """Return the fields of the kept organisation that a merge changes: empty fields are filled, lists are joined."""
    fields: dict[str, Any] = {name: getattr(kept, name) or getattr(merged, name) for name in _FILLED_FIELDS}
    both = {kept.id, merged.id}
    for name, most in _LISTS.items():
        joined = {_key_of(member): member for member in (*getattr(merged, name), *getattr(kept, name))}
        ordered = dict.fromkeys(map(_key_of, (*getattr(kept, name), *getattr(merged, name))))
        fields[name] = tuple(joined[key] for key in ordered if key not in both)[:most]
    return {name: value for name, value in fields.items() if value != getattr(kept, name)}


def _key_of(member: str | EarlierEncounters) -> str:
    return member if isinstance(member, str) else member.organisation_id


def _naming(organisation: Organisation, kept_id: str, merged_id: str) -> dict[str, Any]:
    """Return the lists of an organisation that name the merged organisation, with the kept organisation added."""
    found: dict[str, Any] = {}
    for name in ("competitor_ids", "met_before"):
        members = {_key_of(member): member for member in getattr(organisation, name)}
        if merged_id in members and kept_id not in members:
            member = members[merged_id]
            added = kept_id if isinstance(member, str) else member.model_copy(update={"organisation_id": kept_id})
            found[name] = (*members.values(), added)
    return found
