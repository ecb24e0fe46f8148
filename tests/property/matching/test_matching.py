from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.matching.domain.changes import Change, PairScored
from services.matching.domain.evolve import evolve
from services.matching.domain.proposals import best_partners
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from shared.contract.events import (
    AffinityScored,
    Consent,
    Origin,
)
from tests.support.matching_editions import WITHOUT_MODEL, matchmaker
from tests.support.matching_histories import PEOPLE, batches, decided, histories, slowly
from tests.support.matching_texts import joined, loaded_from

CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


def final(state: MatchingState) -> dict[str, AffinityScored]:
    """Return the last affinity of every pair without former proposals, which depend on the order of events."""
    return {
        one: said.model_copy(update={"revision": 1})
        for one, said in state.published.items()
        if (said.origin, said.consent) != (Origin.PROPOSED, Consent.REFUSED)
    }


def afresh_pool(state: MatchingState) -> Pool:
    """Return the pool of a state that has just been loaded."""
    pool = matchmaker().pool(state)
    assert pool is not None
    return pool


@slowly
@given(data=st.data())
def test_order_repeats_and_batches_do_not_change_the_final_affinities(data: st.DataObject, scene: Any) -> None:
    history = data.draw(histories(scene))
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=5))
    shuffled = data.draw(st.permutations(history + repeats))
    once, _ = decided(history, [])
    other, _ = decided(shuffled, data.draw(batches))
    assert {k: v for k, v in other.proposals.items() if v} == {k: v for k, v in once.proposals.items() if v}
    assert final(other) == final(once)


@slowly
@given(data=st.data())
def test_replaying_the_changes_gives_the_same_state(data: st.DataObject, scene: Any) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    state, changes = decided(history, data.draw(batches))
    replayed = MatchingState(edition_id="ed1")
    for change in changes:
        evolve(replayed, CHANGE.validate_python(CHANGE.dump_python(change, mode="json")))
    assert joined(replayed, state) == state
    assert loaded_from(state) == state


@slowly
@given(data=st.data())
def test_updated_proposals_equal_proposals_computed_afresh(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    state, _ = decided([rules, *data.draw(st.permutations(history))], [1] * len(history))
    pool = afresh_pool(state)
    afresh = dict(best_partners(state, pool, state.requests))
    assert {one: partner_ids for one, partner_ids in state.proposals.items() if partner_ids} == {
        one: partner_ids for one, partner_ids in afresh.items() if partner_ids
    }


@slowly
@given(data=st.data())
def test_every_score_is_the_sum_of_its_reasons(data: st.DataObject, scene: Any) -> None:
    state, _ = decided(data.draw(histories(scene)), [])
    for said in state.published.values():
        assert 0 <= said.score <= 1
        assert said.score == pytest.approx(sum(reason.weight for reason in said.reasons))
        assert said.participant_ids == tuple(sorted(said.participant_ids))


@slowly
@given(data=st.data())
def test_a_score_is_symmetric_and_independent_of_other_participants(data: st.DataObject, scene: Any) -> None:
    state, _ = decided(data.draw(histories(scene)), [])
    pool = Pool(NgramScorer(), WITHOUT_MODEL[data.draw(st.sampled_from(("1", "2")))])
    pool.put(state, data.draw(st.lists(st.sampled_from(PEOPLE))))
    pool.put(state, PEOPLE)
    everyone = pool.affinities(pool.ids).weights
    assert (everyone == everyone.transpose(0, 2, 1)).all()
    for at, one in enumerate(pool.ids):
        alone = [pool.affinities([one], np.array([row])).weights[:, 0, 0] for row in range(len(pool.ids))]
        assert (everyone[:, at] == np.array(alone).T).all()


@slowly
@given(data=st.data())
def test_batches_do_not_change_the_published_bytes(data: st.DataObject, scene: Any) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    sizes = [data.draw(batches), data.draw(batches)]
    said = [
        [c.affinity.model_dump_json() for c in decided(history, some)[1] if isinstance(c, PairScored)] for some in sizes
    ]
    assert said[0] == said[1]


@slowly
@given(data=st.data())
def test_every_score_is_computed_again_bit_for_bit(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    state, changes = decided([rules, *data.draw(st.permutations(history))], data.draw(batches))
    pool = afresh_pool(loaded_from(state))
    for said in state.published.values():
        one, other = said.participant_ids
        again = pool.affinities([one], pool.rows([other])).of_pair(0, 0)
        assert (again.score, pool.configuration.version) == (said.score, said.configuration)
        terms = [
            c.terms for c in changes if isinstance(c, PairScored) and c.affinity.pair_id == said.pair_id and c.terms
        ]
        assert {str(term): value for term, value in again.values.items()}.items() <= terms[-1].items()
