"""Use cases of amendments: the changes of facts of the last days, and their undoing."""

from __future__ import annotations

from dataclasses import dataclass

from services.registration.amendments import Amendment, Amendments, undoing_patch
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import FieldError, NotFound
from services.registration.domain.members import Patch
from services.registration.domain.organisation import Organisation
from services.registration.service import OperatorService
from services.registration.use_cases.list_undoing import ListUndoing, ListUndoingPlanner
from services.registration.use_cases.merging import MergeUndoing
from services.registration.use_cases.organisation_merging import OrganisationMergeUndoing
from shared.contract.events import Status


@dataclass(frozen=True)
class Undoing:
    """The entity whose change was undone, and the places that had changed since and were left."""

    entity: Entity
    left: tuple[FieldError, ...] = ()


class AmendmentService:
    """Use cases of amendments."""

    def __init__(self, service: OperatorService, amendments: Amendments) -> None:
        self.service = service
        self._amendments = amendments

    async def page(self, edition_id: str, after: str | None, limit: int) -> list[Amendment]:
        """List up to `limit` amendments of an edition, oldest first, beyond `after`. Raises `NotFound`."""
        await self.service.editions.get(edition_id)
        return await self._amendments.page(edition_id, after or "", limit, self.service.unit_of_work.clock())

    async def get(self, edition_id: str, amendment_id: str) -> Amendment:
        """Return an amendment that can still be undone. Raises `NotFound`."""
        now = self.service.unit_of_work.clock()
        amendment = await self._amendments.find(edition_id, amendment_id, now)
        if amendment is None:
            raise NotFound("there is no such amendment, or it is too old to be undone")
        return amendment

    async def undoing_of_list(self, amendment: Amendment) -> tuple[Edition, ListUndoing]:
        """Plan to undo an imported list. Raises `NotFound`, `Conflict`."""
        edition = await self.service.editions.get_changeable(amendment.edition_id)
        seats = await self.service.participants.planned_seats(edition)
        members = await self._amendments.members(amendment)
        return edition, await ListUndoingPlanner(self.service, edition, seats).plan(members)

    async def undo(self, amendment: Amendment) -> Undoing:
        """Give an entity the fields of before an amendment, as a further change.

        Places that have changed since are left.

        Raises:
            Conflict: the edition is closed; and the errors of the change.
        """
        left: list[FieldError] = []
        edition_id, entity_id = amendment.edition_id, amendment.entity_id

        def patch_of(present: Entity) -> Patch:
            patch, left[:] = undoing_patch(amendment, present)
            return patch

        if "merged_into" in amendment.before:
            kind = OrganisationMergeUndoing if amendment.kind == Organisation.NOUN else MergeUndoing
            undoing = kind(self.service)
            merged, still = await undoing.undo(edition_id, entity_id, amendment.before, amendment.after)
            return Undoing(merged, tuple(still))
        if "status" in amendment.before:
            return await self._undo_status(amendment)
        if amendment.kind == Edition.NOUN:
            entity: Entity = await self.service.editions.change(edition_id, patch_of, ())
        elif amendment.kind == Organisation.NOUN:
            entity = await self.service.organisations.change(edition_id, entity_id, patch_of, ())
        else:
            entity = await self.service.participants.change(edition_id, entity_id, patch_of, ())
        return Undoing(entity, tuple(left))

    async def _undo_status(self, amendment: Amendment) -> Undoing:
        """Reinstate a cancelled party, or cancel a reinstated party."""
        edition_id, entity_id = amendment.edition_id, amendment.entity_id
        parties = self.service.organisations if amendment.kind == Organisation.NOUN else self.service.participants
        if amendment.before["status"] == Status.CANCELLED:
            return Undoing(await parties.cancel(edition_id, entity_id))
        back = await parties.reinstate(edition_id, entity_id)
        return Undoing(back.party, back.warnings)
