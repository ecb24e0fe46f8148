"""The day itself: freeze, check-in, attendance, and the use of freed places."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registration.domain.slots import Day, slots_of
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.organiser.attendance import AttendanceEffects, AttendanceReport, record_attendance
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.state import _board_of
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.domain.verification import verify_step
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AgendaChanged, Cause, CauseCode, EncounterChanged, EncounterState, WaitingReason
from shared.contract.ids import encounter_id
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    pair,
    participant,
    people,
    session,
    window,
    workspace,
)

MINUTE = timedelta(minutes=1)


def meeting(one: str, other: str) -> str:
    return encounter_id("ed", one, other)


def live(*events: Any, **fields: Any) -> Edition:
    """Published and held from 09:00 on, with half an hour frozen."""
    fields = {"freeze_minutes": 30, **fields}
    subject = Edition(edition(**fields), *events)
    subject.consume(edition(revision=2, **{**fields, "phase": "live"}))
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    return subject


def report(subject: Edition, one: str, other: str, *absent: str) -> AttendanceEffects:
    decision = subject.decision()
    outcome = EncounterState.MISSED if absent else EncounterState.HELD
    noted = record_attendance(decision, meeting(one, other), AttendanceReport(outcome=outcome, absent=absent))
    subject.finish(decision)
    return noted


def here(*participant_ids: str, revision: int = 2) -> list[Any]:
    return [participant(each, revision=revision, checked_in=True) for each in participant_ids]


@pytest.mark.parametrize(("minutes", "slot"), [(-31, 0), (-30, 1), (-16, 1), (-15, 2), (0, 3), (14, 3), (15, None)])
def test_no_meeting_is_placed_within_the_freeze_horizon(minutes: int, slot: int | None) -> None:
    subject = live(*people("a", "b"))
    subject.now = at(0) + minutes * MINUTE
    subject.consume(affinity("a", "b"))
    assert subject.slot("a", "b") == slot


def test_the_freeze_horizon_counts_real_minutes_when_clocks_change() -> None:
    day = Day.model_validate({"date": "2026-10-25", "starts": "01:30", "ends": "04:00"})
    slots = slots_of([day], 30, "Europe/Madrid")
    assert len(slots) == 7  # two and a half hours by the clock, and the hour that comes twice
    subject = live(*people("a", "b"), freeze_minutes=60)
    fields: dict[str, Any] = {"freeze_minutes": 60, "phase": "live", "timezone": "Europe/Madrid"}
    subject.consume(edition(revision=3, **fields).model_copy(update={"slots": slots}))
    subject.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, for the first time
    subject.consume(affinity("a", "b"))
    place = subject.state.placements[pair("a", "b")]
    assert place.starts_at == datetime(2026, 10, 25, 2, 0, tzinfo=UTC)  # 03:00: not an hour but an hour and a half on
    subject.now -= timedelta(minutes=1)
    subject.consume(
        participant("a", revision=2, available=({"starts_at": slots[0].starts_at, "ends_at": place.starts_at},))
    )
    assert subject.state.placements[pair("a", "b")].starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_frozen_meeting_is_moved_by_no_insert_and_no_improvement() -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b"), slots=3)
    subject.now = at(0) - 20 * MINUTE
    assert subject.slot("a", "b") == 0
    first = ({"starts_at": at(0), "ends_at": at(1)},)
    subject.consume(
        participant("c", revision=2, available=first, checked_in=True), participant("a", revision=2, checked_in=True)
    )
    subject.consume(affinity("a", "c", priority=3))
    assert (subject.slot("a", "b"), subject.slot("a", "c")) == (0, None)
    problem = problem_of(subject.state, subject.now, 6)
    assert set(problem.fixed) == {pair("a", "b")}
    decision = subject.decision()
    adopt(decision, improve(problem, Effort(rounds=1, round_effort=0.01, steps=100)))
    subject.finish(decision)
    assert subject.slot("a", "b") == 0


def test_an_older_solution_does_not_move_a_frozen_meeting() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"), slots=3)
    subject.now = at(0) - 31 * MINUTE
    solution = improve(problem_of(subject.state, subject.now, 6), Effort(rounds=1, round_effort=0.01, steps=100))
    seat = subject.state.board.placed[pair("a", "b")][1]
    moved = replace(solution, assignments={pair("a", "b"): seat._replace(slots=4)})
    subject.now += 2 * MINUTE
    for late in (moved, solution):
        decision = subject.decision()
        assert not adopt(decision, late)
        subject.finish(decision)
    assert subject.slot("a", "b") == 0


def test_a_participant_may_cancel_within_the_freeze_horizon() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    subject.consume(participant("a", revision=2, status="cancelled"))
    assert subject.slot("a", "b") is None


def test_a_frozen_meeting_that_loses_its_table_keeps_its_time() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    table = subject.table("a", "b")
    left = tuple(each for each in ("W1", "W2") if each != table)
    zones = (workspace().model_copy(update={"tables": left}), HALL)
    subject.consume(edition(revision=3, phase="live", freeze_minutes=30, zones=zones))
    assert (subject.slot("a", "b"), subject.table("a", "b")) == (0, left[0])


@pytest.mark.parametrize("wrong", ["moved", "lifted"])
def test_the_verifier_finds_a_moved_frozen_meeting(wrong: str) -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    decision = subject.decision()
    cause = Cause(code=CauseCode.IMPROVED, subject_id="ed")
    if wrong == "moved":
        seat = subject.state.board.placed[pair("a", "b")][1]
        decision.place_all({pair("a", "b"): seat._replace(slots=4)}, cause)
    else:
        decision.remove(pair("a", "b"), cause)
    with pytest.raises(AgendaBroken, match="not_kept"):
        verify_step(decision)


def test_a_batch_may_forbid_a_place_and_allow_it_again() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0) - MINUTE
    away = ({"starts_at": at(3), "ends_at": at(4)},)
    subject.consume(participant("a", revision=2, available=away), participant("a", revision=3))
    assert subject.slot("a", "b") == 3


def test_a_held_encounter_is_published_once_and_changes_no_agenda() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now = at(0)
    before = len(subject.published)
    assert report(subject, "a", "b") == AttendanceEffects()
    assert report(subject, "a", "b") == AttendanceEffects()
    (said,) = subject.published[before:]
    assert isinstance(said, EncounterChanged)
    assert (said.state, said.place, said.revision) == ("held", subject.state.placements[pair("a", "b")], 2)


def test_a_missed_encounter_is_published_with_the_absent_participants() -> None:
    subject = live(*people("a", "b"), affinity("a", "b"))
    subject.now, before = at(0), len(subject.published)
    assert report(subject, "a", "b", "a").gone == ("a",)
    (said,) = subject.published[before:]
    assert isinstance(said, EncounterChanged)
    assert (said.state, said.absent_ids, said.place and said.place.slot) == ("missed", ("a",), 0)
    subject.consume(
        affinity("a", "b", revision=2),
        participant("b", revision=2, available=({"starts_at": at(0), "ends_at": at(4)},)),
    )
    assert subject.slot("a", "b") is None
    assert not subject.state.waiting
    assert len(subject.published) == before + 1


@pytest.mark.parametrize(("seconds", "is_given"), [(0, True), (450, True), (451, False)])
def test_a_waiting_pair_gets_a_missed_place_until_it_is_half_over(seconds: int, is_given: bool) -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b", priority=3), slots=1, zones=(workspace(1), HALL))
    subject.consume(*here("b", "c"), affinity("b", "c"))
    assert subject.slot("b", "c") is None
    subject.now = at(0) + timedelta(seconds=seconds)
    noted = report(subject, "a", "b", "a")
    assert subject.slot("b", "c") == (0 if is_given else None)
    assert noted.refilled == ((meeting("b", "c"),) if is_given else ())
    told = subject.published[-1]
    assert isinstance(told, AgendaChanged | EncounterChanged)
    if is_given:
        assert isinstance(told, AgendaChanged)
        assert told.causes[0].code == "attendance_reported"


@pytest.mark.parametrize(("came", "is_given"), [((), False), (("b",), False), (("b", "c"), True)])
def test_only_checked_in_participants_get_a_missed_place(came: tuple[str, ...], is_given: bool) -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b", priority=3), slots=1)
    subject.consume(*here(*came), affinity("b", "c"))
    subject.now = at(0)
    report(subject, "a", "b", "a")
    assert (subject.slot("b", "c") is not None) == is_given


def test_the_table_of_a_missed_meeting_goes_to_a_pair_that_waits_for_it() -> None:
    subject = live(*people(*"abcd"), affinity("a", "b", priority=3), slots=1, zones=(workspace(1), HALL))
    subject.consume(*here("a", "c", "d"), affinity("c", "d"))
    subject.now = at(0) + MINUTE
    report(subject, "a", "b", "a", "b")
    assert (subject.slot("c", "d"), subject.table("c", "d")) == (0, "W1")


def test_an_absent_participant_gets_no_meeting_until_checked_in_again() -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b", priority=3), slots=2)
    subject.consume(*here("a", "b", "c"))
    subject.now = at(0)
    report(subject, "a", "b", "a")
    subject.consume(affinity("a", "c"))
    assert subject.slot("a", "c") is None
    subject.consume(*here("a", revision=3))
    assert subject.slot("a", "c") == 0


def test_a_check_in_opens_slots_within_the_freeze_horizon() -> None:
    subject = live(*people("a", "b"), slots=1)
    subject.now = at(0) - MINUTE
    subject.consume(affinity("a", "b"), *here("a"))
    assert subject.slot("a", "b") is None
    version = subject.state.version
    said = subject.consume(*here("b"))
    assert subject.slot("a", "b") == 0
    assert {each.causes[0].code for each in said if isinstance(each, AgendaChanged)} == {"checked_in"}
    assert subject.state.version == version  # nothing that an improvement could use


def test_a_corrected_report_removes_a_meeting_beyond_the_quota() -> None:
    subject = live(
        *people("a", "b", "c"), affinity("a", "b"), affinity("a", "c"), quotas={"max_encounters": 1}, freeze_minutes=0
    )
    subject.now = at(0) + MINUTE
    report(subject, "a", "b", "b")
    subject.consume(*here("a"), participant("c", revision=2, available=(window(2, 4),)))
    assert subject.slot("a", "c") == 2
    noted = report(subject, "a", "b")
    assert noted == AttendanceEffects()
    assert subject.slot("a", "c") is None
    assert subject.state.waiting[pair("a", "c")] is WaitingReason.QUOTA_REACHED


@pytest.mark.parametrize("is_refilled", [False, True])
def test_a_report_can_be_corrected(is_refilled: bool) -> None:
    subject = live(*people("a", "b", "c"), affinity("a", "b", priority=3), slots=1)
    if is_refilled:
        subject.consume(*here("b", "c"), affinity("b", "c"))
    subject.now = at(0)
    report(subject, "a", "b", "a")
    report(subject, "a", "b")
    told = subject.state.encounters[pair("a", "b")]
    assert (told.state, told.absent_ids, told.revision) == ("held", (), 3)
    assert (subject.slot("a", "b") is None) == is_refilled


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


@pytest.mark.parametrize(
    ("outcome", "absent", "minutes", "phase", "code"),
    [
        ("held", (), -1, "live", "not-begun"),
        ("held", (), 0, "published", "not-live"),
        ("missed", (), 0, "live", "contradiction"),
        ("held", ("a",), 0, "live", "contradiction"),
        ("missed", ("c",), 0, "live", "not-theirs"),
        ("missed", ("a", "a"), 0, "live", "not-theirs"),
    ],
)
def test_an_impossible_report_is_rejected(
    outcome: EncounterState, absent: tuple[str, ...], minutes: int, phase: str, code: str
) -> None:
    subject = Edition(edition(phase=phase), *people("a", "b"), affinity("a", "b"))
    subject.now = at(0) + minutes * MINUTE
    with pytest.raises(EditRejected) as refused:
        record_attendance(subject.decision(), meeting("a", "b"), AttendanceReport(outcome=outcome, absent=absent))
    assert refused.value.code == code


def test_after_the_close_only_attendance_changes() -> None:
    subject = live(*people("a", "b", "c"), *here("b", "c"), affinity("a", "b"), affinity("b", "c"))
    subject.consume(edition(revision=3, phase="closed"))
    subject.now, before = at(9), len(subject.published)
    placed = dict(subject.state.placements)
    subject.consume(affinity("a", "c"), participant("a", revision=2, status="cancelled"))
    assert (subject.state.placements, len(subject.published)) == (placed, before)
    assert report(subject, "a", "b", "a") == AttendanceEffects()
    (said,) = subject.published[before:]
    assert isinstance(said, EncounterChanged)
    assert (said.state, said.absent_ids) == ("missed", ("a",))


def test_a_session_moved_onto_a_frozen_encounter_moves_it() -> None:
    subject = live(*people("b"), participant("a", session_ids=("k",)), affinity("a", "b"), slots=6)
    subject.now = at(0) - MINUTE
    sessions = (session("k", 0, 1),)
    subject.consume(edition(revision=3, slots=6, phase="live", freeze_minutes=30, sessions=sessions))
    assert subject.slot("a", "b") == 2  # the first beyond the horizon
