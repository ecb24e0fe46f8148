"""The index of unsettled pairs: a step asks its own pairs alone, and the clock settles the pairs that are due."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.scheduler.domain.changes import Displaced, ParticipantRecorded
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.repair import settling
from services.scheduler.domain.snapshots import ParticipantSnapshot, SettledPlace
from services.scheduler.domain.state import AgendaState
from tests.support.scheduler_editions import NOW, Edition, affinity, edition, pair, participant, people, window

COUPLES = [("a", "b"), ("c", "d"), ("e", "f")]
PEOPLE = tuple(person for couple in COUPLES for person in couple)


def announced(slots: int = 4) -> Edition:
    """A published edition in which three couples meet, a displaced of each."""
    subject = Edition(edition(phase="published", slots=slots), *people(*PEOPLE), *(affinity(*each) for each in COUPLES))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    return subject


def displaced(slots: int = 4) -> Edition:
    """The same edition after each couple has lost its place."""
    subject = announced(slots)
    subject.consume(*(participant(first, revision=2, available=(window(9, 10),)) for first, _ in COUPLES))
    assert not subject.state.placements
    return subject


def test_a_participant_has_only_the_own_pairs_reviewed() -> None:
    subject = displaced()
    index = subject.state.links.unsettled
    settling.open_places(subject.state, subject.now)
    assert not index.doubted
    changed = ParticipantSnapshot.of(participant("a", revision=3))
    evolve(subject.state, ParticipantRecorded(participant_id="a", participant=changed))
    assert index.doubted == {pair("a", "b")}
    assert settling.open_places(subject.state, subject.now) == {pair("a", "b")}


def test_a_table_has_only_its_own_pairs_reviewed() -> None:
    subject = announced(slots=1)
    at_first = {pair_id for pair_id, place in subject.state.placements.items() if place.table == "W1"}
    assert len(at_first) == 1
    assert displaced(slots=1).state.links.unsettled.pairs_at("work", "W1") == at_first


def test_a_request_of_others_has_no_displaced_pair_reviewed(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = displaced()
    settling.open_places(subject.state, subject.now)
    subject.consume(*people("x", "y"))
    reviewed: list[str] = []
    index = subject.state.links.unsettled
    review = index.review

    def reviewing(pair_id: str, *, is_open: bool, due_at: datetime) -> None:
        reviewed.append(pair_id)
        review(pair_id, is_open=is_open, due_at=due_at)

    monkeypatch.setattr(index, "review", reviewing)
    subject.consume(affinity("x", "y"))
    subject.consume(participant("x", revision=2, checked_in=True))
    assert set(reviewed) <= {pair("x", "y")}


def test_the_clock_settles_the_pairs_due_and_no_other_pair() -> None:
    subject = announced()
    state, later = subject.state, NOW + timedelta(minutes=10)
    first, second, third = (pair(*couple) for couple in COUPLES)
    for pair_id, since in ((first, NOW), (second, later), (third, NOW)):
        people_then = state.pairs[pair_id].people
        settled = SettledPlace(place=None, people=people_then, since=since)
        evolve(state, Displaced(pair_id=pair_id, settled=settled))
    assert state.edition is not None
    due_at = NOW + timedelta(minutes=state.edition.settle_minutes)
    assert settling.settled_by_time(state, due_at - timedelta(seconds=1)) == []
    assert {change.pair_id for change in settling.settled_by_time(state, due_at)} == {first, third}
    assert len(settling.settled_by_time(state, due_at + timedelta(minutes=10))) == 3


def test_a_shorter_settle_time_settles_pairs_that_are_unsettled_already() -> None:
    subject = announced()
    state = subject.state
    settled = SettledPlace(place=None, people=("a", "b"), since=NOW)
    evolve(state, Displaced(pair_id=pair("a", "b"), settled=settled))
    soon = NOW + timedelta(minutes=5)
    assert settling.settled_by_time(state, soon) == []
    subject.consume(edition(revision=2, phase="published", settle_minutes=5))
    assert [change.pair_id for change in settling.settled_by_time(state, soon)] == [pair("a", "b")]


def test_a_displaced_pair_without_place_is_due_when_its_slot_begins() -> None:
    subject = displaced()
    begins_at = {
        pair_id: settled.place.starts_at for pair_id, settled in subject.state.unsettled.items() if settled.place
    }
    for pair_id, starts_at in begins_at.items():
        due = {change.pair_id for change in settling.settled_by_time(subject.state, starts_at)}
        assert pair_id in due
        before = settling.settled_by_time(subject.state, starts_at - timedelta(seconds=1))
        assert pair_id not in {change.pair_id for change in before}


def test_a_loaded_state_has_the_same_open_places_and_times_of_settlement() -> None:
    subject = displaced()
    subject.consume(participant("c", revision=3, available=(window(0, 1), window(9, 10))))
    loaded = AgendaState.model_validate_json(subject.state.model_dump_json())
    assert settling.open_places(loaded, NOW) == settling.open_places(subject.state, NOW)
    for minutes in (0, 30, 60 * 24 * 30):
        now = NOW + timedelta(minutes=minutes)
        assert settling.settled_by_time(loaded, now) == settling.settled_by_time(subject.state, now)
