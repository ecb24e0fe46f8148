"""Use cases of organisations."""

from __future__ import annotations

from collections.abc import AsyncIterator

from services.registration.domain.checks.doubtful_fact import DoubtfulFact, as_warnings, refuse_new
from services.registration.domain.checks.organisation import doubtful_facts_of_organisation
from services.registration.domain.errors import Conflict, FieldError
from services.registration.domain.members import Patch, PatchOf
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.parsing import MOST_FAULTS, apply_patch
from services.registration.domain.participant import Participant
from services.registration.domain.parties import (
    Reinstatement,
    cancelled,
    must_be_active,
    must_not_be_erased,
    reinstated,
)
from services.registration.unit_of_work import Revisions, UnitOfWork
from services.registration.use_cases.editions import EditionService
from services.registration.use_cases.participants import ParticipantService
from shared.contract.events import Status

_PAGE = 500


class OrganisationService:
    """Use cases of organisations."""

    def __init__(self, unit_of_work: UnitOfWork, editions: EditionService, participants: ParticipantService) -> None:
        self._unit = unit_of_work
        self._editions = editions
        self._participants = participants

    async def register(self, edition_id: str, facts: OrganisationFacts, key: str | None) -> Organisation:
        """Register an organisation."""

        async def build(organisation_id: str) -> Organisation:
            await self._editions.get_changeable(edition_id)
            return self.build(edition_id, facts, organisation_id)

        return await self._unit.create(Organisation, edition_id, facts, key, build)

    def build(self, edition_id: str, facts: OrganisationFacts, organisation_id: str) -> Organisation:
        """Return an organisation without writing it. Raises `Invalid`."""
        refuse_new(doubtful_facts_of_organisation(facts))
        return Organisation(**self._unit.stamp(edition_id), organisation_id=organisation_id, **facts.values())

    async def amend(self, edition_id: str, organisation_id: str, patch: Patch, revisions: Revisions) -> Organisation:
        """Change an organisation."""
        return await self.change(edition_id, organisation_id, lambda _: patch, revisions)

    async def change(
        self, edition_id: str, organisation_id: str, patch_of: PatchOf[Organisation], revisions: Revisions
    ) -> Organisation:
        """Change an organisation by the patch that follows from its present revision."""

        async def change(organisation: Organisation) -> Organisation:
            must_not_be_erased(organisation)
            facts = apply_patch(organisation, OrganisationFacts, patch_of(organisation))
            changed = organisation.changed(self._unit.clock(), **facts.values())
            if changed is not organisation:
                await self._editions.get_changeable(edition_id)
                must_be_active(organisation)
                refuse_new(doubtful_facts_of_organisation(changed), doubtful_facts_of_organisation(organisation))
            return changed

        return await self._unit.amend(Organisation, edition_id, organisation_id, change, revisions)

    async def warnings(self, organisation: Organisation) -> tuple[DoubtfulFact, ...]:
        """List the doubtful facts of an organisation, beside the delegations of its edition."""
        delegations = (
            await self._unit.repository.delegations(organisation.edition_id) if organisation.delegation else ()
        )
        return as_warnings(doubtful_facts_of_organisation(organisation, delegations))

    async def cancel(self, edition_id: str, organisation_id: str) -> Organisation:
        """Cancel an organisation and then its participants.

        Once the organisation is cancelled, all services treat its participants as cancelled, and none can be
        registered. After a crash, a repeated request cancels the remaining participants.
        """
        edition = await self._editions.get(edition_id)

        async def change(organisation: Organisation) -> Organisation:
            return cancelled(organisation, edition, self._unit.clock())

        organisation = await self._unit.amend(Organisation, edition_id, organisation_id, change)
        if self._unit.gate.dry_run:
            return organisation
        where = {"organisation_id": organisation_id, "status": Status.ACTIVE.value}
        while active := await self._unit.repository.page(Participant, edition_id, "", _PAGE, where):
            for participant in active:
                await self._participants.cancel(edition_id, participant.participant_id, with_organisation=True)
        return organisation

    async def reinstate(
        self, edition_id: str, organisation_id: str, patch: Patch | None = None, *, unmerged: bool = False
    ) -> Reinstatement[Organisation]:
        """Have a cancelled organisation take part again, changed by the patch, and the participants cancelled with it.

        A merged organisation takes part again only if `unmerged`.

        A participant that cannot come back is a warning. After a crash, a repeated request reinstates the remaining
        participants.

        Raises:
            Conflict: another organisation has the name now, or the edition is closed.
        """

        async def change(organisation: Organisation) -> Organisation:
            must_not_be_erased(organisation)
            edition = await self._editions.get(edition_id)
            fields = {} if patch is None else apply_patch(organisation, OrganisationFacts, patch).values()
            fields |= {"merged_into": None} if unmerged else {}
            back = reinstated(organisation, edition, self._unit.clock(), **fields)
            refuse_new(doubtful_facts_of_organisation(back), doubtful_facts_of_organisation(organisation))
            return back

        organisation = await self._unit.amend(Organisation, edition_id, organisation_id, change)
        if self._unit.gate.dry_run:
            return Reinstatement(organisation)
        warnings = [warning async for warning in self._reinstate_participants(edition_id, organisation_id)]
        return Reinstatement(organisation, tuple(warnings[:MOST_FAULTS]))

    async def _reinstate_participants(self, edition_id: str, organisation_id: str) -> AsyncIterator[FieldError]:
        """Reinstate the participants that were cancelled with their organisation; yield the warnings."""
        where = {
            "organisation_id": organisation_id,
            "status": Status.CANCELLED.value,
            "cancelled_with_organisation": True,
        }
        after = ""
        while found := await self._unit.repository.page(Participant, edition_id, after, _PAGE, where):
            for participant in found:
                at = f"/participants/{participant.participant_id}"
                try:
                    back = await self._participants.reinstate(edition_id, participant.participant_id)
                except Conflict as error:
                    yield FieldError(at, str(error))
                else:
                    for warning in await self._participants.waits(back.party):
                        yield FieldError(at + warning.pointer, warning.detail)
            after = found[-1].participant_id
