"""Affinities to publish: the score and reasons of a pair, and the consent that follows from its requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from services.matching.domain.changes import Change, PairScored, PairsDeferred, PairsPublished
from services.matching.domain.consent import ConsentSide, consent_of
from services.matching.domain.evolve import evolve
from services.matching.domain.rescoring.pairs_left import Occasion, Pair, PairsLeft
from services.matching.domain.scoring.affinity import MET_BEFORE, Affinity, reasons_of
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from shared.contract.events import AffinityScored, NeedMet, Origin, RequestState
from shared.contract.ids import pair_id

_REQUESTS_NAMED: Final = 50
#: Pairs scored in one product of matrices. A slice is a multiple, so that slices change no score.
_PAIRS_AT_ONCE: Final = 64


class Publisher:
    """Scores pairs and builds the next revision of their affinities."""

    def __init__(self, state: MatchingState, pool: Pool) -> None:
        self._state = state
        self._pool = pool

    def has_scored(self, pair: Pair) -> bool:
        """Tell whether an affinity of the pair has been published, with a score of the version that scores now."""
        before = self._state.published.get(pair_id(self._state.edition_id, *pair))
        return before is not None and before.configuration.partition("+")[0] == self._pool.configuration.version

    def scored(self, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, dict[str, Any], dict[str, float]]]:
        """Yield the pairs with the score fields of their affinities and with the terms behind them."""
        lines = {first_id: line for line, first_id in enumerate(dict.fromkeys(first_id for first_id, _ in pairs))}
        columns = {
            second_id: column for column, second_id in enumerate(dict.fromkeys(second_id for _, second_id in pairs))
        }
        affinities = self._pool.affinities(lines, self._pool.rows(columns))
        for pair in pairs:
            affinity = affinities.of_pair(lines[pair[0]], columns[pair[1]])
            terms = {str(term): value for term, value in affinity.values.items()}
            yield pair, self._scored(pair, affinity), {**terms, MET_BEFORE: float(affinity.in_vain)}

    def last_score(self, pair: Pair) -> dict[str, Any]:
        """Return the score fields of the pair's last published affinity."""
        before = self._state.published[pair_id(self._state.edition_id, *pair)]
        return {name: getattr(before, name) for name in ("score", "reasons", "configuration", "low_confidence")}

    def _scored(self, pair: Pair, affinity: Affinity) -> dict[str, Any]:
        participants = self._state.participants
        return {
            "score": affinity.score,
            "reasons": reasons_of(self._state, pair, affinity, self._needs_met(pair)),
            "configuration": self._pool.version,
            "low_confidence": tuple(
                participant_id for participant_id in pair if participants[participant_id].has_low_confidence
            ),
        }

    def _needs_met(self, pair: Pair) -> tuple[NeedMet, ...]:
        """Return the need of either participant that the partner's offers meet best; shown needs first, then by fit."""
        both = (self._pool.need_met(seeker, provider) for seeker, provider in (pair, pair[::-1]))
        found = [need_met for need_met in both if need_met is not None]
        return tuple(sorted(found, key=lambda met: (not met.shown, -met.fit, met.participant_id)))

    def next_revision(self, event: Occasion, pair: Pair, scored: dict[str, Any]) -> AffinityScored | None:
        """Return the next affinity of a pair after an event, or None if nothing has changed.

        It has the time of the event, not of the processing.
        """
        state, identity = self._state, pair_id(self._state.edition_id, *pair)
        rules, before = state.rules, state.published.get(identity)
        requests = dict(state.requests_between(*pair))
        behind = {request_id: request for request_id, request in requests.items() if request.live} or requests
        brought = pair[1] in state.brought.get(pair[0], ())
        if rules is None or (before is None and not behind and not brought):
            return None
        request_ids = tuple(sorted(behind)[:_REQUESTS_NAMED])
        directed = any(request.target_id is not None for request in requests.values())
        asking = {request.requester_id for request in behind.values() if request.target_id is not None}
        affinity = AffinityScored(
            operator_id=event.operator_id,
            edition_id=state.edition_id,
            revision=before.revision if before else 1,
            occurred_at=before.occurred_at if before else event.occurred_at,
            pair_id=identity,
            participant_ids=pair,
            # A pair that is no longer proposed has no requests left and keeps the ids of its last requests.
            request_ids=request_ids or (before.request_ids if before else ()),
            origin=Origin.REQUESTED if directed else Origin.PROPOSED,
            requested_by=tuple(sorted(asking)),
            consent=consent_of(rules.policy, self._side(*pair), self._side(*reversed(pair)), brought=brought),
            priority=max((request.priority for request in behind.values()), default=before.priority if before else 1),
            **scored,
        )
        if affinity == before:
            return None
        if before is None:
            return affinity
        occurred_at = max(before.occurred_at, event.occurred_at)
        return affinity.model_copy(update={"revision": before.revision + 1, "occurred_at": occurred_at})

    def _side(self, participant_id: str, partner_id: str) -> ConsentSide:
        state = self._state
        participant, partner = state.participants[participant_id], state.participants[partner_id]
        requests = [request for _, request in state.requests_between(participant_id, partner_id)]
        asked = [request for request in requests if request.requester_id == participant_id]
        answered = {request.state for request in requests if request.target_id == participant_id}
        return ConsentSide(
            active=state.active(participant_id),
            asked=any(request.live and request.target_id == partner_id for request in asked),
            accepted=RequestState.ACCEPTED in answered,
            declined=RequestState.DECLINED in answered or partner_id in participant.declined_ids,
            seeking=state.seeking(participant_id),
            offered=any(request.live and request.target_id is None for request in asked),
            blocks=participant.blocks(partner_id, partner.organisation_id),
            is_colleague=participant.organisation_id == partner.organisation_id,
        )


