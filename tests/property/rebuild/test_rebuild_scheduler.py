"""Rebuild of the scheduler: after any day, inputs and published events give the same state back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler import rebuild as scheduler
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Event
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import differences
from tests.support.scheduler_day import Step, apply_step, full_fair, steps
from tests.support.scheduler_editions import Edition


class Overheard(Edition):
    """An edition that keeps its inputs too."""

    def __init__(self, *events: Event, **fields: Any) -> None:
        self.heard: list[Event] = []
        super().__init__(*events, **fields)

    def consume(self, *events: Event) -> list[Event]:
        self.now += timedelta(microseconds=1)
        events = tuple(event.model_copy(update={"occurred_at": self.now}) for event in events)
        self.heard += events
        return super().consume(*events)


def a_day(tables: int, rest: Sequence[Step]) -> Overheard:
    subject = full_fair(tables, Overheard)
    assert isinstance(subject, Overheard)
    for revision, (kind, fields) in enumerate(rest, start=3):
        apply_step(subject, kind, fields, revision)
    return subject


def rebuilt(subject: Overheard) -> AgendaState:
    return scheduler.state_of("ed", EditionEvents(subject.heard), EditionEvents(subject.published)).state


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 3), st.lists(steps, max_size=25))
def test_inputs_and_published_events_give_the_state_back(tables: int, rest: list[Step]) -> None:
    subject = a_day(tables, rest)
    if subject.state.is_closed:  # what a closed edition does not tell any more is not on the bus
        return
    live = AgendaState.model_validate_json(subject.state.model_dump_json())
    found = list(differences(scheduler.view_of(rebuilt(subject)), scheduler.view_of(live)))
    assert found == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, max_size=15), st.lists(steps, min_size=1, max_size=5))
def test_a_rebuilt_state_consumes_and_publishes_further_events(before: list[Step], after: list[Step]) -> None:
    subject = a_day(2, before)
    subject.state = rebuilt(subject)
    for revision, (kind, fields) in enumerate(after, start=50):
        apply_step(subject, kind, fields, revision)
    newest: dict[str, int] = {}
    for said in subject.published:
        assert said.revision == newest.get(said.thing, 0) + 1
        newest[said.thing] = said.revision
