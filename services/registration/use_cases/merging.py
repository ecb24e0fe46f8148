"""Use cases of merges: two registrations of the same person, or of the same organisation, are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, Field

from services.registration.amendments import Amendments, merge_amendment
from services.registration.confirmation import Previewed, token_of
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, FieldError, changed_since
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.participant import Participant
from services.registration.domain.parties import must_be_active
from services.registration.merge_plan import Collision, MergeStep, RequestPlan, merged_fields, plan_requests
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
from shared.contract.events import RequestState, Status
from shared.contract.ids import Id
from shared.internal_api.edits import EncounterNow

#: Fields with texts that a merge fills if they are empty. An undoing empties them, if the text is still the same.
_FILLED_FIELDS: Final = ("job_title", "phone", "external_id")
#: Fields of the kept participant that are given back by an undoing: no texts of a person.
_UNDONE_FIELDS: Final = ("available", "session_ids", "waiting_session_ids", "blocked_ids", "declined_ids")


class MergePreview(BaseModel):
    """The effects of a merge, before it is made."""

    kept_id: Id
    merged_id: Id
    fields: list[str] = Field(description="Fields of the kept registration that change.")
    moved_requests: list[Id] = Field(description="Requests that go to the kept registration.")
    withdrawn_requests: list[Id] = Field(description="Requests that are withdrawn, because they cannot both stay.")
    conflicts: list[MergeCollision] = Field(description="Parts of the two that cannot both stay.")
    agenda_known: bool = Field(description="Whether the scheduler has answered, so that encounters were compared.")


class MergeService:
    """Use cases of merges of participants."""

    def __init__(self, service: OperatorService, amendments: Amendments) -> None:
        self._service = service
        self._amendments = amendments
        self._unit = service.confirmed_as_a_whole().unit_of_work

    async def merge(
        self, edition_id: str, kept_id: str, merged_id: str, encounters: Sequence[EncounterNow] | None
    ) -> Merge[Participant, MergePreview]:
        """Merge a participant into the kept participant, once the sender has confirmed the preview.

        `encounters` are the encounters of both, None if the scheduler does not answer. A repeated merge finishes the
        work that a crash has left, and changes nothing else.

        Raises:
            PreviewRequired, PreviewStale: the preview is not confirmed, or has changed.
            NotFound: there is no such participant.
            Conflict: either is cancelled or merged already, or the edition is closed.
            Invalid: both ids are the same.
        """
        edition = await self._service.editions.get_changeable(edition_id)
        kept, merged = await two_of(self._unit, Participant, edition_id, kept_id, merged_id)
        plan = plan_requests(
            kept_id, merged_id, *[await self._service.moves.requests_of(one) for one in (kept, merged)]
        )
        fields, collisions = merged_fields(kept, merged, edition)
        preview = MergePreview(
            kept_id=kept_id,
            merged_id=merged_id,
            fields=sorted(fields),
            moved_requests=[step.before.id for step in plan.steps if not step.is_withdrawn],
            withdrawn_requests=[step.before.id for step in plan.steps if step.is_withdrawn],
            conflicts=[
                *map(MergeCollision.of, (*collisions, *plan.collisions, *_same_hours(kept_id, encounters or ())))
            ],
            agenda_known=encounters is not None,
        )
        revisions = [(step.before.id, step.before.revision) for step in plan.steps]
        previewed = Previewed(token_of(kept.revision, merged.revision, revisions, preview), preview)
        gate = self._service.unit_of_work.gate
        if not is_confirmed(gate, previewed, "a merge changes requests and agendas"):
            return Merge(kept, previewed, is_made=False)
        return Merge(await self._write(edition, kept, merged, plan, gate.token), previewed, is_made=True)

    async def _write(
        self, edition: Edition, kept: Participant, merged: Participant, plan: RequestPlan, token: str | None
    ) -> Participant:
        """Write the merged participant first: the seats and the external id are free then."""
        edition_id, now = edition.edition_id, self._unit.clock()

        async def end(participant: Participant) -> Participant:
            return participant.changed(now, status=Status.CANCELLED, merged_into=kept.id)

        async def take(participant: Participant) -> Participant:
            must_be_active(participant)
            fields, _ = merged_fields(participant, merged, edition)
            return participant.changed(now, **fields)

        ended = await self._unit.amend(Participant, edition_id, merged.id, end)
        after = await self._unit.amend(Participant, edition_id, kept.id, take)
        for step in plan.steps:
            await self._take_step(edition_id, step)
        await self._name_kept(edition, kept.id, merged.id)
        if ended.revision != merged.revision:
            before, became = _undone_by(kept, after, plan)
            await self._amendments.add(merge_amendment(merged, ended, token, before, became))
        return after

    async def _take_step(self, edition_id: str, step: MergeStep) -> None:
        async def change(request: MatchRequest) -> MatchRequest:
            return step.after(request, self._unit.clock())

        await self._unit.amend(MatchRequest, edition_id, step.before.id, change)

    async def _name_kept(self, edition: Edition, kept_id: str, merged_id: str) -> None:
        """Name the kept participant in the blocks and declines of people who name the merged participant."""

        async def change(participant: Participant) -> Participant:
            return participant.changed(self._unit.clock(), **_naming(participant, kept_id, merged_id))

        async for participant in self._unit.repository.all_of(Participant, edition.edition_id):
            if participant.id not in (kept_id, merged_id) and _naming(participant, kept_id, merged_id):
                await self._unit.amend(Participant, edition.edition_id, participant.id, change)


def _naming(participant: Participant, kept_id: str, merged_id: str) -> dict[str, tuple[str, ...]]:
    """Return the lists of a participant that name the merged participant, and do not name the kept participant yet."""
    lists: dict[str, tuple[str, ...]] = {name: getattr(participant, name) for name in ("blocked_ids", "declined_ids")}
    return {name: (*ids, kept_id) for name, ids in lists.items() if merged_id in ids and kept_id not in ids}


def _undone_by(kept: Participant, after: Participant, plan: RequestPlan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parts of a merge that an undoing gives back, before and after the merge."""
    sides = {
        step.before.id: [step.before.requester_id, step.before.target_id, step.before.state] for step in plan.steps
    }
    became = {step.before.id: [step.requester_id, step.target_id, step.state] for step in plan.steps}
    before, changed = changes_of(kept, after, _UNDONE_FIELDS, _FILLED_FIELDS)
    return {"requests": sides, **before}, {"requests": became, **changed}


