"""Meetings that share a slot since the slots of a live edition were moved."""

from __future__ import annotations

from typing import Any

from services.scheduler.domain.state import _board_of
from shared.contract.events import EncounterChanged
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    pair,
    participant,
    people,
    window,
    workspace,
)
from tests.support.scheduler_live_edition import here, live, report


def moved_under_them() -> Edition:
    """Return an edition whose slots moved by half a slot: two encounters of `a` share a slot, and the first is over."""
    subject = live(*people(*"abcd"), affinity("a", "b", priority=3), affinity("a", "c"), zones=(workspace(1), HALL))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == (0, 1)
    subject.now = at(1.2)
    fields: dict[str, Any] = {"zones": (workspace(1), HALL), "freeze_minutes": 0, "phase": "live"}
    subject.consume(*here(*"abcd"), edition(revision=3, shift=0.5, **fields))
    return subject


def test_a_missed_meeting_frees_only_its_own_half_of_a_shared_slot() -> None:
    subject = moved_under_them()
    assert subject.state.board.busy["a"] == 0b11
    report(subject, "a", "b", "b")
    fresh = _board_of(subject.state)
    for person in "abcd":
        assert subject.state.board.busy[person] == fresh.busy[person], person
    assert subject.state.board.busy["a"] == subject.state.board.tables["work"]["W1"] == 0b11
    subject.consume(affinity("a", "d"), affinity("b", "d"))
    assert {subject.slot("a", "d"), subject.slot("b", "d")} == {2, 3}


def test_a_meeting_in_a_shared_slot_keeps_partner_time_and_table() -> None:
    """Slot 2 is now from 9:24 to 9:39: in it a meets b at W1 until 9:30, and then c at W2."""
    fields: dict[str, Any] = {"slots": 6, "zones": (workspace(2), HALL), "freeze_minutes": 0, "phase": "live"}
    windows = {"b": window(1, 2), "c": window(1.5, 6), "d": window(2, 3), "f": window(1.5, 3), "g": window(1.5, 3)}
    arrived = [
        participant(each, available=(windows[each],) if each in windows else (), checked_in=True) for each in "abcdefgh"
    ]
    subject = Edition(edition(**fields), *arrived, now=at(0))
    subject.consume(affinity("d", "e"))
    subject.consume(affinity("a", "b"))
    subject.consume(affinity("a", "c"))
    met = [(subject.slot(*each), subject.table(*each)) for each in ("de", "ab", "ac")]
    assert met == [(2, "W1"), (1, "W1"), (2, "W2")]
    subject.now = at(2.02)
    subject.consume(edition(revision=2, shift=-0.4, **fields))
    subject.consume(affinity("c", "f"), affinity("g", "h"))

    assert (subject.slot("c", "f"), subject.slot("g", "h")) == (None, None)
    assert subject.state.board.placed == _board_of(subject.state).placed


def test_a_freed_double_slot_is_offered_as_a_single_slot() -> None:
    """Slots 2 and 3 begin at 9:24 and 9:39 now. From 9:30 a is at W2, where others sat until then, and b is not."""
    fields: dict[str, Any] = {"zones": (workspace(2), HALL), "freeze_minutes": 0, "phase": "live"}
    windows = {"d": window(2.5, 4), "e": window(2.5, 4), **dict.fromkeys("ghij", window(1, 2))}
    arrived = [
        participant(each, available=(windows.get(each, window(2, 3)),), checked_in=True) for each in "abcdefghij"
    ]
    subject = Edition(edition(**fields), *arrived, now=at(0))
    for each in ("gh", "ij", "cf", "ab"):
        subject.consume(affinity(*each))
    met = [(subject.slot(*each), subject.table(*each)) for each in ("gh", "ij", "cf", "ab")]
    assert met == [(1, "W1"), (1, "W2"), (2, "W1"), (2, "W2")]
    subject.now = at(2.2)
    subject.consume(edition(revision=2, shift=-0.4, **fields), affinity("d", "e"))
    assert subject.slot("d", "e") is None

    report(subject, "a", "b", "b")

    assert (subject.slot("d", "e"), subject.table("d", "e")) == (3, "W2")


def test_an_attended_encounter_is_published_with_its_new_slot_number() -> None:
    subject = live(*people(*"abc"), affinity("a", "b"), affinity("a", "c"), zones=(workspace(1), HALL))
    subject.now = at(2)
    report(subject, "a", "b")
    report(subject, "a", "c", "c")
    assert [subject.state.attended[pair("a", each)].place.slot for each in "bc"] == [0, 1]

    said = subject.consume(edition(revision=3, slots=5, shift=-1, zones=(workspace(1), HALL), phase="live"))

    encounters = [each for each in said if isinstance(each, EncounterChanged)]
    told = {each.participant_ids: (each.state, each.place and each.place.slot) for each in encounters}
    assert told == {("a", "b"): ("held", 1), ("a", "c"): ("missed", 2)}


def test_a_meeting_held_after_all_returns_to_its_shared_slot() -> None:
    subject = moved_under_them()
    report(subject, "a", "b", "b")
    report(subject, "a", "b")
    assert subject.state.placements.keys() == {pair("a", "b"), pair("a", "c")}
    assert subject.state.board.placed == _board_of(subject.state).placed
