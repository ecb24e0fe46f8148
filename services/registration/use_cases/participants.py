"""Use cases of participants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from services.registration.domain.checks.doubtful_fact import DoubtfulFact, as_warnings, refuse_new
from services.registration.domain.checks.participant import doubtful_facts_of_participant
from services.registration.domain.edition import Edition, SessionFacts
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.members import Patch, PatchOf
from services.registration.domain.organisation import Organisation
from services.registration.domain.parsing import apply_patch
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.parties import Reinstatement, cancelled, must_be_active, reinstated
from services.registration.domain.seats import Seats, newly_joined, with_open_seats, with_seats
from services.registration.unit_of_work import Revisions, UnitOfWork
from services.registration.use_cases.editions import EditionService
from shared.contract.events import Status


class ParticipantService:
    """Use cases of participants."""

    def __init__(self, unit_of_work: UnitOfWork, editions: EditionService) -> None:
        self._unit = unit_of_work
        self._editions = editions

    async def register(self, edition_id: str, facts: ParticipantFacts, key: str | None) -> Participant:
        """Register a participant of an active organisation."""

        async def build(participant_id: str) -> Participant:
            edition = await self._editions.get_changeable(edition_id)
            await self._must_be_active_organisation(edition_id, facts.organisation_id)
            return await self.give_seats(self.build(edition, facts, participant_id), edition)

        return await self._unit.create(Participant, edition_id, facts, key, build)

    def build(self, edition: Edition, facts: ParticipantFacts, participant_id: str) -> Participant:
        """Return a participant without writing it. Raises `Invalid`."""
        edition.must_have_sessions(facts.session_ids)
        facts = facts.in_zone(edition.timezone)
        refuse_new(doubtful_facts_of_participant(facts, edition))
        return Participant(**self._unit.stamp(edition.edition_id), participant_id=participant_id, **facts.values())

    async def warnings(self, participant: Participant) -> tuple[DoubtfulFact, ...]:
        """List the doubtful facts of a participant."""
        edition = await self._unit.repository.recent_edition(participant.edition_id)
        return as_warnings(doubtful_facts_of_participant(participant, edition)) if edition else ()

    async def give_seats(
        self, participant: Participant, edition: Edition, before: Participant | None = None
    ) -> Participant:
        """Return the participant with a seat in each newly joined session that has a capacity.

        Seats in sessions attended before are kept, even if the capacity has been lowered since.

        Raises:
            Invalid: a session is full.
        """
        sessions = newly_joined(participant, edition, before)
        return with_seats(participant, sessions, await self._seats_taken(edition, sessions))

    async def _seats_taken(self, edition: Edition, sessions: Sequence[SessionFacts]) -> Mapping[str, Seats]:
        ids = [session.session_id for session in sessions]
        return await self._unit.repository.seats_taken(edition.edition_id, ids) if ids else {}

    async def amend(self, edition_id: str, participant_id: str, patch: Patch, revisions: Revisions) -> Participant:
        """Change a participant. Fields that the patch does not name stay.

        A patch that gives the place to a successor names all `FIELDS_OF_THE_PERSON`: `name`, `email`, `languages` and
        `profile`.
        """
        return await self.change(edition_id, participant_id, lambda _: patch, revisions)

    async def change(
        self, edition_id: str, participant_id: str, patch_of: PatchOf[Participant], revisions: Revisions
    ) -> Participant:
        """Change a participant by the patch that follows from the present revision."""

        async def change(participant: Participant) -> Participant:
            edition = await self._editions.get(edition_id)
            facts = apply_patch(participant, ParticipantFacts, patch_of(participant)).in_zone(edition.timezone)
            changed = participant.changed(self._unit.clock(), **facts.values())
            if changed is participant:
                return participant
            edition.must_be_changeable()
            must_be_active(participant)
            refuse_new(
                doubtful_facts_of_participant(changed, edition), doubtful_facts_of_participant(participant, edition)
            )
            # Sessions that the edition has dropped since may stay on the list: they do no harm.
            edition.must_have_sessions(facts.session_ids, frozenset(participant.session_ids))
            if facts.organisation_id != participant.organisation_id:
                await self._must_be_active_organisation(edition_id, facts.organisation_id)
            return await self.give_seats(changed, edition, participant)

        return await self._unit.amend(Participant, edition_id, participant_id, change, revisions)

    async def cancel(self, edition_id: str, participant_id: str, *, with_organisation: bool = False) -> Participant:
        """Cancel a participant."""
        edition = await self._editions.get(edition_id)

        async def change(participant: Participant) -> Participant:
            return cancelled(participant, edition, self._unit.clock(), cancelled_with_organisation=with_organisation)

        return await self._unit.amend(Participant, edition_id, participant_id, change)

    async def reinstate(
        self, edition_id: str, participant_id: str, patch: Patch | None = None
    ) -> Reinstatement[Participant]:
        """Have a cancelled participant take part again, changed by the patch.

        The participant attends the sessions of before that still have a seat; each full session is a warning.

        Raises:
            Conflict: the organisation is cancelled, another participant has the address now, or the edition is closed.
        """
        warnings: tuple[FieldError, ...] = ()

        async def change(participant: Participant) -> Participant:
            nonlocal warnings
            edition = await self._editions.get(edition_id)
            fields = {}
            if patch is not None:
                fields = apply_patch(participant, ParticipantFacts, patch).in_zone(edition.timezone).values()
            back = reinstated(participant, edition, self._unit.clock(), cancelled_with_organisation=False, **fields)
            if back is participant:
                return participant
            refuse_new(
                doubtful_facts_of_participant(back, edition), doubtful_facts_of_participant(participant, edition)
            )
            edition.must_have_sessions(back.session_ids, frozenset(participant.session_ids))
            await self._must_be_active_organisation(edition_id, back.organisation_id)
            before = None if participant.status is Status.CANCELLED else participant
            seated, warnings = await self._give_open_seats(back, edition, before)
            return seated

        participant = await self._unit.amend(Participant, edition_id, participant_id, change)
        return Reinstatement(participant, warnings)

    async def _give_open_seats(
        self, participant: Participant, edition: Edition, before: Participant | None
    ) -> tuple[Participant, tuple[FieldError, ...]]:
        """Give the seats there are. A cancelled participant has lost the old seats to other participants."""
        if before is None:
            participant = participant.model_copy(update={"seats": {}})
        sessions = newly_joined(participant, edition, before)
        return with_open_seats(participant, sessions, await self._seats_taken(edition, sessions))

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

    async def names(self, edition_id: str, participant_ids: Iterable[str]) -> dict[str, str]:
        """Return the names of participants by id; unknown ids are left out."""
        ids = sorted(set(participant_ids))
        found = await self._unit.repository.find_many(Participant, edition_id, ids) if ids else {}
        return {participant_id: participant.name for participant_id, participant in sorted(found.items())}

    async def _must_be_active_organisation(self, edition_id: str, organisation_id: str) -> None:
        organisation = await self._unit.repository.find(Organisation, edition_id, organisation_id)
        if organisation is None:
            raise Invalid(FieldError("/organisation_id", "no such organisation in this edition"))
        must_be_active(organisation)
