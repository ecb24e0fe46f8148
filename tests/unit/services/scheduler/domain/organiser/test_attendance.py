"""Reports of attendance, check-ins, and the use of freed places."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.scheduler.domain.organiser.attendance import AttendanceEffects, AttendanceReport, record_attendance
from services.scheduler.domain.organiser.errors import EditRejected
from shared.contract.events import AgendaChanged, EncounterChanged, EncounterState, WaitingReason
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
from tests.support.scheduler_live_edition import MINUTE, here, live, meeting, report


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
