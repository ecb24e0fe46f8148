"""An edition of the scheduler on its day: live, with check-ins and reports of attendance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.organiser.attendance import AttendanceEffects, AttendanceReport, record_attendance
from shared.contract.events import EncounterState
from shared.contract.ids import encounter_id
from tests.support.scheduler_editions import (
    Edition,
    edition,
    participant,
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
