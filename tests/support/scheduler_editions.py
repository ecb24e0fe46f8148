"""Small editions for tests: a day of 15-minute slots from 09:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.scheduler.domain.changes import Change
from services.scheduler.domain.decide import apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.publication import publish
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import verify_touched
from shared.contract.events import (
    AffinityScored,
    EditionChanged,
    Event,
    Interval,
    OrganisationChanged,
    ParticipantChanged,
    Session,
    Slot,
    Zone,
)
from shared.contract.ids import pair_id
from tests.support.events import EventBuilder

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NINE = datetime(2026, 11, 19, 9, tzinfo=UTC)
EVENTS = EventBuilder("op", "ed", NOW)


def at(slot: float) -> datetime:
    """Return the start of a slot."""
    return NINE + timedelta(minutes=15 * slot)


def window(first: float, end: float) -> Interval:
    """Return the interval between the starts of two slots."""
    return Interval(starts_at=at(first), ends_at=at(end))


def workspace(tables: int = 2) -> Zone:
    return Zone(zone_id="work", kind="workspace", name="Workspace", tables=tuple(f"W{n}" for n in range(1, tables + 1)))


def innova(tables: int = 1) -> Zone:
    return Zone(zone_id="innova", kind="innova", name="Innova+", tables=tuple(f"I{n}" for n in range(1, tables + 1)))


HALL = Zone(zone_id="hall", kind="conference", name="Hall")


def session(session_id: str, first: float, end: float, title: str = "Keynote") -> Session:
    return Session(
        session_id=session_id, kind="keynote", title=title, zone_id="hall", starts_at=at(first), ends_at=at(end)
    )


def edition(*, slots: int = 4, shift: float = 0, **fields: Any) -> EditionChanged:
    """Build an open edition with quarter-hour slots, a workspace and a hall."""
    made = tuple(Slot(index=n, starts_at=at(n + shift), ends_at=at(n + shift + 1)) for n in range(slots))
    return EVENTS.edition(**{"slots": made, "zones": (workspace(), HALL), **fields})


def organisation(organisation_id: str, kind: str = "sme", **fields: Any) -> OrganisationChanged:
    return EVENTS.organisation(organisation_id, kind=kind, **fields)


def participant(participant_id: str, **fields: Any) -> ParticipantChanged:
    """Build a participant of the organisation `org-<participant_id>`."""
    return EVENTS.participant(participant_id, **{"organisation_id": f"org-{participant_id}", **fields})


def affinity(one: str, other: str, *, revision: int = 1, **fields: Any) -> AffinityScored:
    return EVENTS.affinity(one, other, revision=revision, **fields)


def pair(one: str, other: str) -> str:
    return pair_id("ed", one, other)


class Edition:
    """An edition's state that consumes events, and keeps its changes and its published events."""

    def __init__(self, *events: Event, now: datetime = NOW) -> None:
        self.now = now
        self.state = AgendaState(edition_id="ed")
        self.changes: list[Change] = []
        self.published: list[Event] = []
        if events:
            self.consume(*events)

    def consume(self, *events: Event) -> list[Event]:
        """Decide on a batch of events; return the published events."""
        decision = DecisionInProgress(self.state, self.now)
        for event in events:
            apply_event(decision, event)
        return self.finish(decision)

    def decision(self) -> DecisionInProgress:
        return DecisionInProgress(self.state, self.now)

    def finish(self, decision: DecisionInProgress) -> list[Event]:
        verify_touched(decision)
        told, said = publish(self.state, self.now)
        if told is not None:
            decision.record(told)
        self.changes += decision.changes
        self.published += said
        return said

    def slot(self, one: str, other: str) -> int | None:
        place = self.state.placements.get(pair(one, other))
        return place.slot if place else None

    def table(self, one: str, other: str) -> str | None:
        place = self.state.placements.get(pair(one, other))
        return place.table if place else None


def people(*participant_ids: str, **fields: Any) -> list[ParticipantChanged]:
    return [participant(each, **fields) for each in participant_ids]


def without_empty(index: object) -> object:
    """Return an index as nested dictionaries, without empty entries."""
    entries = index if isinstance(index, dict) else getattr(index, "__dict__", None)
    if entries is None:
        return index
    return {key: kept for key, value in entries.items() if (kept := without_empty(value))}
