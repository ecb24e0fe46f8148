"""What matching knows of an edition, and the changes that make it so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.matching.domain.snapshots import Encounter, Organisation, Participant, Request, Rules
from shared.contract.events import AffinityScored, Status
from shared.contract.ids import pair_id


class RulesRecorded(BaseModel):
    """The edition's rules are now these."""

    type: Literal["rules_learned"] = "rules_learned"
    rules: Rules


class OrganisationRecorded(BaseModel):
    """An organisation is now so."""

    type: Literal["organisation_learned"] = "organisation_learned"
    organisation_id: str
    organisation: Organisation


class ParticipantRecorded(BaseModel):
    """A participant is now so."""

    type: Literal["participant_learned"] = "participant_learned"
    participant_id: str
    participant: Participant


class RequestRecorded(BaseModel):
    """A match request now stands so."""

    type: Literal["request_learned"] = "request_learned"
    request_id: str
    request: Request


class PartnersProposed(BaseModel):
    """An open request's partners are now these, and no others."""

    type: Literal["partners_proposed"] = "partners_proposed"
    request_id: str
    partner_ids: tuple[str, ...]


class AgendasFilled(BaseModel):
    """In a round of proposals the organiser brought these pairs up, beside those of rounds before."""

    type: Literal["agendas_filled"] = "agendas_filled"
    round: int
    pairs: tuple[tuple[str, str], ...]


class PairScored(BaseModel):
    """This was published of a pair. `terms`: what the score was made of, 0..1 each, where it was reckoned anew."""

    type: Literal["pair_scored"] = "pair_scored"
    affinity: AffinityScored
    terms: dict[str, float] = {}


class EncounterRecorded(BaseModel):
    """A pair's encounter stands so."""

    type: Literal["encounter_learned"] = "encounter_learned"
    participant_ids: tuple[str, str]
    encounter: Encounter


Change = Annotated[
    RulesRecorded
    | OrganisationRecorded
    | ParticipantRecorded
    | RequestRecorded
    | PartnersProposed
    | AgendasFilled
    | PairScored
    | EncounterRecorded,
    Field(discriminator="type"),
]


class MatchingState(BaseModel):
    """An edition as matching knows it. `evolve` is the only writer.

    Attributes:
        open_requests: by requester, the ids of their open requests.
        links: by participant and partner, both ways, the ids of the requests that join them: directed ones, and open
            ones that brought the partner up. A pair once joined stays, with or without requests.
        proposals: by open request, the partners proposed for it, best first.
        exposure: by participant, in how many open requests' proposals they are.
        brought: by participant, the partners whom the organiser's rounds have brought up, both ways.
        filled: the last of the organiser's rounds.
        published: by pair id, what was last said of it.
        encounters: by pair id, how its encounter stands.
    """

    edition_id: str
    rules: Rules | None = None
    organisations: dict[str, Organisation] = {}
    participants: dict[str, Participant] = {}
    requests: dict[str, Request] = {}
    open_requests: dict[str, list[str]] = {}
    links: dict[str, dict[str, list[str]]] = {}
    proposals: dict[str, tuple[str, ...]] = {}
    exposure: dict[str, int] = {}
    brought: dict[str, list[str]] = {}
    filled: int = 0
    published: dict[str, AffinityScored] = {}
    encounters: dict[str, Encounter] = {}

    def complete(self, participant_id: str) -> bool:
        """Whether the participant and the organisation they represent are both known."""
        participant = self.participants.get(participant_id)
        return participant is not None and participant.organisation_id in self.organisations

    def active(self, participant_id: str) -> bool:
        """Whether a complete participant takes part, and so does their organisation."""
        participant = self.participants[participant_id]
        organisation = self.organisations[participant.organisation_id]
        return participant.status is Status.ACTIVE and organisation.status is Status.ACTIVE

    def crowded(self, participant_id: str) -> bool:
        """Whether somebody is in as many lists of proposals as they can have encounters."""
        most = self.rules.most_encounters if self.rules else None
        return most is not None and self.exposure.get(participant_id, 0) >= most

    def kept_apart(self, one: str, other: str) -> bool:
        """Whether either of two complete participants blocks the other, or the organisation they represent."""
        first, second = self.participants[one], self.participants[other]
        return first.blocks(other, second.organisation_id) or second.blocks(one, first.organisation_id)

    def seeking(self, participant_id: str) -> bool:
        """Whether the participant has an open request that still stands."""
        return any(self.requests[request_id].live for request_id in self.open_requests.get(participant_id, ()))

    def between(self, one: str, other: str) -> Iterator[tuple[str, Request]]:
        """The requests that join two participants, whatever their state, with their ids."""
        for request_id in self.links.get(one, {}).get(other, ()):
            yield request_id, self.requests[request_id]


def evolve(state: MatchingState, change: Change) -> None:
    """Make the change in the state. A pure fold: the same changes in the same order give the same state."""
    match change:
        case RulesRecorded():
            state.rules = change.rules
        case OrganisationRecorded():
            state.organisations[change.organisation_id] = change.organisation
        case ParticipantRecorded():
            state.participants[change.participant_id] = change.participant
        case RequestRecorded():
            _unjoin(state, change.request_id)
            state.requests[change.request_id] = change.request
            _join(state, change.request_id)
        case PartnersProposed():
            _unjoin(state, change.request_id)
            state.proposals[change.request_id] = change.partner_ids
            _join(state, change.request_id)
        case AgendasFilled():
            state.filled = change.round
            for one, other in change.pairs:
                _bring_up(state, one, other)
                _bring_up(state, other, one)
        case PairScored():
            published = change.affinity
            state.published[pair_id(state.edition_id, *published.participant_ids)] = published
        case EncounterRecorded():
            state.encounters[pair_id(state.edition_id, *change.participant_ids)] = change.encounter


def partners_of(state: MatchingState, request_id: str) -> tuple[str, ...]:
    """Whom a request joins its requester with: its target, or the partners proposed for it."""
    target_id = state.requests[request_id].target_id
    return state.proposals.get(request_id, ()) if target_id is None else (target_id,)


def _bring_up(state: MatchingState, one: str, other: str) -> None:
    state.brought.setdefault(one, []).append(other)
    state.links.setdefault(one, {}).setdefault(other, [])


def _join(state: MatchingState, request_id: str) -> None:
    request = state.requests[request_id]
    if request.target_id is None:
        state.open_requests.setdefault(request.requester_id, []).append(request_id)
        for partner_id in partners_of(state, request_id):
            state.exposure[partner_id] = state.exposure.get(partner_id, 0) + 1
    for partner_id in partners_of(state, request_id):
        state.links.setdefault(request.requester_id, {}).setdefault(partner_id, []).append(request_id)
        state.links.setdefault(partner_id, {}).setdefault(request.requester_id, []).append(request_id)


def _unjoin(state: MatchingState, request_id: str) -> None:
    if request_id not in state.requests:
        return
    request = state.requests[request_id]
    if request.target_id is None:
        state.open_requests[request.requester_id].remove(request_id)
        for partner_id in partners_of(state, request_id):
            state.exposure[partner_id] = state.exposure.get(partner_id, 1) - 1
    for partner_id in partners_of(state, request_id):
        state.links[request.requester_id][partner_id].remove(request_id)
        state.links[partner_id][request.requester_id].remove(request_id)
