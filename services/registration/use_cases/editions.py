"""Use cases of editions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.registration.domain.checks.doubtful_fact import DoubtfulFact, as_warnings, refuse_new
from services.registration.domain.checks.edition import doubtful_facts_of_edition
from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.edition_parts import FillingFacts
from services.registration.domain.errors import NotFound
from services.registration.domain.members import Patch, PatchOf, with_days
from services.registration.domain.parsing import apply_patch
from services.registration.domain.seats import Attendance
from services.registration.ports import AffinityVersions
from services.registration.unit_of_work import Revisions, UnitOfWork
from services.registration.use_cases.calendars import FollowingAvailability
from services.registration.use_cases.session_lines import SessionLines
from shared.contract.events import Phase
from shared.contract.events.registration import BUILT_IN_AFFINITY_VERSIONS

#: Time after which no process takes the calendar of before for the present one (`Repository.recent_edition`).
_RECENT: Final = timedelta(seconds=10)


class EditionService:
    """Use cases of editions."""

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        versions: AffinityVersions,
        lines: SessionLines,
        availability: FollowingAvailability,
    ) -> None:
        self._unit = unit_of_work
        self._versions = versions
        self._lines = lines
        self._availability = availability

    async def create(self, facts: EditionFacts, key: str | None) -> Edition:
        """Create an edition."""

        async def build(edition_id: str) -> Edition:
            edition = Edition(**self._unit.stamp(edition_id), **facts.values())
            edition.must_fit_one_record()
            refuse_new(doubtful_facts_of_edition(edition, self._unit.clock()))
            await self._must_have_installed_version(edition)
            return edition

        return await self._unit.create(Edition, None, facts, key, build)

    async def page(self, after: str | None, limit: int) -> list[Edition]:
        """List up to `limit` editions that the principal may see by id, beyond `after`."""
        own = self._unit.principal.editions
        if own is None:
            return await self._unit.repository.page(Edition, None, after or "", limit)
        beyond = (edition_id for edition_id in sorted(own) if edition_id > (after or ""))
        found = [await self._unit.repository.find(Edition, edition_id, edition_id) for edition_id in beyond]
        return [edition for edition in found if edition is not None][:limit]

    async def get(self, edition_id: str) -> Edition:
        """Read an edition. Raises `NotFound`."""
        return await self._unit.get(Edition, edition_id, edition_id)

    async def warnings(self, edition: Edition) -> tuple[DoubtfulFact, ...]:
        """List the doubtful facts of an edition, and the participants whom its days and sessions leave in doubt."""
        people = (*await self._availability.without_slot(edition), *await self._lines.clashes(edition))
        return as_warnings((*people, *doubtful_facts_of_edition(edition, self._unit.clock())))

    async def get_changeable(self, edition_id: str) -> Edition:
        """Read an edition that is not closed, at most a second old. Raises `NotFound`, `Conflict`."""
        edition = await self._unit.repository.recent_edition(edition_id)
        if edition is None:
            raise NotFound(f"there is no such {Edition.NOUN}")
        edition.must_be_changeable()
        return edition

    async def amend(
        self, edition_id: str, patch: Patch, revisions: Revisions, confirmed: Phase | None = None
    ) -> Edition:
        """Change an edition. Its phase only goes forwards; `confirmed` is a phase that the operator has confirmed."""
        return await self.change(edition_id, lambda _: patch, revisions, confirmed)

    async def change(
        self, edition_id: str, patch_of: PatchOf[Edition], revisions: Revisions, confirmed: Phase | None = None
    ) -> Edition:
        """Change an edition by the patch that follows from its present revision."""

        async def change(edition: Edition) -> Edition:
            patch = patch_of(edition)
            facts = apply_patch(edition, EditionFacts, patch)
            if sessions := with_days(edition, facts):
                facts = apply_patch(edition, EditionFacts, patch | sessions)
            changed = edition.with_facts(facts, self._unit.clock())
            if changed is not edition:
                edition.must_be_changeable()
                edition.may_become(changed.phase, confirmed)
                changed.must_fit_one_record()
                now = self._unit.clock()
                refuse_new(doubtful_facts_of_edition(changed, now), doubtful_facts_of_edition(edition, now))
                # An edition keeps a version that was installed once: only another version has to be.
                if changed.affinity_version != edition.affinity_version:
                    await self._must_have_installed_version(changed)
            return changed

        edition = await self._unit.amend(Edition, edition_id, edition_id, change, revisions)
        if edition.calendar_since == edition.changed_at:
            await self._availability.follow(edition)
        await self._lines.serve(edition, [session.session_id for session in edition.sessions])
        return edition

    async def follow_calendar(self, edition_id: str) -> None:
        """Move availability that has not followed the calendar: of a process that died, or registered meanwhile."""
        edition = await self.get(edition_id)
        if edition.calendar_since is not None:
            await self._availability.follow(edition)
            if self._unit.clock() - edition.calendar_since > _RECENT:
                await self._unit.repository.settle(edition)

    async def serve_lines(self, edition_id: str) -> None:
        """Hand open seats of all sessions down their lines."""
        edition = await self.get(edition_id)
        await self._lines.serve(edition, [session.session_id for session in edition.sessions])

    async def move_by_clock(self, edition_id: str) -> Edition:
        """Move an edition to the phase that its hours say; an edition in that phase stays as it is."""

        async def change(edition: Edition) -> Edition:
            return edition.moved_by_clock(self._unit.clock())

        return await self._unit.amend(Edition, edition_id, edition_id, change)

    async def propose_partners(self, edition_id: str, wanted: FillingFacts) -> Edition:
        """Start a round of proposals for the participants with fewer encounters than wanted."""

        async def change(edition: Edition) -> Edition:
            edition.must_be_changeable()
            return edition.with_proposal_round(wanted, self._unit.clock())

        return await self._unit.amend(Edition, edition_id, edition_id, change)

    async def _must_have_installed_version(self, edition: Edition) -> None:
        if edition.affinity_version not in BUILT_IN_AFFINITY_VERSIONS:
            edition.must_have_version_of(await self._versions.installed())

    async def attendance(self, edition_id: str) -> list[Attendance]:
        """List the sessions of an edition with their attendance and their lines."""
        edition = await self.get(edition_id)
        return await self._lines.attendance(edition_id, edition.sessions)
