"""Corrected reports of attendance: a meeting reported as missed was held after all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.verification import violations_of
from shared.contract.events import EncounterState, WaitingReason
from shared.contract.ids import encounter_id
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    organisation,
    pair,
    participant,
    people,
    window,
    workspace,
)

MINUTE = timedelta(minutes=1)


def report(subject: Edition, first_id: str, second_id: str, *absent: str) -> None:
    decision = subject.decision()
    outcome = EncounterState.MISSED if absent else EncounterState.HELD
    made = AttendanceReport(outcome=outcome, absent=absent)
    record_attendance(decision, encounter_id("ed", first_id, second_id), made)
    subject.finish(decision)


def met_again_by_substitution() -> Edition:
    """Ana misses Ben in slot 0, and is to meet him in slot 2, where he is the substitute of his colleague Bea."""
    subject = Edition(
        edition(slots=4, phase="live", freeze_minutes=15),
        organisation("acme", interchangeable=True),
        *people("ana"),
        participant("ben", organisation_id="acme"),
        participant("bea", organisation_id="acme", available=(window(0, 1),)),
        affinity("ana", "ben"),
        now=at(-4),
    )
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    subject.now = at(0) + MINUTE
    report(subject, "ana", "ben", "ana")
    subject.consume(affinity("ana", "bea"))
    assert (subject.slot("ana", "bea"), subject.state.pairs[pair("ana", "bea")].people) == (2, ("ana", "ben"))
    return subject


@pytest.mark.parametrize("minutes", [1, 16])
def test_a_second_meeting_of_two_participants_gives_way_to_a_correction(minutes: int) -> None:
    """The second meeting is frozen after 15 minutes."""
    subject = met_again_by_substitution()
    subject.now = at(0) + minutes * MINUTE
    report(subject, "ana", "ben")
    assert (subject.slot("ana", "ben"), subject.slot("ana", "bea")) == (0, None)
    assert subject.state.waiting[pair("ana", "bea")] in {WaitingReason.AGENDAS_FULL, WaitingReason.NO_COMMON_SLOT}


def test_a_correction_may_show_that_two_participants_met_twice() -> None:
    subject = met_again_by_substitution()
    subject.now = at(2) + MINUTE
    report(subject, "ana", "ben")
    assert (subject.slot("ana", "ben"), subject.slot("ana", "bea")) == (0, 2)
    assert violations_of(subject.state, subject.state.placements, subject.now) == []


def test_a_correction_brings_no_displaced_meeting_of_others_home() -> None:
    """Ann and Bob gave way to Cleo and Dan, because Cleo has new hours. Eve and Finn have no part in it."""
    subject = Edition(
        edition(slots=4, zones=(workspace(1), HALL), phase="live", freeze_minutes=0),
        *people("ann", "dan"),
        participant("bob", available=(window(2, 4),)),
        participant("cleo", available=(window(0, 1),)),
        participant("eve", available=(window(0, 1),)),
        *people("finn"),
        affinity("eve", "finn"),
        affinity("ann", "bob"),
        affinity("cleo", "dan"),
        now=at(-4),
    )
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    announced = subject.slot("ann", "bob")
    assert announced is not None
    subject.consume(participant("cleo", revision=2, available=(window(announced, announced + 1),)))
    assert (subject.slot("cleo", "dan"), subject.slot("ann", "bob")) == (announced, 5 - announced)
    subject.now = at(0) + MINUTE
    report(subject, "eve", "finn", "eve")
    report(subject, "eve", "finn")
    assert (subject.slot("cleo", "dan"), subject.slot("ann", "bob")) == (announced, 5 - announced)
