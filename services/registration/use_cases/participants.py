"""Use cases of participants."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.registration.domain.checks.doubtful_fact import DoubtfulFact, as_warnings, refuse_new
from services.registration.domain.checks.participant import doubtful_facts_of_participant
from services.registration.domain.edition import Edition
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.members import Patch, PatchOf
from services.registration.domain.organisation import Organisation
from services.registration.domain.parsing import apply_patch
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import (
    Reinstatement,
    cancelled,
    must_be_active,
    must_not_be_erased,
    reinstated,
)
from services.registration.domain.seats import PlannedSeats
from services.registration.unit_of_work import Revisions, UnitOfWork
from services.registration.use_cases.editions import EditionService
from services.registration.use_cases.session_lines import SessionLines
from shared.access import Sight
from shared.contract.events import Status
from shared.contract.reason_sentences import ReasonSide


class ParticipantService:
    """Use cases of participants."""

    def __init__(self, unit_of_work: UnitOfWork, editions: EditionService, lines: SessionLines) -> None:
        self._unit = unit_of_work
        self._editions = editions
        self._lines = lines

    async def register(self, edition_id: str, facts: ParticipantFacts, key: str | None) -> Participant:
        """Register a participant of an active organisation; in the lines of full sessions."""

        async def build(participant_id: str) -> Participant:
            edition = await self._editions.get_changeable(edition_id)
            await self._must_be_active_organisation(edition_id, facts.organisation_id)
            return await self.give_seats(self.build(edition, facts, participant_id), edition)

        participant = await self._unit.create(Participant, edition_id, facts, key, build)
        return await self._served(participant, participant.waiting_session_ids)

    def build(
        self, edition: Edition, facts: ParticipantFacts, participant_id: str, *, shares_mailbox: bool = False
    ) -> Participant:
        """Return a participant without writing it. Raises `Invalid`."""
        edition.must_have_sessions(facts.session_ids)
        edition.must_have_sessions(facts.waiting_session_ids, field="waiting_session_ids")
        facts = facts.in_zone(edition.timezone)
        refuse_new(doubtful_facts_of_participant(facts, edition))
        fields = facts.values() | {"calendar": edition.calendar if facts.available else None}
        fields |= {"participant_id": participant_id, "shares_mailbox": shares_mailbox}
        return Participant(**self._unit.stamp(edition.edition_id), **fields)

    async def warnings(self, participant: Participant) -> tuple[DoubtfulFact, ...]:
        """List the doubtful facts of a participant, and the sessions for whose seats the participant waits."""
        edition = await self._unit.repository.recent_edition(participant.edition_id)
        if edition is None:
            return ()
        waits = await self.waits(participant)
        return as_warnings((*waits, *doubtful_facts_of_participant(participant, edition)))

    async def waits(self, participant: Participant) -> list[DoubtfulFact]:
        """List the sessions for whose seats a participant waits."""
        if not participant.waiting_session_ids:
            return []
        return await self._lines.waits(participant, await self._editions.get(participant.edition_id))

    async def give_seats(self, participant: Participant, edition: Edition) -> Participant:
        """Return a new participant with seats in the sessions, and in the lines of full sessions."""
        return await self._lines.give_seats(participant, edition)

    async def planned_seats(self, edition: Edition) -> PlannedSeats:
        """Return the seats of an edition, to be given to the participants of a list without writing."""
        limited = [session for session in edition.sessions if session.capacity is not None]
        return PlannedSeats(edition, await self._lines.attendance(edition.edition_id, limited))

    async def _served(self, participant: Participant, session_ids: Collection[str]) -> Participant:
        """Hand open seats of these sessions down their lines. Return the participant, perhaps with such a seat."""
        if session_ids:
            await self._lines.serve(await self._editions.get(participant.edition_id), session_ids)
        if not participant.waiting_session_ids or self._unit.gate.dry_run:
            return participant
        return await self._unit.get(Participant, participant.edition_id, participant.id)

    async def amend(self, edition_id: str, participant_id: str, patch: Patch, revisions: Revisions) -> Participant:
        """Change a participant. Fields that the patch does not name stay.

        A patch that gives the place to a successor names all `FIELDS_OF_THE_PERSON`: `name`, `email`, `languages`,
        `profile`, `job_title`, `phone` and `external_id`.
        """
        return await self.change(edition_id, participant_id, lambda _: patch, revisions)

    async def change(
        self, edition_id: str, participant_id: str, patch_of: PatchOf[Participant], revisions: Revisions
    ) -> Participant:
        """Change a participant by the patch that follows from the present revision."""
        touched: set[str] = set()

        async def change(participant: Participant) -> Participant:
            must_not_be_erased(participant)
            edition = await self._editions.get(edition_id)
            present = participant.following(edition)
            fields = _fields(present, patch_of(present), edition)
            wanted = participant.changed(self._unit.clock(), **fields)
            if wanted is participant:
                return participant
            edition.must_be_changeable()
            must_be_active(participant)
            refuse_new(doubtful_facts_of_participant(wanted, edition), doubtful_facts_of_participant(present, edition))
            # Sessions that the edition has dropped since may stay on the list: they do no harm.
            known = frozenset((*participant.session_ids, *participant.waiting_session_ids))
            edition.must_have_sessions(wanted.session_ids, known)
            edition.must_have_sessions(wanted.waiting_session_ids, known, "waiting_session_ids")
            if wanted.organisation_id != participant.organisation_id:
                await self._must_be_active_organisation(edition_id, wanted.organisation_id)
            changed = await self._lines.give_seats(wanted, edition, participant)
            touched.update(participant.session_ids, changed.waiting_session_ids)
            touched.difference_update(changed.session_ids)
            return participant if changed.differs_only_in_revision(participant) else changed

        participant = await self._unit.amend(Participant, edition_id, participant_id, change, revisions)
        return await self._served(participant, touched)

    async def cancel(self, edition_id: str, participant_id: str, *, with_organisation: bool = False) -> Participant:
        """Cancel a participant."""
        edition = await self._editions.get(edition_id)

        async def change(participant: Participant) -> Participant:
            return cancelled(participant, edition, self._unit.clock(), cancelled_with_organisation=with_organisation)

        participant = await self._unit.amend(Participant, edition_id, participant_id, change)
        await self._lines.serve(edition, participant.session_ids)
        return participant

    async def reinstate(
        self, edition_id: str, participant_id: str, patch: Patch | None = None, *, unmerged: bool = False
    ) -> Reinstatement[Participant]:
        """Have a cancelled participant take part again, changed by the patch; a merged participant only if `unmerged`.

        The participant attends the sessions of before that still have a seat, and waits in the lines of full sessions.

        Raises:
            Conflict: the organisation is cancelled, another participant has the address now, or the edition is closed.
        """

        async def change(participant: Participant) -> Participant:
            must_not_be_erased(participant)
            edition = await self._editions.get(edition_id)
            present = participant.following(edition)
            fields = _fields(present, patch or {}, edition) | ({"merged_into": None} if unmerged else {})
            back = reinstated(participant, edition, self._unit.clock(), cancelled_with_organisation=False, **fields)
            if back is participant:
                return participant
            refuse_new(doubtful_facts_of_participant(back, edition), doubtful_facts_of_participant(present, edition))
            edition.must_have_sessions(back.session_ids, frozenset(participant.session_ids))
            await self._must_be_active_organisation(edition_id, back.organisation_id)
            if participant.status is Status.ACTIVE:
                return await self._lines.give_seats(back, edition, participant)
            # A cancelled participant has lost the old seats to other participants.
            return await self._lines.give_seats(back.model_copy(update={"seats": {}}), edition)

        participant = await self._unit.amend(Participant, edition_id, participant_id, change)
        return Reinstatement(await self._served(participant, participant.waiting_session_ids))

    async def check_in(self, edition_id: str, participant_id: str, *, is_here: bool) -> Participant:
        """Record that a participant has come to the venue, or take that back."""
        edition = await self._editions.get(edition_id)

        async def change(participant: Participant) -> Participant:
            changed = participant.changed(self._unit.clock(), checked_in=is_here)
            if changed is not participant:
                edition.must_be_changeable()
                must_be_active(participant)
            return changed

        return await self._unit.amend(Participant, edition_id, participant_id, change)

    async def revoke_links(self, edition_id: str, participant_id: str) -> Participant:
        """End every link of a participant that was signed so far."""
        await self._editions.get(edition_id)

        async def change(participant: Participant) -> Participant:
            return participant.changed(self._unit.clock(), links=participant.links + 1)

        return await self._unit.amend(Participant, edition_id, participant_id, change)

    async def names(self, edition_id: str, participant_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of participants by id, as far as the principal sees names; unknown ids are left out."""
        if self._unit.principal.sight < Sight.NAMES:
            return {}
        ids = sorted(set(participant_ids))
        found = await self._unit.repository.find_many(Participant, edition_id, ids) if ids else {}
        return {participant_id: participant.name for participant_id, participant in sorted(found.items())}

    async def sides(self, edition_id: str, participant_ids: Iterable[str]) -> dict[str, ReasonSide]:
        """Return participants by id as sides of pairs; none if the principal sees no profiles."""
        if self._unit.principal.sight < Sight.ALL:
            return {}
        ids = sorted(set(participant_ids))
        found = await self._unit.repository.find_many(Participant, edition_id, ids) if ids else {}
        return {participant_id: _side(participant) for participant_id, participant in found.items()}

    async def _must_be_active_organisation(self, edition_id: str, organisation_id: str) -> None:
        organisation = await self._unit.repository.find(Organisation, edition_id, organisation_id)
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)


def _side(participant: Participant) -> ReasonSide:
    profile = participant.profile
    return ReasonSide(participant.participant_id, participant.languages[0], profile.needs, profile.offers)


def _fields(participant: Participant, patch: Patch, edition: Edition) -> dict[str, object]:
    """Return the fields that follow from a patch; a new availability holds for the present calendar."""
    facts = apply_patch(participant, ParticipantFacts, patch).in_zone(edition.timezone)
    is_same = facts.available == participant.available
    calendar = participant.calendar if is_same else edition.calendar if facts.available else None
    # A new address is the participant's own, until the import of a list says otherwise.
    shares = participant.shares_mailbox and facts.email == participant.email
    return facts.values() | {"calendar": calendar, "shares_mailbox": shares}
