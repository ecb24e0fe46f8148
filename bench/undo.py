"""Changes of facts that are undone: encounters at another hour during the change and afterwards, and people told.

A published and a live edition of 120 people on two days get each change once, and its inverse after three seconds. Then
all is published. The peers are the fewest moves that place the same encounters, the fewest that place as many, and a
full CP-SAT re-solve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from bench.instances.editions import EDITION, WHEN, Size, SyntheticEdition, synthetic
from bench.instances.stream import live, published
from services.scheduler.aggregate import AgendaAggregate, announcing, publishing
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.solver.fewest_moves import fewest_moves
from shared.contract.events import AgendaChanged, EditionChanged, Event, Interval, ParticipantChanged, Zone

_SEED = 2018
_FREEZE_MINUTES = 30
_SECONDS = timedelta(seconds=3)
#: The edition in which the slips were seen: 231 encounters.
_SIZE = Size("120", 70, 120, 231, 12, 11, days=2)
_EFFORT = 10.0
#: Time of a live edition: an hour before its first slot.
_BEFORE = timedelta(hours=1)


class Slip(NamedTuple):
    """A change of a fact: its name, and the function that makes its event."""

    name: str
    make: Callable[[SyntheticEdition], Event]


def run(data: Path | None) -> list[dict[str, object]]:  # noqa: ARG001 - every benchmark is offered the data
    """Return a row per phase and slip."""
    return list(rows(_SIZE))


def rows(size: Size) -> Iterator[dict[str, object]]:
    """Yield a row per phase and slip for an edition of this size."""
    for phase in ("published", "live"):
        for slip in SLIPS:
            yield {"phase": phase, "slip": slip.name, **_measured(size, phase, slip)}


def _measured(size: Size, phase: str, slip: Slip) -> dict[str, object]:
    subject = _Announced(synthetic(size, _SEED), phase)
    before, slots, encounters = subject.hours(), subject.slots(), len(subject.state.placements)
    changed = slip.make(subject.instance)
    inverse = _inverse(subject.instance, changed)
    subject.apply(changed)
    during, peers = subject.hours(), _peers(subject, slots)
    subject.now += _SECONDS
    subject.apply(inverse)
    return {
        "encounters": encounters,
        "moved": sum(pair in during and during[pair] != hour for pair, hour in before.items()),
        "without_place": sum(pair not in during for pair in before),
        **peers,
        "told": len(subject.told),
        "at_another_hour_after": sum(subject.hours().get(pair) != hour for pair, hour in before.items()),
        "placed_after": len(subject.state.placements) - encounters,
    }


class _Announced:
    """An edition with announced agendas."""

    def __init__(self, instance: SyntheticEdition, phase: str) -> None:
        self.instance = instance
        self.state = AgendaState(edition_id=EDITION)
        self.now = WHEN
        self.told: set[str] = set()
        self.apply(*instance.events, published(instance))
        announcing(self.state, self.now)
        self._publish()
        if phase == "live":
            self.now = instance.edition.slots[0].starts_at - _BEFORE
            self.apply(live(instance, _FREEZE_MINUTES))
        self.told.clear()

    def apply(self, *events: Event) -> None:
        """Decide on events, and publish the consequences."""
        decision = AgendaAggregate().decide(self.state, events, self.now)
        self._tell(decision.outbox)
        self._publish()

    def hours(self) -> dict[str, datetime]:
        """Return the hour of every placed pair."""
        return {pair_id: place.starts_at for pair_id, place in self.state.placements.items()}

    def slots(self) -> dict[str, SlotSet]:
        """Return the slots of every placed pair."""
        return {pair_id: assignment.slots for pair_id, (_, assignment) in self.state.board.placed.items()}

    def _publish(self) -> None:
        while self.state.unpublished_pairs or self.state.unpublished_participants:
            self._tell(publishing(self.state, self.now).outbox)

    def _tell(self, events: list[Event]) -> None:
        self.told.update(event.participant_id for event in events if isinstance(event, AgendaChanged) and event.changes)


def _peers(subject: _Announced, before: Mapping[str, SlotSet]) -> dict[str, object]:
    """Return the fewest moves of the changed edition, and the moves of a full re-solve.

    `fewest_moves` is of the agendas that place the same encounters, `fewest_of_any` of all that place as many.
    """
    problem = problem_of(subject.state, subject.now, change_budget=0)
    known = {pair: slots & problem.all_slots for pair, slots in before.items()}
    ours = {pair: assignment.slots for pair, (_, assignment) in subject.state.board.placed.items()}
    fewest = fewest_moves(problem.of_encounters(ours), known, ours, _EFFORT)
    of_any = fewest_moves(problem, known, ours, _EFFORT)
    anew = fewest_moves(problem, known, {}, _EFFORT, moves_count=False)
    return {
        "fewest_moves": fewest.moves,
        "proven": fewest.proven,
        "placed": len(ours),
        "fewest_of_any": of_any.moves,
        "placed_by_any": len(of_any.slots),
        "moved_by_resolve": _moves(known, anew.slots),
    }


def _moves(before: Mapping[str, SlotSet], after: Mapping[str, SlotSet]) -> int:
    return sum(pair in after and after[pair] != slots for pair, slots in before.items())


def _inverse(instance: SyntheticEdition, changed: Event) -> Event:
    """Return the event with the facts before the change; `instance` holds these until the change is undone."""
    known = (
        instance.participants[changed.participant_id] if isinstance(changed, ParticipantChanged) else instance.edition
    )
    return known.model_copy(update={"revision": instance.next_revision()})


def _edition(instance: SyntheticEdition, **update: object) -> EditionChanged:
    return instance.edition.model_copy(update={**update, "revision": instance.next_revision()})


def _with_tables(instance: SyntheticEdition, tables: Callable[[Zone], tuple[str, ...]]) -> EditionChanged:
    zones = tuple(zone.model_copy(update={"tables": tables(zone)}) for zone in instance.edition.zones)
    return _edition(instance, zones=zones)


def _all_tables_removed(instance: SyntheticEdition) -> Event:
    return _with_tables(instance, lambda _: ())


def _one_table_removed(instance: SyntheticEdition) -> Event:
    first = next(zone.zone_id for zone in instance.edition.zones if zone.tables)
    return _with_tables(instance, lambda zone: zone.tables[1:] if zone.zone_id == first else zone.tables)


def _second_day_dropped(instance: SyntheticEdition) -> Event:
    first = instance.edition.slots[0].starts_at.date()
    return _edition(instance, slots=tuple(slot for slot in instance.edition.slots if slot.starts_at.date() == first))


def _keynote_moved(instance: SyntheticEdition) -> Event:
    """Move the session with the most attendees by three hours, on its day."""
    attended = [session_id for participant in instance.participants.values() for session_id in participant.session_ids]
    session = max(instance.edition.sessions, key=lambda item: (attended.count(item.session_id), item.session_id))
    later = session.starts_at + timedelta(hours=3)
    last = max(slot.ends_at for slot in instance.edition.slots if slot.starts_at.date() == session.starts_at.date())
    starts_at = later if later < last else session.starts_at - timedelta(hours=3)
    moved = session.model_copy(
        update={"starts_at": starts_at, "ends_at": starts_at + (session.ends_at - session.starts_at)}
    )
    sessions = tuple(moved if item is session else item for item in instance.edition.sessions)
    return _edition(instance, sessions=sessions)


def _hours_of_the_busiest(instance: SyntheticEdition) -> Event:
    """Leave the participant with the most pairs half of the first day."""
    people = [participant_id for pair in instance.pairs.values() for participant_id in pair.participant_ids]
    busiest = instance.participants[max(sorted(set(people)), key=people.count)]
    slots = instance.edition.slots
    window = Interval(starts_at=slots[0].starts_at, ends_at=slots[len(slots) // 4].ends_at)
    return busiest.model_copy(update={"available": (window,), "revision": instance.next_revision()})


def _a_quota_of_two(instance: SyntheticEdition) -> Event:
    quotas = instance.edition.quotas.model_copy(update={"max_encounters": 2})
    return _edition(instance, quotas=quotas)


SLIPS = (
    Slip("all tables removed", _all_tables_removed),
    Slip("second day dropped", _second_day_dropped),
    Slip("one table removed", _one_table_removed),
    Slip("keynote moved three hours", _keynote_moved),
    Slip("hours of one participant", _hours_of_the_busiest),
    Slip("quota of two", _a_quota_of_two),
)
