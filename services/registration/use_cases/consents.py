"""Use cases of consents. They hold in every phase: a consent can be withdrawn from a closed edition."""

from __future__ import annotations

from services.registration.domain.consents import ConsentFacts, answered, withdrawn
from services.registration.domain.errors import NotFound
from services.registration.domain.participant import Participant
from services.registration.domain.parties import must_not_be_erased
from services.registration.service import OperatorService
from shared.contract.events import ConsentSubject


class ConsentService:
    """Use cases of consents, for an operator."""

    def __init__(self, service: OperatorService) -> None:
        self._unit = service.unit_of_work

    async def record(
        self, edition_id: str, participant_id: str, subject: str, facts: ConsentFacts | None
    ) -> Participant:
        """Record an answer of a participant; without facts, the withdrawal of a consent.

        Raises:
            NotFound: there is no such participant, or no such subject.
            Conflict: the participant was erased.
        """
        by, now = self._unit.principal.actor, self._unit.clock()

        async def change(participant: Participant) -> Participant:
            must_not_be_erased(participant)
            if subject not in set(ConsentSubject):
                raise NotFound(f"there is no such consent: the subject is {' or '.join(ConsentSubject)}")
            if facts is None:
                return withdrawn(participant, ConsentSubject(subject), by, now)
            return answered(participant, ConsentSubject(subject), facts, by, now)

        return await self._unit.amend(Participant, edition_id, participant_id, change)
