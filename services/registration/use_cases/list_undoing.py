"""Undoing of an imported list: new entities are cancelled, changed fields get their former values."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.registration.amendments import AmendedEntity, undoing_patch
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import Conflict, FieldError, Invalid, NotFound, changed_since
from services.registration.domain.match_request import Answer, MatchRequest
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import apply_patch
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import cancelled, must_be_active, reinstated
from services.registration.domain.seats import PlannedSeats
from services.registration.ports import AnyEntity
from services.registration.previews import ChangeStep
from services.registration.service import OperatorService
from shared.contract.events import RequestState, Status
from shared.runtime.fair_turns import FairTurns

_READ_AT_ONCE: Final = 500
_ROWS_OF_A_TURN: Final = 25
_AT_ONCE: Final = 4
_PATHS: Final = {Organisation: "organisations", Participant: "participants", MatchRequest: "match-requests"}


@dataclass
class UndoneRow:
    """The undoing of an entity's change: the revision that it makes, and the call that writes it."""

    at: str
    step: ChangeStep
    write: Callable[[], Awaitable[object]]


@dataclass
class ListUndoing:
    """The undoing of a list, planned as a whole. `left` are entities and fields that have changed since.

    Rows are written in three rounds: organisations come back before their participants, and leave after them.
    """

    first: list[UndoneRow] = field(default_factory=list)
    middle: list[UndoneRow] = field(default_factory=list)
    last: list[UndoneRow] = field(default_factory=list)
    left: list[FieldError] = field(default_factory=list)

    @property
    def rows(self) -> list[UndoneRow]:
        """All rows, in the order in which they are written."""
        return [*self.first, *self.middle, *self.last]

    @property
    def steps(self) -> list[ChangeStep]:
        """The revisions that the undoing makes."""
        return [row.step for row in self.rows]

    @property
    def bases(self) -> list[tuple[str, int]]:
        """Ids and revisions that the undoing rests on."""
        return [(step.after.id, step.after.revision) for step in self.steps]

    async def write(self, turns: FairTurns, operator_id: str) -> None:
        """Write all rows, a few at once. A row that cannot be written any more is left."""
        for rows in (self.first, self.middle, self.last):
            for start in range(0, len(rows), _ROWS_OF_A_TURN):
                some, semaphore = rows[start : start + _ROWS_OF_A_TURN], asyncio.Semaphore(_AT_ONCE)
                async with turns.turn(operator_id):
                    await asyncio.gather(*(self._write(row, semaphore) for row in some))

    async def _write(self, row: UndoneRow, semaphore: asyncio.Semaphore) -> None:
        async with semaphore:
            try:
                await row.write()
            except (Conflict, Invalid, NotFound) as error:
                self.left.append(FieldError(row.at, str(error), "not-undone"))