class PairsPublication:
    """Publishes the pairs that an event touches. Appends changes and affinities to the given lists.

    Many pairs are published in slices: the first with the event, then the slices of `state.left`. The result is that of
    a single slice.
    """

    def __init__(
        self, state: MatchingState, pool: Pool, changes: list[Change], published: list[AffinityScored]
    ) -> None:
        self._state = state
        self._publisher = Publisher(state, pool)
        self._changes = changes
        self._published = published

    def begin(self, left: PairsLeft) -> None:
        """Publish pairs, or their first slice if they are too many for an entry."""
        if left.is_slice:
            self._publish_scored(left, left.to_score)
            self._publish_kept(left, left.to_keep)
        else:
            self._apply(PairsDeferred(left=left))
            self.publish_next()

    def publish_next(self) -> None:
        """Publish the next slice of the pairs left."""
        left = self._state.left
        if left is None:
            return
        pairs = left.next_pairs
        if left.to_score:
            self._publish_scored(left, pairs)
        else:
            self._publish_kept(left, pairs)
        self._apply(PairsPublished(count=len(pairs)))

    def _publish_scored(self, occasion: Occasion, pairs: Sequence[Pair]) -> None:
        for at in range(0, len(pairs), _PAIRS_AT_ONCE):
            for pair, scored, terms in self._publisher.scored(pairs[at : at + _PAIRS_AT_ONCE]):
                self._publish(self._publisher.next_revision(occasion, pair, scored), terms)

    def _publish_kept(self, occasion: Occasion, pairs: Sequence[Pair]) -> None:
        for pair in pairs:
            self._publish(self._publisher.next_revision(occasion, pair, self._publisher.last_score(pair)), {})

    def _publish(self, affinity: AffinityScored | None, terms: dict[str, float]) -> None:
        if affinity is not None:
            self._apply(PairScored(affinity=affinity, terms=terms))
            self._published.append(affinity)

    def _apply(self, change: Change) -> None:
        evolve(self._state, change)
        self._changes.append(change)
