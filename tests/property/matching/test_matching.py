from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
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
    ConsentPolicy,
    Event,
    Language,
    OrganisationKind,
    Origin,
    RequestState,
    Status,
)
from tests.support.matching_editions import WITHOUT_MODEL, matchmaker
from tests.support.matching_scene import Scene

CHANGE: TypeAdapter[Change] = TypeAdapter(Change)
PEOPLE = ("ann", "bob", "cid", "dan", "eve")
HOMES = tuple(f"org_{name}" for name in PEOPLE)
WORDS = ("soldadura", "welding", "aluminio", "sensores", "riego", "robótica", "software", "queso", "acero", "🔩")
HOSTILE = ("\x00", "\u202e\u200b", "👩‍👩‍👧‍👦" * 99, "ñ" * 1000, "a b " * 250, " ", "漢字", "1 2 3", "ﬁ", "ß" * 1000)
# Histories are long, and a busy machine draws them slowly.
slowly = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])

phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
items = st.lists(phrases | phrases | st.sampled_from(HOSTILE), max_size=3).map(tuple)
CODES = ("nace:25.62", "nace:25.61", "nace:25", "ket:robotics", "s3:wine", "coop:sale", "coop:purchase", "x")
codes = st.lists(st.sampled_from(CODES), max_size=3).map(tuple)
seldom = st.integers(0, 5).map(lambda drawn: drawn == 0)
revisions = st.integers(min_value=1, max_value=3)
statuses = st.sampled_from((*[Status.ACTIVE] * 7, Status.CANCELLED))


@st.composite
def editions(draw: st.DrawFn, scene: Scene) -> Event:
    return scene.edition(
        revision=draw(revisions),
        consent_policy=draw(st.sampled_from(ConsentPolicy)),
        least_affinity=draw(st.sampled_from((0.0, 0.1, 0.4))),
        affinity_version=draw(st.sampled_from(("1", "2"))),
    )


@st.composite
def organisations(draw: st.DrawFn, scene: Scene, name: str) -> Event:
    return scene.organisation(
        f"org_{name}",
        revision=draw(revisions),
        kind=draw(st.sampled_from(OrganisationKind)),
        country=draw(st.sampled_from(("ES", "MX"))),
        codes=draw(codes),
        status=draw(statuses),
        delegation=draw(st.sampled_from((None, "Mexico"))),
        competitor_ids=draw(st.lists(st.sampled_from(HOMES), max_size=1)),
        met_before=draw(st.lists(st.builds(lambda one: {"organisation_id": one}, st.sampled_from(HOMES)), max_size=1)),
    )


@st.composite
def participants(draw: st.DrawFn, scene: Scene, name: str) -> Event:
    return scene.participant(
        name,
        draw(items),
        draw(items),
        revision=draw(revisions),
        organisation_id=f"org_{draw(st.sampled_from(PEOPLE))}",
        languages=tuple(draw(st.sets(st.sampled_from(Language), min_size=1))),
        codes=draw(codes),
        status=draw(statuses),
        blocked_ids=draw(st.lists(st.sampled_from(PEOPLE + HOMES), max_size=1)) if draw(seldom) else (),
        declined_ids=draw(st.lists(st.sampled_from(PEOPLE), max_size=1)) if draw(seldom) else (),
    )


