"""Rescoring: pairs that the default tier has scored are scored again by the slower and better quality tier."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from services.matching.domain.changes import Change, PairScored
from services.matching.domain.evolve import evolve
from services.matching.domain.publication import Publisher
from services.matching.domain.scoring.configuration import AffinityConfiguration
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from shared.contract.events import AffinityScored, Consent

#: By pair id, the published revision that was rescored. A later revision is rescored again.
RescoredRevisions = dict[str, int]


def pairs_to_rescore(state: MatchingState, rescored: RescoredRevisions, most: int) -> list[AffinityScored]:
    """Return up to `most` published pairs with a default-tier score that are not refused and not rescored yet."""
    version = state.rules.affinity_version if state.rules else ""
    waiting = (
        affinity
        for affinity in state.published.values()
        if affinity.configuration == version
        and affinity.consent is not Consent.REFUSED
        and rescored.get(affinity.pair_id) != affinity.revision
        and all(state.complete(participant_id) for participant_id in affinity.participant_ids)
    )
    return [affinity for affinity, _ in zip(waiting, range(most), strict=False)]


def texts_of(
    state: MatchingState, configuration: AffinityConfiguration, pairs: Iterable[AffinityScored]
) -> tuple[list[str], list[str]]:
    """Return the needs and the offers that the quality tier has to embed."""
    profiles = [
        state.participants[participant_id].profile for affinity in pairs for participant_id in affinity.participant_ids
    ]
    needs, offers = (
        [*chain(*(profile.needs for profile in profiles))],
        [*chain(*(profile.offers for profile in profiles))],
    )
    return configuration.read(needs), configuration.read(offers)


def rescore(
    state: MatchingState, pool: Pool, pairs: Collection[AffinityScored], rescored: RescoredRevisions
) -> tuple[list[Change], list[AffinityScored]]:
    """Score pairs with the quality tier's `pool`; publish scores that differ by more than `quality_step`.

    A rescored affinity has the same inputs, so it keeps their time. Its configuration names the scorer.
    """
    changes: list[Change] = []
    published: list[AffinityScored] = []
    pool.put(state, sorted({participant_id for before in pairs for participant_id in before.participant_ids}))
    current = [before for before in pairs if state.published.get(before.pair_id) == before]
    scores = Publisher(state, pool).scored([before.participant_ids for before in current])
    for before, (_, after, terms) in zip(current, scores, strict=True):
        rescored[before.pair_id] = before.revision
        if abs(after["score"] - before.score) > pool.configuration.quality_step:
            affinity = before.model_copy(update=after | {"revision": before.revision + 1})
            change = PairScored(affinity=affinity, terms=terms)
            evolve(state, change)
            changes.append(change)
            published.append(affinity)
    return changes, published
