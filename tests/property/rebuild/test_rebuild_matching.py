"""Rebuilding matching: the consumed and published events give the state, and it continues as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.state import MatchingState
from services.matching.rebuild import state_of, view_of
from shared.contract.events import Event, Filling
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import differences
from tests.support.matching_editions import Edition, matchmaker, registered
from tests.support.matching_histories import batches, decided, histories, slowly

# Each example is a history; what it scores is what takes the time.
briefly = settings(slowly, max_examples=20)


def rebuilt(heard: Sequence[Event], said: Sequence[Event]) -> tuple[MatchingState, list[str]]:
    maker = matchmaker()
    made, otherwise = state_of("ed1", EditionEvents(heard), EditionEvents(said), MatchingAggregate(maker), maker)
    return made.state, otherwise


@briefly
@given(data=st.data())
def test_consumed_and_published_events_rebuild_the_state(data: st.DataObject, scene: Any) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    state, changes = decided(history, data.draw(batches))
    said = [change.affinity for change in changes if change.type == "pair_scored"]
    again, otherwise = rebuilt(history, said)
    assert list(differences(view_of(again), view_of(state))) == []
    assert otherwise == []


@briefly
@given(data=st.data())
def test_a_rebuilt_state_publishes_the_same_next_affinities(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    at = data.draw(st.integers(0, len(history)))
    before, after = [rules, *history[:at]], history[at:]
    state, changes = decided(before, [])
    again, _ = rebuilt(before, [change.affinity for change in changes if change.type == "pair_scored"])
    live, then = Edition(), Edition()
    live.state, then.state = state, again
    for event in after:
        assert _granted(then.decide(event)) == _granted(live.decide(event))


def _granted(affinities: Sequence[Any]) -> list[Any]:
    """Leave out refused pairs: the order in which they are published is not rebuilt."""
    return [affinity for affinity in affinities if affinity.consent != "refused"]


def test_a_rebuilt_state_has_the_proposals_in_the_same_order(scene: Any) -> None:
    live = Edition()
    history = [*registered(scene), scene.request("r1", "ann", partners_wanted=2)]
    said = [one for event in history for one in live.decide(event)]
    assert len(live.state.proposals["r1"]) == 2
    again, _ = rebuilt(history, said)
    assert again.proposals == live.state.proposals
    assert again.exposure == live.state.exposure


def test_a_rebuilt_state_repeats_no_proposal_round(scene: Any) -> None:
    live = Edition()
    history = [*registered(scene), scene.edition(revision=2, filling=Filling(round=1, encounters=1))]
    said = [one for event in history for one in live.decide(event)]
    assert live.state.brought
    again, _ = rebuilt(history, said)
    assert again.filled == 1
    assert again.brought == live.state.brought
    assert list(differences(view_of(again), view_of(live.state))) == []


def test_an_edition_of_a_missing_version_is_rebuilt_as_it_was_scored(scene: Any) -> None:
    live = Edition()
    history = [*registered(scene, affinity_version="99"), scene.request("r1", "ann", "bob")]
    said = [one for event in history for one in live.decide(event)]
    assert said
    again, otherwise = rebuilt(history, said)
    assert otherwise == []
    assert list(differences(view_of(again), view_of(live.state))) == []
