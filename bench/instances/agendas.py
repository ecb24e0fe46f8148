"""The scheduler's state of an edition that is made for a benchmark."""

from __future__ import annotations

from collections.abc import Iterable

from bench.instances.editions import EDITION, WHEN
from services.scheduler.domain.decide import apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Event


def agenda_of(events: Iterable[Event]) -> AgendaState:
    """What the scheduler's insert makes of the events, one after the other."""
    state = AgendaState(edition_id=EDITION)
    decision = DecisionInProgress(state, WHEN)
    for event in events:
        apply_event(decision, event)
    return state
