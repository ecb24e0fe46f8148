"""Use cases of moves: a participant who represents another organisation, and the colleagues there."""

from __future__ import annotations

from typing import Final

from services.registration.domain.checks.doubtful_fact import DoubtfulFact
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.participant import Participant
from services.registration.ports import Repository

_MOST_NAMED: Final = 20


class MoveService:
    """Use cases of moves."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def requests_of(self, participant: Participant) -> list[MatchRequest]:
        """List the requests that a participant has made, and the requests to the participant."""
        return [
            request
            for side in ("requester_id", "target_id")
            async for request in self._repository.all_of(
                MatchRequest, participant.edition_id, {side: participant.participant_id}
            )
        ]

    async def colleagues(self, participant: Participant) -> list[DoubtfulFact]:
        """Return a warning that names the people of the same organisation with whom the participant has requests."""
        live = [request for request in await self.requests_of(participant) if request.state in LIVE]
        partners = {side for request in live for side in (request.requester_id, request.target_id) if side}
        found = await self._repository.find_many(
            Participant, participant.edition_id, sorted(partners - {participant.participant_id})
        )
        people = [partner for partner in found.values() if partner.organisation_id == participant.organisation_id]
        if not people:
            return []
        # Ids only: the sender of the change may see no names.
        named = ", ".join(sorted(person.id for person in people)[:_MOST_NAMED])
        return [
            DoubtfulFact(
                "/organisation_id",
                f"requests with {len(people)} people of the same organisation stand, without an encounter: {named}",
                "colleagues-asked",
                participant.organisation_id,
            )
        ]
