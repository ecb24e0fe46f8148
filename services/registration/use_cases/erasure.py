"""Erasure of participants and organisations: every store of registration is emptied of them, for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Authorship
from services.registration.domain.errors import Conflict
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import AnyParty, erased
from services.registration.erasures import Erasure, ErasureStores
from services.registration.service import OperatorService
from shared.contract.events import Phase, Status
from shared.runtime.clock import Clock

#: Tries of an erasure that loses to concurrent changes of the same party.
_ATTEMPTS: Final = 16
#: Erasures that one run of the background work carries out again.
_AT_ONCE: Final = 500

Party = Organisation | Participant


@dataclass(frozen=True)
class ErasurePlan:
    """The parties of an erasure, an organisation before its participants. `cancels`: encounters are cancelled too."""

    parties: tuple[Party, ...]
    cancels: bool


class ErasureService:
    """Use cases of erasures, for an operator."""

    def __init__(self, service: OperatorService, stores: ErasureStores) -> None:
        self._service = service
        self._unit = service.unit_of_work
        self._erasures = stores.erasures
        self._amendments = stores.amendments.of(self._unit.repository.operator_id)

    async def plan(self, kind: type[Party], edition_id: str, entity_id: str) -> ErasurePlan:
        """Return the parties that an erasure erases; see `_people_of`. Raises `NotFound`."""
        edition = await self._service.editions.get(edition_id)
        party = await self._unit.get(kind, edition_id, entity_id)
        people = await self._people_of(party)
        is_active = any(member.status is Status.ACTIVE for member in (party, *people))
        return ErasurePlan((party, *people), is_active and edition.phase is not Phase.CLOSED)

    async def erase(self, plan: ErasurePlan) -> ErasurePlan:
        """Erase the parties of a plan. The erasures are written first, so that a crash leaves no party half erased.

        Raises:
            Conflict: a party changes all the time.
        """
        for party in reversed(plan.parties):
            await self._erasures.add(Erasure.of(party, self._unit.clock()))
            await self._carry_out(party)
        return plan

    async def repeat(self, erasure: Erasure) -> None:
        """Carry out a known erasure again: in a restored backup, or to be published after all events of before."""
        kind: type[Party] = Organisation if erasure.kind == Organisation.NOUN else Participant
        found = await self._unit.repository.find(kind, erasure.edition_id, erasure.entity_id)
        if found is None:
            return
        for person in await self._people_of(found):
            if person.erased_at is None:
                await self._erasures.add(Erasure.of(person, self._unit.clock()))
                await self._carry_out(person)
        if found.is_erased:
            again = {"revision": found.revision + 1, "changed_at": self._unit.clock()}
            await self._unit.repository.replace(found.model_copy(update=again))
        await self._carry_out(found)

    async def _people_of(self, party: Party) -> list[Participant]:
        """List the participants that go with a party: an organisation's, and the merged registrations of a person."""
        if isinstance(party, Organisation):
            members = await self._participants(party.edition_id, organisation_id=party.organisation_id)
        else:
            members = await self._merged_with(party)
        people = [person for member in members for person in (member, *await self._merged_with(member))]
        return [person for person_id, person in {one.id: one for one in people}.items() if person_id != party.id]

    async def _merged_with(self, person: Participant) -> list[Participant]:
        kept_id = person.merged_into or person.participant_id
        kept = await self._unit.repository.find(Participant, person.edition_id, kept_id)
        duplicates = await self._participants(person.edition_id, merged_into=kept_id)
        return [kept, *duplicates] if kept is not None else duplicates

    async def _participants(self, edition_id: str, **where: str) -> list[Participant]:
        return [person async for person in self._unit.repository.all_of(Participant, edition_id, where)]

    async def _carry_out(self, party: Party) -> None:
        """Erase a party, unless it was erased, and forget the fields before its last changes."""
        edition = await self._service.editions.get(party.edition_id)
        if isinstance(party, Organisation):
            await self._empty(Organisation, party.id, edition)
        else:
            await self._empty(Participant, party.id, edition)
            await self._service.editions.serve_lines(party.edition_id)
        await self._amendments.forget(party.edition_id, party.id)

    async def _empty(self, kind: type[AnyParty], entity_id: str, edition: Edition) -> None:
        for _ in range(_ATTEMPTS):
            found = await self._unit.get(kind, edition.edition_id, entity_id)
            gone = erased(found, edition, self._unit.clock())
            authorship = Authorship(self._unit.principal.actor, gone.differing_fields(found))
            if gone is found or await self._unit.repository.replace(gone, authorship):
                return
        raise Conflict(f"{kind.NOUN} {entity_id} is being changed by others: erase it again")


async def repeat_due_erasures(stores: ErasureStores, clock: Clock) -> None:
    """Carry out the erasures of all operators again that are due."""
    for erasure in await stores.erasures.due(clock(), _AT_ONCE):
        await repeat_erasure(erasure, stores, clock)


async def repeat_erasure(erasure: Erasure, stores: ErasureStores, clock: Clock) -> None:
    """Carry out an erasure again, and note it as done."""
    service = OperatorService(stores.entities.of(erasure.operator_id), clock)
    await ErasureService(service, stores).repeat(erasure)
    await stores.erasures.done(erasure)
