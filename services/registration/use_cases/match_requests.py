"""Use cases of match requests."""

from __future__ import annotations

from services.registration.domain.edition import Edition
from services.registration.domain.errors import Conflict, FieldError, Invalid, NotFound
from services.registration.domain.match_request import Answer, MatchRequest, MatchRequestFacts, pair_key
from services.registration.domain.participant import Participant
from services.registration.domain.parties import must_be_active
from services.registration.unit_of_work import UnitOfWork
from services.registration.use_cases.editions import EditionService
from shared.contract.events import RequestState

_NO_SUCH_PARTICIPANT = "no such participant in this edition"


class MatchRequestService:
    """Use cases of match requests."""

    def __init__(self, unit_of_work: UnitOfWork, editions: EditionService) -> None:
        self._unit = unit_of_work
        self._editions = editions

    async def create(self, edition_id: str, facts: MatchRequestFacts, key: str | None) -> MatchRequest:
        """Ask to meet a participant or, without a target, ask the system for partners."""

        async def build(request_id: str) -> MatchRequest:
            edition = await self._editions.get_changeable(edition_id)
            await self._must_be_able_to_meet(edition_id, facts)
            await self._must_have_requests_left(edition, facts.requester_id)
            stamp = self._unit.stamp(edition_id)
            await self._take_refusal_back(edition_id, facts)
            expires_at = edition.answer_by(stamp["created_at"]) if facts.target_id else None
            return MatchRequest(**stamp, request_id=request_id, expires_at=expires_at, **facts.values())

        return await self._unit.create(MatchRequest, edition_id, facts, key, build)

    async def answer(self, edition_id: str, request_id: str, answer: Answer) -> MatchRequest:
        """Accept, decline, withdraw or expire a match request. A repeated answer changes nothing."""

        async def change(request: MatchRequest) -> MatchRequest:
            answered = request.answered(answer, self._unit.clock())
            # Requests expire in a closed edition too: no operator does it.
            if answered is not request and answer is not Answer.EXPIRY:
                await self._editions.get_changeable(edition_id)
            return answered

        return await self._unit.amend(MatchRequest, edition_id, request_id, change)

    async def answer_as(self, edition_id: str, participant_id: str, request_id: str, answer: Answer) -> MatchRequest:
        """Answer as the participant whom the answer is for: the target accepts and declines, the requester withdraws.

        Raises:
            NotFound: the participant has no such request to answer in this way.
        """
        request = await self._unit.repository.find(MatchRequest, edition_id, request_id)
        if request is None or participant_id != request.side_of(answer):
            raise NotFound(f"there is no such match request for the {answer} of this participant")
        return await self.answer(edition_id, request_id, answer)

    async def _must_be_able_to_meet(self, edition_id: str, facts: MatchRequestFacts) -> None:
        ids = {"/requester_id": facts.requester_id} | ({"/target_id": facts.target_id} if facts.target_id else {})
        found = await self._unit.repository.find_many(Participant, edition_id, list(ids.values()))
        missing = [
            FieldError(pointer, _NO_SUCH_PARTICIPANT)
            for pointer, participant_id in ids.items()
            if participant_id not in found
        ]
        if missing:
            raise Invalid(*missing)
        # A participant learns nothing of a block: the answer is the same as for an unknown id.
        if facts.target_id and found[facts.requester_id].is_kept_apart_from(found[facts.target_id]):
            raise Invalid(FieldError("/target_id", _NO_SUCH_PARTICIPANT))
        for participant in found.values():
            must_be_active(participant)
        if facts.target_id and len({participant.organisation_id for participant in found.values()}) == 1:
            raise Invalid(FieldError("/target_id", "both are of the same organisation"))

    async def _take_refusal_back(self, edition_id: str, facts: MatchRequestFacts) -> None:
        """Let a participant be asked again by a partner whom the participant declined, and now asks.

        The declined request stays as it is; it no longer prevents a second request of the same pair.
        """
        if facts.target_id is None or self._unit.gate.dry_run:
            return
        key = pair_key(edition_id, facts.target_id, facts.requester_id)
        declined = (await self._unit.repository.find_unique(MatchRequest, [key])).get(key)
        if declined is not None and declined.state is RequestState.DECLINED:
            await self._unit.repository.release(declined)

    async def _must_have_requests_left(self, edition: Edition, requester_id: str) -> None:
        # Best effort: concurrent requests of a participant may exceed the limit by their number. An exact count would
        # be a second document to write, and to mend after a crash. People's time is protected by max_encounters, a
        # limit that the scheduler holds exactly.
        most = edition.quotas.max_requests
        if most is None:
            return
        if await self._unit.repository.count_live_requests(edition.edition_id, requester_id) >= most:
            raise Conflict(f"participant {requester_id} has {most} live match requests, the most this edition allows")
