"""The state of an edition in matching."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from services.matching.domain.rescoring.pairs_left import PairsLeft
from services.matching.domain.snapshots import (
    EditionRules,
    EncounterSnapshot,
    OrganisationSnapshot,
    ParticipantSnapshot,
    RequestSnapshot,
)
from shared.contract.events import AffinityScored, Status


class MatchingState(BaseModel):
    """An edition as matching knows it. Only `evolve` writes it.

    Attributes:
        first_operator_id: the operator of the first event. States of older versions have none.
        open_requests: by requester, the ids of their open requests.
        links: by participant and partner, in both directions, the ids of the requests that join the two: directed
            requests, and open requests with the partner among their proposals. A pair that was joined stays here,
            also without requests.
        proposals: by open request, its proposed partners, best first.
        exposure: by participant, the number of open requests with the participant among their proposals.
        brought: by participant, the partners from the organiser's proposal rounds, in both directions.
        filled: number of the organiser's last proposal round.
        published: by pair id, the last published affinity.
        encounters: by pair id, the state of the encounter.
        left: pairs of the last event that are still to be published; no further event is taken before.
    """

    edition_id: str
    first_operator_id: str | None = None
    rules: EditionRules | None = None
    organisations: dict[str, OrganisationSnapshot] = {}
    participants: dict[str, ParticipantSnapshot] = {}
    requests: dict[str, RequestSnapshot] = {}
    open_requests: dict[str, list[str]] = {}
    links: dict[str, dict[str, list[str]]] = {}
    proposals: dict[str, tuple[str, ...]] = {}
    exposure: dict[str, int] = {}
    brought: dict[str, list[str]] = {}
    filled: int = 0
    published: dict[str, AffinityScored] = {}
    encounters: dict[str, EncounterSnapshot] = {}
    left: PairsLeft | None = None

    @property
    def operator_id(self) -> str | None:
        """The edition's operator. While the rules are unknown, the operator of the first event."""
        published = (affinity.operator_id for affinity in self.published.values())
        return self.first_operator_id or next(published, None)

    def begin_with(self, operator_id: str) -> None:
        """Record the operator, and forget all events of the operator before."""
        if self.operator_id is not None:
            self.__dict__.update(MatchingState(edition_id=self.edition_id).__dict__)
        self.first_operator_id = operator_id

    def complete(self, participant_id: str) -> bool:
        """Tell whether the participant and the organisation they represent are both known."""
        participant = self.participants.get(participant_id)
        return participant is not None and participant.organisation_id in self.organisations

    def active(self, participant_id: str) -> bool:
        """Tell whether a complete participant and their organisation both take part."""
        participant = self.participants[participant_id]
        organisation = self.organisations[participant.organisation_id]
        return participant.status is Status.ACTIVE and organisation.status is Status.ACTIVE

    def at_capacity(self, participant_id: str) -> bool:
        """Tell whether as many proposal lists name a participant as the participant can have encounters."""
        most = self.rules.most_encounters if self.rules else None
        return most is not None and self.exposure.get(participant_id, 0) >= most

    def blocked(self, first_id: str, second_id: str) -> bool:
        """Tell whether either of two complete participants blocks the partner or the partner's organisation."""
        first, second = self.participants[first_id], self.participants[second_id]
        return first.blocks(second_id, second.organisation_id) or second.blocks(first_id, first.organisation_id)

    def seeking(self, participant_id: str) -> bool:
        """Tell whether the participant has a live open request."""
        return any(self.requests[request_id].live for request_id in self.open_requests.get(participant_id, ()))

    def requests_between(self, first_id: str, second_id: str) -> Iterator[tuple[str, RequestSnapshot]]:
        """Yield the requests that join two participants, in any state, with their ids."""
        for request_id in self.links.get(first_id, {}).get(second_id, ()):
            yield request_id, self.requests[request_id]

    def partners_of(self, request_id: str) -> tuple[str, ...]:
        """Return the participants that a request joins with its requester: its target, or its proposals."""
        target_id = self.requests[request_id].target_id
        return self.proposals.get(request_id, ()) if target_id is None else (target_id,)
