"""The board of an edition: its slots and tables, and the encounters at them; also the view of the wall."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.hours import ticks_of
from services.portal.domain.people import ShownPerson, plain, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import EncounterChanged, EncounterState, Slot, Zone

#: States in which an encounter has its place.
PLACED_STATES = frozenset({EncounterState.SCHEDULED, EncounterState.MOVED, EncounterState.HELD, EncounterState.MISSED})


@dataclass(frozen=True)
class ShownEncounter:
    """An encounter with its people, in the order of the event."""

    encounter: EncounterChanged
    people: tuple[ShownPerson, ...]


@dataclass(frozen=True)
class BoardRow:
    """The encounters of a table, by slot; None where the table is free."""

    table: str
    cells: tuple[ShownEncounter | None, ...]


@dataclass(frozen=True)
class BoardZone:
    """The tables of a zone."""

    zone: Zone
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True)
class EditionBoard:
    """Encounters of an edition: with a place by zone, table and slot, then waiting encounters."""

    slots: tuple[Slot, ...]
    zones: tuple[BoardZone, ...]
    waiting: tuple[ShownEncounter, ...]


def board_of(picture: EditionPicture) -> EditionBoard:
    """Return the board. A table that is out of service is still shown while encounters are there."""
    if picture.edition is None:
        return EditionBoard((), (), ())
    at: defaultdict[tuple[str, str], dict[int, ShownEncounter]] = defaultdict(dict)
    for encounter in picture.encounters.values():
        if encounter.place and encounter.state in PLACED_STATES:
            shown = shown_encounter(picture, encounter)
            at[encounter.place.zone_id, encounter.place.table][encounter.place.slot] = shown
    slots = picture.edition.slots
    zones = []
    for zone in picture.edition.zones:
        beyond = sorted(table for zone_id, table in at if zone_id == zone.zone_id and table not in zone.tables)
        rows = tuple(
            BoardRow(table, tuple(at[zone.zone_id, table].get(slot.index) for slot in slots))
            for table in (*zone.tables, *beyond)
        )
        if rows:
            zones.append(BoardZone(zone, rows))
    waiting = [
        shown_encounter(picture, encounter)
        for encounter in picture.encounters.values()
        if encounter.state is EncounterState.WAITING
    ]
    return EditionBoard(slots, tuple(zones), tuple(sorted(waiting, key=lambda shown: shown.encounter.encounter_id)))


def shown_encounter(picture: EditionPicture, encounter: EncounterChanged) -> ShownEncounter:
    """Return an encounter with the names of its people."""
    parties = zip(encounter.participant_ids, encounter.organisation_ids, strict=True)
    guests = ((guest.participant_id, guest.organisation_id) for guest in encounter.guests)
    return ShownEncounter(encounter, tuple(shown_person(picture, *party) for party in (*parties, *guests)))


@dataclass(frozen=True)
class WallTime:
    """The encounters of a slot, by zone and table."""

    slot: Slot
    encounters: tuple[ShownEncounter, ...]


@dataclass(frozen=True)
class Wall:
    """The present slot and the next slot."""

    now: WallTime | None
    next: WallTime | None


def wall_of(picture: EditionPicture, now: datetime) -> Wall:
    """Return the encounters of the present slot and of the next."""
    slots = picture.edition.slots if picture.edition else ()
    on = next((slot for slot in slots if slot.starts_at <= now < slot.ends_at), None)
    coming = next((slot for slot in slots if slot.starts_at > now), None)
    return Wall(_wall_time(picture, on), _wall_time(picture, coming))


def _wall_time(picture: EditionPicture, slot: Slot | None) -> WallTime | None:
    if slot is None:
        return None
    found = [
        shown_encounter(picture, encounter)
        for encounter in picture.encounters.values()
        if encounter.place and encounter.place.slot == slot.index and encounter.state in PLACED_STATES
    ]
    order = {zone.zone_id: number for number, zone in enumerate(picture.edition.zones if picture.edition else ())}
    return WallTime(slot, tuple(sorted(found, key=lambda shown: _table_order(shown, order))))


def _table_order(shown: ShownEncounter, zones: dict[str, int]) -> tuple[int, int, str]:
    """Sort key of an encounter: zone, then the table by its number, then by its label."""
    place = shown.encounter.place
    if place is None:
        return len(zones), 0, ""
    digits = "".join(filter(str.isdigit, place.table))
    return zones.get(place.zone_id, len(zones)), int(digits or 0), place.table


@dataclass(frozen=True)
class FreePlace:
    """A slot and a zone with a free table in it; `fits` tells that the people of the encounter are free then."""

    slot: Slot
    zone: Zone
    fits: bool


def places_of(picture: EditionPicture, encounter: EncounterChanged) -> tuple[FreePlace, ...]:
    """Return the slots and zones with a free table, first the slots in which the people of an encounter are free."""
    if picture.edition is None:
        return ()
    taken: Counter[tuple[int, str]] = Counter()
    busy: set[int] = set()
    people = {*encounter.participant_ids, *(guest.participant_id for guest in encounter.guests)}
    for other in picture.encounters.values():
        if other.place and other.state in PLACED_STATES and other.encounter_id != encounter.encounter_id:
            taken[other.place.slot, other.place.zone_id] += 1
            if people & {*other.participant_ids, *(guest.participant_id for guest in other.guests)}:
                busy.add(other.place.slot)
    for participant in filter(None, map(picture.participants.get, people)):
        busy |= {tick.slot.index for day in ticks_of(picture.edition, participant) for tick in day.ticks
                 if not tick.is_free or tick.session}  # fmt: skip
    found = [
        FreePlace(slot, zone, slot.index not in busy)
        for slot in picture.edition.slots
        for zone in picture.edition.zones
        if taken[slot.index, zone.zone_id] < len(zone.tables)
    ]
    return tuple(sorted(found, key=lambda place: (not place.fits, place.slot.index)))


def filtered(picture: EditionPicture, board: EditionBoard, words: str) -> tuple[ShownEncounter, ...]:
    """Return the encounters whose people, organisations or delegation have all words; none without words."""
    wanted = plain(words).split()
    if not wanted:
        return ()
    placed = [shown for zone in board.zones for row in zone.rows for shown in row.cells if shown]
    found = [shown for shown in (*placed, *board.waiting) if all(word in _text_of(picture, shown) for word in wanted)]
    return tuple(sorted(found, key=lambda shown: shown.encounter.place.slot if shown.encounter.place else -1))


def _text_of(picture: EditionPicture, shown: ShownEncounter) -> str:
    texts = []
    for person in shown.people:
        participant = picture.participants.get(person.participant_id)
        house = picture.organisations.get(participant.organisation_id) if participant else None
        texts += [person.name, person.organisation, (house.delegation or "") if house else ""]
    return plain(" ".join(texts))
