"""Apply changes to the state. A pure fold: the same changes in the same order give the same state."""

from __future__ import annotations

from typing import assert_never

from services.matching.domain.changes import (
    Change,
    EncounterRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    PairScored,
    PairsDeferred,
    PairsPublished,
    ParticipantRecorded,
    PartnersProposed,
    ProposalRoundRecorded,
    RequestRecorded,
    RulesRecorded,
)
from services.matching.domain.state import MatchingState
from shared.contract.ids import pair_id


def evolve(state: MatchingState, change: Change) -> None:
    """Apply a change."""
    match change:
        case OperatorRecorded():
            state.begin_with(change.operator_id)
        case RulesRecorded():
            state.rules = change.rules
        case OrganisationRecorded():
            state.organisations[change.organisation_id] = change.organisation
        case ParticipantRecorded():
            state.participants[change.participant_id] = change.participant
        case RequestRecorded():
            _unlink(state, change.request_id)
            state.requests[change.request_id] = change.request
            _link(state, change.request_id)
        case PartnersProposed():
            _unlink(state, change.request_id)
            state.proposals[change.request_id] = change.partner_ids
            _link(state, change.request_id)
        case ProposalRoundRecorded():
            _add_round(state, change)
        case PairScored() | PairsDeferred() | PairsPublished():
            _publish(state, change)
        case EncounterRecorded():
            state.encounters[pair_id(state.edition_id, *change.participant_ids)] = change.encounter
        case _:
            assert_never(change)


def _publish(state: MatchingState, change: PairScored | PairsDeferred | PairsPublished) -> None:
    match change:
        case PairScored(affinity=published):
            state.published[pair_id(state.edition_id, *published.participant_ids)] = published
        case PairsDeferred():
            # A copy, because the entry is written after the first slice.
            state.left = change.left.model_copy(deep=True)
        case PairsPublished() if state.left is not None and not state.left.remove(change.count):
            state.left = None


def _add_round(state: MatchingState, change: ProposalRoundRecorded) -> None:
    state.filled = change.round
    for first_id, second_id in change.pairs:
        _add_round_partner(state, first_id, second_id)
        _add_round_partner(state, second_id, first_id)


def _add_round_partner(state: MatchingState, participant_id: str, partner_id: str) -> None:
    state.brought.setdefault(participant_id, []).append(partner_id)
    state.links.setdefault(participant_id, {}).setdefault(partner_id, [])


def _link(state: MatchingState, request_id: str) -> None:
    request = state.requests[request_id]
    if request.target_id is None:
        state.open_requests.setdefault(request.requester_id, []).append(request_id)
        for partner_id in state.partners_of(request_id):
            state.exposure[partner_id] = state.exposure.get(partner_id, 0) + 1
    for partner_id in state.partners_of(request_id):
        state.links.setdefault(request.requester_id, {}).setdefault(partner_id, []).append(request_id)
        state.links.setdefault(partner_id, {}).setdefault(request.requester_id, []).append(request_id)


def _unlink(state: MatchingState, request_id: str) -> None:
    if request_id not in state.requests:
        return
    request = state.requests[request_id]
    if request.target_id is None:
        state.open_requests[request.requester_id].remove(request_id)
        for partner_id in state.partners_of(request_id):
            state.exposure[partner_id] = state.exposure.get(partner_id, 1) - 1
    for partner_id in state.partners_of(request_id):
        state.links[request.requester_id][partner_id].remove(request_id)
        state.links[partner_id][request.requester_id].remove(request_id)
