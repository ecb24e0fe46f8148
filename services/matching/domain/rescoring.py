"""The second look: pairs that were scored at once are scored again by a slower and better reader of texts."""

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

#: The revision a pair had, by its id, when it was looked at: what has been said since is looked at again.
RescoredRevisions = dict[str, int]


def pairs_to_rescore(state: MatchingState, looked: RescoredRevisions, most: int) -> list[AffinityScored]:
    """Up to `most` pairs that have the first reader's score, may come to meet, and have not been looked at since."""
    version = state.rules.affinity_version if state.rules else ""
    waiting = (
        said
        for said in state.published.values()
        if said.configuration == version
        and said.consent is not Consent.REFUSED
        and looked.get(said.pair_id) != said.revision
        and all(state.complete(one) for one in said.participant_ids)
    )
    return [said for said, _ in zip(waiting, range(most), strict=False)]


def texts_of(
    state: MatchingState, configuration: AffinityConfiguration, pairs: Iterable[AffinityScored]
) -> tuple[list[str], list[str]]:
    """The needs and the offers that the second reader has to read."""
    profiles = [state.participants[one].profile for said in pairs for one in said.participant_ids]
    needs, offers = ([*chain(*(one.needs for one in profiles))], [*chain(*(one.offers for one in profiles))])
    return configuration.read(needs), configuration.read(offers)


def rescore(
    state: MatchingState, pool: Pool, pairs: Collection[AffinityScored], looked: RescoredRevisions
) -> tuple[list[Change], list[AffinityScored]]:
    """Score pairs by the second reader's `pool`, and say the new score of those that it moves far enough.

    What is said is of the same inputs, so it happened when they did; its version names the reader.
    """
    changes: list[Change] = []
    said: list[AffinityScored] = []
    pool.put(state, sorted({one for before in pairs for one in before.participant_ids}))
    current = [before for before in pairs if state.published.get(before.pair_id) == before]
    scored = Publisher(state, pool).scored([before.participant_ids for before in current])
    for before, (_, news, terms) in zip(current, scored, strict=True):
        looked[before.pair_id] = before.revision
        if abs(news["score"] - before.score) > pool.configuration.quality_step:
            affinity = before.model_copy(update=news | {"revision": before.revision + 1})
            change = PairScored(affinity=affinity, terms=terms)
            evolve(state, change)
            changes.append(change)
            said.append(affinity)
    return changes, said
