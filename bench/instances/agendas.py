"""The scheduler's state of a synthetic edition."""

from __future__ import annotations

from collections.abc import Iterable

from bench.instances.editions import EDITION, WHEN
from services.scheduler.domain.decide import apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Event


def agenda_of(events: Iterable[Event]) -> AgendaState:
    """Return the state after the scheduler has applied the events in sequence."""
    state = AgendaState(edition_id=EDITION)
    decision = DecisionInProgress(state, WHEN)
    for event in events:
        apply_event(decision, event)
    return state