def _same_hours(kept_id: str, encounters: Sequence[EncounterNow]) -> list[Collision]:
    """List the encounters of the merged participant at the same time as encounters of the kept participant."""
    placed = [encounter for encounter in encounters if encounter.place is not None]
    kept = [encounter for encounter in placed if kept_id in encounter.participant_ids]
    merged = [encounter for encounter in placed if kept_id not in encounter.participant_ids]
    found = []
    for encounter in merged:
        for there in kept:
            assert encounter.place is not None and there.place is not None  # noqa: S101, PT018 - only placed ones
            if encounter.place.overlaps(there.place):
                at = f"{there.place.starts_at:%Y-%m-%d %H:%M}Z"
                message = f"both have an encounter at {at}: that of the merged registration moves or waits"
                found.append(Collision("same-hour", message, (there.encounter_id, encounter.encounter_id)))
    return found


class MergeUndoing:
    """Takes a merge of participants back, as far as nothing of it has changed since."""

    def __init__(self, service: OperatorService) -> None:
        self._gate = service.unit_of_work.gate
        self._service = service.confirmed_as_a_whole()
        self._unit = self._service.unit_of_work

    async def undo(
        self, edition_id: str, merged_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> tuple[Entity, list[FieldError]]:
        """Give both participants their requests and choices of before.

        Return the reinstated participant, and the parts that have changed since.

        Raises:
            Invalid: a dry run is asked for.
            Conflict: the address of the merged participant is in use, or the edition is closed.
        """
        must_not_be_tried(self._gate)
        await self._service.editions.get_changeable(edition_id)
        merged = await self._unit.get(Participant, edition_id, merged_id)
        left = [] if merged.merged_into is None else await self._give_back(edition_id, merged, before, after)
        back = await self._service.participants.reinstate(edition_id, merged_id, unmerged=True)
        for request_id, became in after["requests"].items():
            await self._step_back(edition_id, request_id, became)
        for request_id, was in before["requests"].items():
            left += await self._return_request(edition_id, request_id, was, after["requests"][request_id])
        return back.party, left

    async def _give_back(
        self, edition_id: str, merged: Participant, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> list[FieldError]:
        """Give the kept participant the fields of before that are still as the merge made them."""
        left: list[FieldError] = []
        back = giving_back(merged, before, after, left)
        await self._service.participants.change(edition_id, str(merged.merged_into), back, ())
        return left

    async def _step_back(self, edition_id: str, request_id: str, after: Sequence[Any]) -> None:
        """Withdraw a moved request from the kept participant: the encounter leaves the hour that goes back."""

        async def change(request: MatchRequest) -> MatchRequest:
            is_moved = [request.requester_id, request.target_id, request.state] == [*after]
            if not is_moved or request.state not in LIVE or request.target_id is None:
                return request
            return request.changed(self._unit.clock(), state=RequestState.WITHDRAWN)

        await self._unit.amend(MatchRequest, edition_id, request_id, change)

    async def _return_request(
        self, edition_id: str, request_id: str, before: Sequence[Any], after: Sequence[Any]
    ) -> list[FieldError]:
        left: list[FieldError] = []

        async def change(request: MatchRequest) -> MatchRequest:
            left.clear()
            now = [request.requester_id, request.target_id, request.state]
            if now not in ([*after], [*after[:2], RequestState.WITHDRAWN]):
                if now != [*before]:
                    left.append(changed_since(f"/requests/{request_id}"))
                return request
            requester_id, target_id, state = before
            return request.changed(
                self._unit.clock(), requester_id=requester_id, target_id=target_id, state=RequestState(state)
            )

        try:
            await self._unit.amend(MatchRequest, edition_id, request_id, change)
        except Conflict as error:
            left.append(changed_since(f"/requests/{request_id}", str(error)))
        return left
