"""Whatever matching heard and said, its state is made of it again; with it, it goes on as it would have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.state import MatchingState
from services.matching.rebuild import state_of, view_of
from shared.contract.events import Event, Filling
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import CannotRebuild, differences
from tests.property.matching.test_matching import batches, hear, histories, slowly
from tests.support.matching_editions import Edition, matchmaker, registered

# Each example is a history; what it scores is what takes the time.
briefly = settings(slowly, max_examples=20)


def rebuilt(heard: Sequence[Event], said: Sequence[Event]) -> tuple[MatchingState, list[str]]:
    maker = matchmaker()
    made, otherwise = state_of("ed1", EditionEvents(heard), EditionEvents(said), MatchingAggregate(maker), maker)
    return made.state, otherwise


@briefly
@given(data=st.data())
def test_what_was_heard_and_said_gives_the_state_back(data: st.DataObject, scene: Any) -> None:
    history = data.draw(st.permutations(data.draw(histories(scene))))
    state, changes = hear(history, data.draw(batches))
    said = [change.affinity for change in changes if change.type == "pair_scored"]
    again, otherwise = rebuilt(history, said)
    assert list(differences(view_of(again), view_of(state))) == []
    assert otherwise == []


@briefly
@given(data=st.data())
def test_from_a_rebuilt_state_it_says_next_what_it_would_have_said(data: st.DataObject, scene: Any) -> None:
    rules, *history = data.draw(histories(scene))
    at = data.draw(st.integers(0, len(history)))
    before, after = [rules, *history[:at]], history[at:]
    state, changes = hear(before, [])
    again, _ = rebuilt(before, [change.affinity for change in changes if change.type == "pair_scored"])
    live, then = Edition(), Edition()
    live.state, then.state = state, again
    for event in after:
        assert _granted(then.decide(event)) == _granted(live.decide(event))


def _granted(said: Sequence[Any]) -> list[Any]:
    """What has consent or may come to it: of pairs let go, the order in which they are told of is forgotten."""
    return [one for one in said if one.consent != "refused"]


def test_who_was_proposed_is_proposed_again_in_the_same_order(scene: Any) -> None:
    live = Edition()
    history = [*registered(scene), scene.request("r1", "ann", partners_wanted=2)]
    said = [one for event in history for one in live.decide(event)]
    assert len(live.state.proposals["r1"]) == 2
    again, _ = rebuilt(history, said)
    assert again.proposals == live.state.proposals
    assert again.exposure == live.state.exposure


def test_the_organisers_rounds_are_not_held_again(scene: Any) -> None:
    live = Edition()
    history = [*registered(scene), scene.edition(revision=2, filling=Filling(round=1, encounters=1))]
    said = [one for event in history for one in live.decide(event)]
    assert live.state.brought
    again, _ = rebuilt(history, said)
    assert again.filled == 1
    assert again.brought == live.state.brought
    assert list(differences(view_of(again), view_of(live.state))) == []


def test_a_way_of_scoring_that_is_not_installed_is_said_plainly(scene: Any) -> None:
    with pytest.raises(CannotRebuild, match="TERTULIA_CONFIGURATIONS"):
        rebuilt([scene.edition(affinity_version="99")], [])