class ListUndoingPlanner:
    """Plans the undoing of a list in an edition."""

    def __init__(self, service: OperatorService, edition: Edition, seats: PlannedSeats) -> None:
        self._service = service
        self._edition = edition
        self._seats = seats
        self._undoing = ListUndoing()
        self._now = service.unit_of_work.clock()

    async def plan(self, members: Sequence[AmendedEntity]) -> ListUndoing:
        """Return the undoing of the changes of these members."""
        for kind, plan_one in (
            (MatchRequest, self._request),
            (Participant, self._participant),
            (Organisation, self._organisation),
        ):
            own = [member for member in members if member.kind == kind.NOUN]
            present = await self._present(kind, [member.entity_id for member in own])
            self._active = await self._active_participants() if kind is Organisation and own else {}
            for member in own:
                if (entity := present.get(member.entity_id)) is not None:
                    try:
                        plan_one(member, entity)
                    except Conflict as error:  # such as a party that was merged since
                        self._leave(entity, str(error))
        return self._undoing

    async def _present(self, kind: type[AnyEntity], ids: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for start in range(0, len(ids), _READ_AT_ONCE):
            some = ids[start : start + _READ_AT_ONCE]
            found |= await self._service.unit_of_work.repository.find_many(kind, self._edition.edition_id, some)
        return found

    async def _active_participants(self) -> dict[str, set[str]]:
        """Return the ids of the participants that are active once the undoing is written, by organisation."""
        leave = {row.step.after.id for row in self._undoing.rows}
        there: dict[str, set[str]] = defaultdict(set)
        async for person in self._service.unit_of_work.repository.all_of(Participant, self._edition.edition_id):
            if person.status is Status.ACTIVE and person.participant_id not in leave:
                there[person.organisation_id].add(person.participant_id)
        return there

    def _request(self, member: AmendedEntity, request: MatchRequest) -> None:
        if member.before is not None or request.state in (RequestState.WITHDRAWN, RequestState.EXPIRED):
            return
        if request.state is not RequestState.REQUESTED:
            self._leave(request, f"the request is {request.state} by now")
            return
        self._add(
            self._undoing.first,
            request,
            request.answered(Answer.WITHDRAWAL, self._now),
            lambda: self._service.match_requests.answer(request.edition_id, request.request_id, Answer.WITHDRAWAL),
        )

    def _participant(self, member: AmendedEntity, participant: Participant) -> None:
        people, edition_id, participant_id = self._service.participants, participant.edition_id, participant.id
        wants = _wanted_status(member)
        if wants is Status.CANCELLED:
            if participant.status is Status.CANCELLED:
                return
            if participant.checked_in or not _is_as_made(member, participant):
                self._leave(participant)
                return
            after = cancelled(participant, self._edition, self._now)
            self._add(self._undoing.middle, participant, after, lambda: people.cancel(edition_id, participant_id))
        elif wants is Status.ACTIVE:
            back = reinstated(participant, self._edition, self._now, cancelled_with_organisation=False)
            if back is not participant:
                after = self._seats.give(back.model_copy(update={"seats": {}}), None, self._now)
                self._add(
                    self._undoing.middle, participant, after, lambda: people.reinstate(edition_id, participant_id)
                )
        elif fields := self._fields(member, participant, ParticipantFacts):
            after = self._seats.give(participant.changed(self._now, **fields), participant, self._now)
            self._add(
                self._undoing.middle,
                participant,
                after,
                lambda: people.change(edition_id, participant_id, lambda now: undoing_patch(member, now)[0], ()),
            )

    def _organisation(self, member: AmendedEntity, organisation: Organisation) -> None:
        service, edition_id, organisation_id = self._service.organisations, organisation.edition_id, organisation.id
        wants = _wanted_status(member)
        if wants is Status.CANCELLED:
            if organisation.status is Status.CANCELLED:
                return
            if not _is_as_made(member, organisation):
                self._leave(organisation)
                return
            if member.before is None and (there := self._active.get(organisation_id)):
                self._leave(organisation, f"it has {len(there)} participants that the list did not make")
                return
            after = cancelled(organisation, self._edition, self._now)
            self._add(self._undoing.last, organisation, after, lambda: service.cancel(edition_id, organisation_id))
        elif wants is Status.ACTIVE:
            back = reinstated(organisation, self._edition, self._now)
            if back is not organisation:
                self._add(
                    self._undoing.first, organisation, back, lambda: service.reinstate(edition_id, organisation_id)
                )
        elif fields := self._fields(member, organisation, OrganisationFacts):
            self._add(
                self._undoing.first,
                organisation,
                organisation.changed(self._now, **fields),
                lambda: service.change(edition_id, organisation_id, lambda now: undoing_patch(member, now)[0], ()),
            )

    def _fields(
        self,
        member: AmendedEntity,
        party: Organisation | Participant,
        kind: type[OrganisationFacts | ParticipantFacts],
    ) -> dict[str, Any]:
        """Return the fields of before; empty if the party has them, or cannot have them any more."""
        patch, left = undoing_patch(member, party)
        at = _path(party)
        self._undoing.left += [FieldError(at + fault.pointer, fault.detail, fault.slug) for fault in left]
        if not patch:
            return {}
        try:
            must_be_active(party)
            facts = apply_patch(party, kind, patch)
        except (Conflict, Invalid) as error:
            self._undoing.left.append(FieldError(at, str(error), "not-undone"))
            return {}
        return {name: getattr(facts, name) for name in patch}

    def _leave(self, entity: Entity, *reason: str) -> None:
        self._undoing.left.append(changed_since(_path(entity), *reason))

    def _add(
        self, rows: list[UndoneRow], before: Entity, after: Entity, write: Callable[[], Awaitable[object]]
    ) -> None:
        rows.append(UndoneRow(_path(before), ChangeStep(before, after), write))


def _path(entity: Entity) -> str:
    return f"/{_PATHS[type(entity)]}/{entity.id}"


def _wanted_status(member: AmendedEntity) -> Status | None:
    """Return the status that the undoing gives; None if the list did not change it."""
    if member.before is None:
        return Status.CANCELLED
    return Status(member.before["status"]) if "status" in member.before else None


def _is_as_made(member: AmendedEntity, party: Organisation | Participant) -> bool:
    """Tell whether a party that the list made or reinstated still has the fields that concern agendas.

    A seat that came down the line is no change.
    """
    if member.before is not None:
        return True
    now = party.model_dump(mode="json", include=set(member.after))
    return _with_lines_joined(now) == _with_lines_joined(member.after)


def _with_lines_joined(fields: Mapping[str, Any]) -> dict[str, Any]:
    sessions = sorted((*fields.get("session_ids", ()), *fields.get("waiting_session_ids", ())))
    return {**fields, "session_ids": sessions, "waiting_session_ids": ()}
