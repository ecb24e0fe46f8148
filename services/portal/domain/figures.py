"""Figures of an edition: counts by state, to read and to plot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from services.portal.domain.board import PLACED_STATES
from services.portal.domain.picture import EditionPicture
from shared.contract.events import EncounterState, RequestState, Status


@dataclass(frozen=True)
class Bar:
    """A bar of a plot: a count, and its share of the longest bar, 0..1."""

    name: str
    count: int
    share: float


@dataclass(frozen=True)
class EditionFigures:
    """The figures of an edition: plots by name."""

    people: tuple[Bar, ...]
    requests: tuple[Bar, ...]
    encounters: tuple[Bar, ...]
    by_slot: tuple[Bar, ...]
    per_person: tuple[Bar, ...]


def figures_of(picture: EditionPicture) -> EditionFigures:
    """Count people, requests and encounters."""
    active = [person for person in picture.participants.values() if person.status is Status.ACTIVE]
    placed = [
        encounter for encounter in picture.encounters.values() if encounter.place and encounter.state in PLACED_STATES
    ]
    states = Counter(encounter.state for encounter in picture.encounters.values())
    requests = Counter(request.state for request in picture.requests.values())
    slots = Counter(encounter.place.slot for encounter in placed if encounter.place)
    have = Counter(person for encounter in placed for person in encounter.participant_ids)
    spread = Counter(have[person.participant_id] for person in active)
    every_slot = range(len(picture.edition.slots) if picture.edition else 0)
    return EditionFigures(
        people=_bars(
            {
                "registered": len(active),
                "checked_in": sum(person.checked_in for person in active),
                "without": sum(not have[person.participant_id] for person in active),
            }
        ),
        requests=_bars({state.value: requests[state] for state in RequestState}),
        encounters=_bars({state.value: states[state] for state in EncounterState}),
        by_slot=_bars({str(index): slots[index] for index in every_slot}),
        per_person=_bars({str(number): spread[number] for number in range(max(spread, default=0) + 1)}),
    )


def _bars(counts: dict[str, int]) -> tuple[Bar, ...]:
    longest = max(counts.values(), default=0) or 1
    return tuple(Bar(name, count, count / longest) for name, count in counts.items())