@st.composite
def requests(draw: st.DrawFn, scene: Scene, number: int) -> Event:
    """The parties of a request are in its number: revisions change how it stands."""
    requester_id, target_id = PEOPLE[number % 5], PEOPLE[(number // 5 + number + 1) % 5] if number >= 5 else None
    return scene.request(
        f"r{number}",
        requester_id,
        target_id if target_id != requester_id else None,
        revision=draw(revisions),
        state=draw(st.sampled_from((*[RequestState.REQUESTED] * 4, *RequestState))),
        priority=draw(st.integers(min_value=1, max_value=3)),
        partners_wanted=draw(st.integers(min_value=1, max_value=3)),
    )


@st.composite
def histories(draw: st.DrawFn, scene: Scene) -> list[Event]:
    """All that happens in an edition, one event a revision, in no order."""
    drawn = [draw(editions(scene))]
    drawn += [draw(organisations(scene, name)) for name in PEOPLE for _ in range(draw(st.integers(1, 2)))]
    drawn += [draw(participants(scene, name)) for name in PEOPLE for _ in range(draw(st.integers(1, 2)))]
    drawn += [draw(requests(scene, number)) for number in draw(st.lists(st.integers(0, 19), min_size=1, max_size=8))]
    return list({(event.thing, event.revision): event for event in drawn}.values())


def hear(events: Sequence[Event], sizes: Sequence[int]) -> tuple[MatchingState, list[Change]]:
    state, maker, changes = MatchingState(edition_id="ed1"), matchmaker(), []
    left = list(events)
    for size in (*sizes, len(left)):
        made, _ = maker.decide(state, left[:size])
        changes += made
        left = left[size:]
    return state, changes


def final(state: MatchingState) -> dict[str, AffinityScored]:
    """What was said last of each pair, but for pairs that were proposed once and are no more: time made those."""
    return {
        one: said.model_copy(update={"revision": 1})
        for one, said in state.published.items()
        if (said.origin, said.consent) != (Origin.PROPOSED, Consent.REFUSED)
    }


def afresh_pool(state: MatchingState) -> Pool:
    """What is made of a state that has just been loaded."""
    pool = matchmaker().pool(state)
    assert pool is not None
    return pool


batches = st.lists(st.integers(min_value=1, max_value=4), max_size=30)


@slowly
@given(data=st.data())
def test_neither_order_nor_repeats_nor_batches_change_what_is_said_in_the_end(data: st.DataObject, scene: Any) -> None:
    history = data.draw(histories(scene))
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=5))
    shuffled = data.draw(st.permutations(history + repeats))
    once, _ = hear(history, [])
    other, _ = hear(shuffled, data.draw(batches))
    assert {k: v for k, v in other.proposals.items() if v} == {k: v for k, v in once.proposals.items() if v}
    assert final(other) == final(once)


@slowly
@given(data=st.data())
def test_replaying_the_changes_gives_the_same_state(data: st.DataObject, scene: Any) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    state, changes = hear(history, data.draw(batches))
    replayed = MatchingState(edition_id="ed1")
    for change in changes:
        evolve(replayed, CHANGE.validate_python(CHANGE.dump_python(change, mode="json")))
    assert replayed == state
    assert MatchingState.model_validate_json(state.model_dump_json()) == state


@slowly
@given(data=st.data())
def test_proposals_kept_up_to_date_are_those_made_afresh(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    state, _ = hear([rules, *data.draw(st.permutations(history))], [1] * len(history))
    pool = afresh_pool(state)
    afresh = dict(best_partners(state, pool, state.requests))
    assert {one: partner_ids for one, partner_ids in state.proposals.items() if partner_ids} == {
        one: partner_ids for one, partner_ids in afresh.items() if partner_ids
    }


@slowly
@given(data=st.data())
def test_every_score_is_the_sum_of_its_reasons(data: st.DataObject, scene: Any) -> None:
    state, _ = hear(data.draw(histories(scene)), [])
    for said in state.published.values():
        assert 0 <= said.score <= 1
        assert said.score == pytest.approx(sum(reason.weight for reason in said.reasons))
        assert said.participant_ids == tuple(sorted(said.participant_ids))


@slowly
@given(data=st.data())
def test_a_score_is_the_same_from_both_sides_and_in_any_company(data: st.DataObject, scene: Any) -> None:
    state, _ = hear(data.draw(histories(scene)), [])
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
def test_the_same_events_in_the_same_order_say_the_same_bytes_however_they_are_batched(
    data: st.DataObject, scene: Any
) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    sizes = [data.draw(batches), data.draw(batches)]
    said = [
        [c.affinity.model_dump_json() for c in hear(history, some)[1] if isinstance(c, PairScored)] for some in sizes
    ]
    assert said[0] == said[1]


@slowly
@given(data=st.data())
def test_every_score_can_be_reckoned_again_from_the_state_bit_for_bit(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    state, changes = hear([rules, *data.draw(st.permutations(history))], data.draw(batches))
    pool = afresh_pool(MatchingState.model_validate_json(state.model_dump_json()))
    for said in state.published.values():
        one, other = said.participant_ids
        again = pool.affinities([one], pool.rows([other])).of_pair(0, 0)
        assert (again.score, pool.configuration.version) == (said.score, said.configuration)
        terms = [
            c.terms for c in changes if isinstance(c, PairScored) and c.affinity.pair_id == said.pair_id and c.terms
        ]
        assert {str(term): value for term, value in again.values.items()}.items() <= terms[-1].items()
