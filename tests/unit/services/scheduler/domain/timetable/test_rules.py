from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.board import Assignment, Board, Meeting, ParticipantHours
from shared.contract.events import Consent, OrganisationKind, Status, Zone
from tests.support.scheduler_editions import HALL, innova, workspace

AB = Meeting("ab", ("a", "b"), ("work",))
AC = Meeting("ac", ("a", "c"), ("work",))
CD = Meeting("cd", ("c", "d"), ("work",))


def board(quota: int | None = None, tables: tuple[str, ...] = ("W1",), **hours: ParticipantHours) -> Board:
    made = Board(0b1111, {"work": tables}, quota)
    for person in "abcd":
        made.hours[person] = hours.get(person, ParticipantHours(0b1111, 0b1111))
    return made


def test_all_participants_are_available() -> None:
    assert rules.all_available(board(a=ParticipantHours(0b0111, 0b1111), b=ParticipantHours(0b1110, 0)), AB) == 0b0110


def test_no_participant_attends_a_session() -> None:
    assert (
        rules.outside_attended_sessions(board(a=ParticipantHours(0, 0b1011), b=ParticipantHours(0b1111, 0b1110)), AB)
        == 0b1010
    )


@pytest.mark.parametrize(("quota", "left"), [(None, 0b1111), (2, 0b1111), (1, 0), (0, 0)])
def test_within_the_quota(quota: int | None, left: int) -> None:
    full = board(quota)
    full.place(AC, Assignment(0b0001, "work", "W1"))
    assert rules.within_quota(full, AB) == left


def test_one_encounter_a_pair() -> None:
    full = board()
    assert rules.one_encounter_a_pair(full, AB) == 0b1111
    full.place(AB, Assignment(0b0001, "work", "W1"))
    assert rules.one_encounter_a_pair(full, AB) == 0


def test_no_participant_has_two_meetings_at_a_time() -> None:
    full = board()
    full.place(AC, Assignment(0b0100, "work", "W1"))
    assert rules.no_participant_twice(full, AB) == 0b1011


@pytest.mark.parametrize(
    ("placed", "left"),
    [
        ({}, 0b1111),
        ({"ac": 0b0010}, 0b1100),
        ({"cd": 0b0100}, 0b0011),
        ({"ac": 0b0001, "cd": 0b1000}, 0b0110),
        ({"ac": 0b0010, "cd": 0b0100}, 0),
        ({"ac": 0b1000}, 0),
    ],
)
def test_an_ordered_meeting_lies_between_its_neighbours(placed: dict[str, int], left: int) -> None:
    full = board()
    full.set_predecessors("ab", ["ac"])
    full.set_predecessors("cd", ["ab"])
    for meeting in (AC, CD):
        if meeting.pair_id in placed:
            full.place(meeting, Assignment(placed[meeting.pair_id], "work", "W1"))
    assert rules.in_order(full, AB) == left
    assert [bool(full.pairs_out_of_order("ab", slot)) for slot in (1, 2, 4, 8)] == [
        not left & slot for slot in (1, 2, 4, 8)
    ]


def test_an_order_taken_back_has_no_effect() -> None:
    full = board()
    full.set_predecessors("ab", ["ac", "cd"])
    full.set_predecessors("cd", ["ac"])
    full.set_predecessors("ab", [])
    full.place(AC, Assignment(0b0010, "work", "W1"))
    assert rules.in_order(full, AB) == 0b1111
    assert rules.in_order(full, CD) == 0b1100
    full.set_predecessors("cd", [])
    assert not full.predecessors
    assert not full.successors


def test_a_zone_open_to_the_pair_has_tables() -> None:
    assert rules.tables_in_service(board(), AB) == 0b1111
    assert rules.tables_in_service(board(tables=()), AB) == 0
    assert rules.tables_in_service(board(), AB._replace(zone_ids=())) == 0


def test_no_table_has_two_meetings_at_a_time() -> None:
    full = board(tables=("W1", "W2"))
    full.place(CD, Assignment(0b0011, "work", "W1"))
    full.place(AC, Assignment(0b0110, "work", "W2"))
    assert rules.no_table_twice(full, AB) == 0b1101


def test_a_freed_table_can_be_taken_again() -> None:
    full = board()
    full.place(CD, Assignment(0b0010, "work", "W1"))
    full.remove("cd")
    assert rules.no_table_twice(full, AB) == 0b1111


@pytest.mark.parametrize("consent", list(Consent))
def test_consent_is_granted(consent: Consent) -> None:
    assert rules.consent_is_granted(consent) == (consent is Consent.GRANTED)


def test_all_take_part() -> None:
    assert rules.all_take_part([Status.ACTIVE, Status.ACTIVE])
    assert not rules.all_take_part([Status.ACTIVE, Status.CANCELLED])


SME, GROUP, CENTRE = OrganisationKind.SME, OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE
DEMO = Zone(zone_id="demo", kind="demonstration", name="Demo", tables=("D1",))


@pytest.mark.parametrize(
    ("kinds", "zones", "expected"),
    [
        ((SME, GROUP), (workspace(), innova(), HALL), ("innova", "work")),
        ((CENTRE, OrganisationKind.LARGE_COMPANY), (workspace(), innova()), ("innova", "work")),
        ((SME, SME), (workspace(), innova()), ("work",)),
        ((GROUP, CENTRE), (workspace(), innova()), ("work",)),
        ((None, SME), (innova(), workspace()), ("work",)),
        ((SME, GROUP), (workspace(), innova(0)), ("work",)),
        ((SME, SME), (DEMO, workspace()), ("work", "demo")),
        ((SME, SME), (innova(), HALL), ()),
    ],
)
def test_the_zones_open_to_a_pair(kinds: Any, zones: tuple[Zone, ...], expected: tuple[str, ...]) -> None:
    assert rules.zones_for(kinds, zones) == expected


def test_the_first_rule_that_leaves_no_slot_is_blamed() -> None:
    full = board(quota=0, a=ParticipantHours(0b0011, 0b1100))
    assert rules.slots_left(full, AB, 0b1111) == (0, "no_common_slot")
    assert rules.slots_left(board(quota=0), AB, 0b1111) == (0, "quota_reached")
    assert rules.slots_left(board(tables=()), AB, 0b1111) == (0, "no_table")
    assert rules.slots_left(board(), AB, 0b0110)[0] == 0b0110
