"""How a batch of events changes what is known of an edition, and what is then said of its pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.affinity import reasons_of
from services.matching.domain.consent import Side, consent_of
from services.matching.domain.facts import Organisation, Participant, Request, Rules
from services.matching.domain.pool import Pool
from services.matching.domain.proposals import best_partners, concerned
from services.matching.domain.state import (
    Change,
    MatchingState,
    OrganisationLearned,
    PairScored,
    ParticipantLearned,
    PartnersProposed,
    RequestLearned,
    RulesLearned,
    evolve,
    partners_of,
)
from services.matching.domain.text import TextScorer
from shared.events import (
    AffinityScored,
    EditionChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    Origin,
    ParticipantChanged,
    RequestState,
)
from shared.ids import pair_id, pair_of

#: Pools kept, the least used is dropped: one of 350 participants takes 3 MB, one of 10,000 about 100.
_POOLS_KEPT: Final = 64
_REQUESTS_NAMED: Final = 50
#: Pairs scored in one product of matrices.
_PAIRS_AT_ONCE: Final = 64


class Matchmaker:
    """Decides on batches of events. Keeps, beside each state, the arrays made of it."""

    def __init__(self, scorer: TextScorer) -> None:
        self._scorer = scorer
        self._pools: OrderedDict[str, tuple[MatchingState, Pool]] = OrderedDict()

    def decide(
        self, state: MatchingState, events: Sequence[Event], now: datetime
    ) -> tuple[list[Change], list[AffinityScored]]:
        """What the events change in `state`, with the changes made, and what is to be said. Total: never raises.

        What is said of a pair depends on the state after the whole batch, so neither the order within a batch nor
        a repeat matters. A pair waits until both sides, their organisations and the edition's rules are known.
        """
        if not events:
            return [], []
        batch = _Batch(state, self._pool(state), events[0].operator_id, now)
        batch.learn(events)
        batch.propose()
        batch.score()
        return batch.changes, batch.said

    def _pool(self, state: MatchingState) -> Pool:
        """The pool made of this very state: one made of a state since thrown away is thrown away with it."""
        kept = self._pools.pop(state.edition_id, None)
        if kept is None or kept[0] is not state:
            kept = (state, Pool(self._scorer))
            kept[1].put(state, state.participants)
        self._pools[state.edition_id] = kept
        if len(self._pools) > _POOLS_KEPT:
            self._pools.popitem(last=False)
        return kept[1]


class _Batch:
    """One batch at work: what has changed so far, and what that touches."""

    def __init__(self, state: MatchingState, pool: Pool, operator_id: str, now: datetime) -> None:
        self.changes: list[Change] = []
        self.said: list[AffinityScored] = []
        self._state = state
        self._pool = pool
        self._operator_id = operator_id
        self._now = now
        self._participants: set[str] = set()
        self._organisations: set[str] = set()
        self._requests: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()

    def learn(self, events: Iterable[Event]) -> None:
        """Take from each event what is newer than what is known."""
        for event in events:
            match event:
                case EditionChanged():
                    self._learn_rules(Rules.of(event))
                case OrganisationChanged():
                    self._learn_organisation(event.organisation_id, Organisation.of(event))
                case ParticipantChanged():
                    self._learn_participant(event.participant_id, Participant.of(event))
                case MatchRequestChanged():
                    self._learn_request(event.request_id, Request.of(event))
        if self._organisations:
            self._participants |= {
                one for one, known in self._state.participants.items() if known.organisation_id in self._organisations
            }
        self._pool.put(self._state, self._participants)
        for participant_id in self._participants:
            self._touch_all(participant_id)

    def propose(self) -> None:
        """Bring the partners of every open request that is concerned up to date."""
        rules = self._state.rules
        if rules is None:
            return
        request_ids = sorted(self._requests.union(concerned(self._state, rules, self._pool, self._participants)))
        for request_id, partner_ids in best_partners(self._state, rules, self._pool, request_ids):
            before = self._state.proposals.get(request_id, ())
            if partner_ids != before:
                self._make(PartnersProposed(request_id=request_id, partner_ids=partner_ids))
                requester_id = self._state.requests[request_id].requester_id
                self._pairs |= {pair_of(requester_id, partner_id) for partner_id in {*before, *partner_ids}}

    def score(self) -> None:
        """Say of each touched pair what has changed, if all that it takes is known."""
        state = self._state
        if state.rules is None:
            return
        pairs = sorted(pair for pair in self._pairs if state.complete(pair[0]) and state.complete(pair[1]))
        for at in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[at : at + _PAIRS_AT_ONCE]
            lines = {one: line for line, one in enumerate(dict.fromkeys(one for one, _ in some))}
            columns = {other: column for column, other in enumerate(dict.fromkeys(other for _, other in some))}
            terms = self._pool.terms(lines, self._pool.rows(columns))
            scores, weights = terms.scores, terms.weights
            for one, other in some:
                line, column = lines[one], columns[other]
                self._say(state.rules, (one, other), float(scores[line, column]), weights[:, line, column])

    def _learn_rules(self, rules: Rules) -> None:
        known = self._state.rules
        if rules.newer_than(known):
            self._make(RulesLearned(rules=rules))
            if not rules.says_the_same_as(known):
                self._pairs |= {pair_of(one, other) for one, others in self._state.links.items() for other in others}
                self._requests |= {one for some in self._state.open_requests.values() for one in some}

    def _learn_organisation(self, organisation_id: str, organisation: Organisation) -> None:
        known = self._state.organisations.get(organisation_id)
        if organisation.newer_than(known):
            self._make(OrganisationLearned(organisation_id=organisation_id, organisation=organisation))
            if not organisation.says_the_same_as(known):
                self._organisations.add(organisation_id)

    def _learn_participant(self, participant_id: str, participant: Participant) -> None:
        known = self._state.participants.get(participant_id)
        if participant.newer_than(known):
            self._make(ParticipantLearned(participant_id=participant_id, participant=participant))
            if not participant.says_the_same_as(known):
                self._participants.add(participant_id)

    def _learn_request(self, request_id: str, request: Request) -> None:
        known = self._state.requests.get(request_id)
        if request.newer_than(known):
            if known is not None:
                self._touch_request(request_id)
            self._make(RequestLearned(request_id=request_id, request=request))
            self._touch_request(request_id)

    def _touch_request(self, request_id: str) -> None:
        """A directed request touches its pair, and whom its parties may be proposed; an open one all of its pairs."""
        request = self._state.requests[request_id]
        if request.target_id is None:
            self._requests.add(request_id)
            self._touch_all(request.requester_id)
            return
        self._pairs |= {pair_of(request.requester_id, other) for other in partners_of(self._state, request_id)}
        for party_id in (request.requester_id, request.target_id):
            self._requests |= set(self._state.open_requests.get(party_id, ()))

    def _touch_all(self, participant_id: str) -> None:
        self._pairs |= {pair_of(participant_id, other) for other in self._state.links.get(participant_id, ())}

    def _say(self, rules: Rules, pair: tuple[str, str], score: float, weights: NDArray[np.float64]) -> None:
        state, identity = self._state, pair_id(self._state.edition_id, *pair)
        before, requests = state.published.get(identity), dict(state.between(*pair))
        behind = {one: request for one, request in requests.items() if request.live} or requests
        if before is None and not behind:
            return
        request_ids = tuple(sorted(behind)[:_REQUESTS_NAMED])
        directed = any(request.target_id is not None for request in requests.values())
        affinity = AffinityScored(
            operator_id=self._operator_id,
            edition_id=state.edition_id,
            revision=before.revision if before else 1,
            occurred_at=before.occurred_at if before else self._now,
            pair_id=identity,
            participant_ids=pair,
            # A pair no longer proposed has no requests left: it keeps the name of the last ones.
            request_ids=request_ids or (before.request_ids if before else ()),
            origin=Origin.REQUESTED if directed else Origin.PROPOSED,
            consent=consent_of(rules.policy, self._side(*pair), self._side(*reversed(pair))),
            score=score,
            priority=max((one.priority for one in behind.values()), default=before.priority if before else 1),
            reasons=reasons_of(state, *pair, weights),
        )
        if affinity != before:
            revision = before.revision + 1 if before else 1
            affinity = affinity.model_copy(update={"revision": revision, "occurred_at": self._now})
            self._make(PairScored(affinity=affinity))
            self.said.append(affinity)

    def _side(self, one: str, other: str) -> Side:
        requests = [request for _, request in self._state.between(one, other)]
        asked = [request for request in requests if request.requester_id == one]
        answered = {request.state for request in requests if request.target_id == one}
        return Side(
            active=self._state.active(one),
            asked=any(request.live and request.target_id == other for request in asked),
            accepted=RequestState.ACCEPTED in answered,
            declined=RequestState.DECLINED in answered,
            seeking=self._state.seeking(one),
            offered=any(request.live and request.target_id is None for request in asked),
        )

    def _make(self, change: Change) -> None:
        evolve(self._state, change)
        self.changes.append(change)
