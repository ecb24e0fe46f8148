"""Rebuild of the scheduler: places of encounters whose reports of attendance were corrected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from services.scheduler import rebuild
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.state import AgendaState
from shared.contract.events import EncounterChanged, EncounterState, Event
from shared.contract.ids import encounter_id
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import differences
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    pair,
    participant,
    window,
    workspace,
)


def live_edition(now: datetime, revision: int = 1, shift: float = 0) -> Event:
    zones = (workspace(1), HALL)
    made = edition(phase="live", freeze_minutes=0, zones=zones, revision=revision, shift=shift)
    return made.model_copy(update={"occurred_at": now})


class Day:
    """Ana meets Ben in the first slot at the only table. Cid and Dora would take their place."""

    def __init__(self) -> None:
        arrived = [
            participant(name, checked_in=True, available=(window(0, 1),)) for name in ("ana", "ben", "cid", "dora")
        ]
        pairs = [affinity("ana", "ben", priority=3), affinity("cid", "dora", priority=1)]
        self.consumed: list[Event] = [live_edition(at(-4)), *arrived, *pairs]
        self.subject = Edition(*self.consumed, now=at(-4))
        self.subject.now = at(0) + timedelta(minutes=1)
        assert self.subject.slot("ana", "ben") == 0

    def report(self, first_id: str, second_id: str, *absent: str) -> None:
        decision = self.subject.decision()
        outcome = EncounterState.MISSED if absent else EncounterState.HELD
        made = AttendanceReport(outcome=outcome, absent=absent)
        record_attendance(decision, encounter_id("ed", first_id, second_id), made)
        self.subject.finish(decision)

    def move_slots(self, revision: int, shift: float) -> None:
        self.consume(lambda now: live_edition(now, revision, shift))

    def consume(self, made_at: Callable[[datetime], Event]) -> None:
        self.subject.now += timedelta(minutes=1)
        event = made_at(self.subject.now)
        self.consumed.append(event)
        self.subject.consume(event)

    def rebuilt(self, published: list[Event] | None = None) -> AgendaState:
        known = EditionEvents(self.subject.published if published is None else published)
        return rebuild.state_of("ed", EditionEvents(self.consumed), known).state

    def differences(self) -> list[tuple[str, str, str, str]]:
        live = AgendaState.model_validate_json(self.subject.state.model_dump_json())
        return list(differences(rebuild.view_of(self.rebuilt()), rebuild.view_of(live)))


def test_the_place_given_away_stays_with_the_second_encounter() -> None:
    day = Day()
    day.report("ana", "ben", "ana")
    assert day.subject.slot("cid", "dora") == 0
    day.report("ana", "ben")
    day.report("cid", "dora")
    assert day.subject.slot("ana", "ben") is None
    assert day.differences() == []


def test_a_place_given_away_is_not_given_back_when_the_second_encounter_is_missed_too() -> None:
    day = Day()
    day.report("ana", "ben", "ana")
    day.report("ana", "ben")
    day.report("cid", "dora", "cid")
    assert (day.subject.slot("ana", "ben"), day.subject.slot("cid", "dora")) == (None, None)
    assert day.differences() == []


@pytest.mark.parametrize("is_corrected", [False, True])
def test_a_held_encounter_keeps_its_place_when_all_slots_move_away(is_corrected: bool) -> None:
    day = Day()
    if is_corrected:
        day.consume(lambda _: affinity("cid", "dora", priority=1, consent="refused", revision=2))
        day.report("ana", "ben", "ana")
    day.report("ana", "ben")
    day.move_slots(2, shift=4.2)
    assert pair("ana", "ben") in day.subject.state.placements
    assert day.differences() == []


def test_an_encounter_held_after_all_slots_moved_away_has_no_place() -> None:
    day = Day()
    day.report("ana", "ben", "ana")
    day.report("cid", "dora", "cid")
    day.move_slots(2, shift=4.2)
    day.report("ana", "ben")
    assert day.subject.state.placements == {}
    assert day.differences() == []


def test_of_a_compacted_topic_encounters_held_at_the_same_table_do_not_share_it() -> None:
    day = Day()
    day.report("ana", "ben", "ana")
    day.report("ana", "ben")
    day.report("cid", "dora")
    newest = EditionEvents(day.subject.published).newest(EncounterChanged)
    state = day.rebuilt([*newest])
    assert len(state.attended) == 2
    assert len(state.placements) == 1


def test_a_report_published_again_leaves_a_participant_checked_in() -> None:
    day = Day()
    day.report("ana", "ben", "ana")
    back = participant("ana", checked_in=True, revision=2)
    day.consume(lambda now: back.model_copy(update={"occurred_at": now}))
    day.move_slots(2, shift=-1)
    assert day.subject.state.participants["ana"].checked_in
    assert day.differences() == []
