"""Effects of an event: the changes it causes, the pairs it touches, and the affinities to publish."""

from __future__ import annotations

from services.matching.domain.changes import (
    Change,
    EncounterRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    ParticipantRecorded,
    PartnersProposed,
    ProposalRoundRecorded,
    RequestRecorded,
    RulesRecorded,
)
from services.matching.domain.evolve import evolve
from services.matching.domain.proposal_rounds import pairs_of_round
from services.matching.domain.proposals import best_partners, requests_to_update
from services.matching.domain.publication import PairsPublication, Publisher
from services.matching.domain.rescoring.pairs_left import PairsLeft
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.snapshots import (
    EditionRules,
    EncounterSnapshot,
    OrganisationSnapshot,
    ParticipantSnapshot,
    RequestSnapshot,
)
from services.matching.domain.state import MatchingState
from shared.contract.events import (
    AffinityScored,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
    Status,
)
from shared.contract.ids import pair_id, pair_of


class EventEffects:
    """Works out the effects of an event. Appends changes and affinities to the given lists."""

    def __init__(
        self, state: MatchingState, event: Event, changes: list[Change], published: list[AffinityScored]
    ) -> None:
        self._state = state
        self._event = event
        self._changes = changes
        self._published = published
        self._participants: set[str] = set()
        #: Participants erased after the end of the edition: their vectors go, and their scores stay as they were.
        self._erased: set[str] = set()
        self._requests: set[str] = set()
        #: Touched pairs. True: the score may have changed; False: only the requests of the pair have.
        self._pairs: dict[tuple[str, str], bool] = {}

    def record(self) -> None:
        """Record the event if its revision is newer than the recorded revision."""
        event = self._event
        self._record_operator(event.operator_id)
        match event:
            case EditionChanged():
                self._record_rules(EditionRules.of(event))
            case OrganisationChanged() | OrganisationErased():
                self._record_organisation(event.organisation_id, OrganisationSnapshot.of(event))
            case ParticipantChanged() | ParticipantErased():
                known = self._state.participants.get(event.participant_id)
                self._record_participant(event.participant_id, ParticipantSnapshot.of(event, known))
            case MatchRequestChanged():
                self._record_request(event.request_id, RequestSnapshot.of(event), event.actor)
            case EncounterChanged():
                self._record_encounter(event.participant_ids, EncounterSnapshot.of(event))

    def update(self, pool: Pool) -> None:
        """Update the pool, the proposals, and the published affinities of touched pairs."""
        pool.put(self._state, sorted(self._participants | self._erased))
        for participant_id in self._participants:
            self._touch_all(participant_id, rescored=True)
        self._propose(pool)
        self._run_proposal_round(pool)
        self._publish_touched(pool)

    def _propose(self, pool: Pool) -> None:
        """Update the partners of every affected open request, and then of requests that gain from freed partners."""
        changed, requests = self._participants, self._requests
        while requests or changed:
            request_ids = sorted(requests.union(requests_to_update(self._state, pool, changed)))
            changed, requests = self._propose_for(pool, request_ids), set()

    def _propose_for(self, pool: Pool, request_ids: list[str]) -> set[str]:
        """Update the partners of open requests; return participants at capacity that left a proposal list."""
        state, freed = self._state, set()
        for request_id, partner_ids in best_partners(state, pool, request_ids):
            before = state.proposals.get(request_id, ())
            if partner_ids != before:
                freed |= {partner_id for partner_id in set(before) - set(partner_ids) if state.at_capacity(partner_id)}
                self._apply(PartnersProposed(request_id=request_id, partner_ids=partner_ids))
                requester_id = state.requests[request_id].requester_id
                for partner_id in (*before, *partner_ids):
                    self._touch(requester_id, partner_id)
        return freed

    def _run_proposal_round(self, pool: Pool) -> None:
        """Add pairs for participants with too few encounters, if the organiser has started a new proposal round."""
        rules = self._state.rules
        if rules is None or rules.filling is None or rules.filling.round <= self._state.filled:
            return
        pairs = pairs_of_round(self._state, rules, pool, rules.filling.encounters)
        self._apply(ProposalRoundRecorded(round=rules.filling.round, pairs=pairs))
        for first_id, second_id in pairs:
            self._touch(first_id, second_id)

    def _publish_touched(self, pool: Pool) -> None:
        """Publish every touched pair with a changed affinity, once both participants are complete."""
        state, event = self._state, self._event
        publisher = Publisher(state, pool)
        complete = sorted(pair for pair in self._pairs if state.complete(pair[0]) and state.complete(pair[1]))
        unscored = [pair for pair in complete if self._pairs[pair] or not publisher.has_scored(pair)]
        left = PairsLeft(
            operator_id=event.operator_id,
            occurred_at=event.occurred_at,
            to_score=unscored,
            to_keep=sorted(set(complete).difference(unscored)),
        )
        PairsPublication(state, pool, self._changes, self._published).begin(left)

    def _record_operator(self, operator_id: str) -> None:
        """Record the operator of a first event, or of the edition if that differs."""
        known = self._state.operator_id
        if known is None or (self._state.rules is None and operator_id != known):
            self._apply(OperatorRecorded(operator_id=operator_id))

    def _record_rules(self, rules: EditionRules) -> None:
        known = self._state.rules
        if rules.newer_than(known):
            self._apply(RulesRecorded(rules=rules))
            if not rules.equals_but_for_revision(known):
                rescored = known is None or known.affinity_version != rules.affinity_version
                for participant_id in self._state.links:
                    self._touch_all(participant_id, rescored=rescored)
                self._requests |= {
                    request_id for request_ids in self._state.open_requests.values() for request_id in request_ids
                }

    def _record_organisation(self, organisation_id: str, organisation: OrganisationSnapshot) -> None:
        known = self._state.organisations.get(organisation_id)
        if organisation.newer_than(known):
            self._apply(OrganisationRecorded(organisation_id=organisation_id, organisation=organisation))
            if not organisation.equals_but_for_revision(known) and not self._is_after_the_end:
                self._participants |= {
                    participant_id
                    for participant_id, participant in self._state.participants.items()
                    if participant.organisation_id == organisation_id
                }

    def _record_participant(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        known = self._state.participants.get(participant_id)
        if participant.newer_than(known):
            self._apply(ParticipantRecorded(participant_id=participant_id, participant=participant))
            if not participant.equals_but_for_revision(known):
                touched = self._erased if self._is_after_the_end else self._participants
                touched.add(participant_id)

    @property
    def _is_after_the_end(self) -> bool:
        """True for an erasure in a closed edition."""
        event = self._event
        return isinstance(event, OrganisationErased | ParticipantErased) and event.status is Status.ACTIVE

    def _record_request(self, request_id: str, request: RequestSnapshot, actor: str | None) -> None:
        known = self._state.requests.get(request_id)
        if request.newer_than(known):
            if known is not None:
                self._touch_request(request_id)
            self._apply(RequestRecorded(request_id=request_id, request=request, actor=actor))
            self._touch_request(request_id)

    def _record_encounter(self, participant_ids: tuple[str, str], encounter: EncounterSnapshot) -> None:
        identity = pair_id(self._state.edition_id, *participant_ids)
        known = self._state.encounters.get(identity)
        if encounter.newer_than(known) and not encounter.equals_but_for_revision(known):
            self._apply(EncounterRecorded(participant_ids=participant_ids, encounter=encounter))

    def _touch_request(self, request_id: str) -> None:
        """Touch the pair of a directed request, or all pairs of an open request's requester.

        A directed request also affects the open requests of its two participants.
        """
        request = self._state.requests[request_id]
        if request.target_id is None:
            self._requests.add(request_id)
            self._touch_all(request.requester_id)
            return
        for partner_id in self._state.partners_of(request_id):
            self._touch(request.requester_id, partner_id)
        for party_id in (request.requester_id, request.target_id):
            self._requests |= set(self._state.open_requests.get(party_id, ()))

    def _touch_all(self, participant_id: str, *, rescored: bool = False) -> None:
        for partner_id in self._state.links.get(participant_id, ()):
            self._touch(participant_id, partner_id, rescored=rescored)

    def _touch(self, first_id: str, second_id: str, *, rescored: bool = False) -> None:
        pair = pair_of(first_id, second_id)
        self._pairs[pair] = self._pairs.get(pair, False) or rescored

    def _apply(self, change: Change) -> None:
        evolve(self._state, change)
        self._changes.append(change)
