"""The board of an edition as a page: tables by slots, laid out from the newest events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.contract.events import (
    EditionChanged,
    EncounterChanged,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Session,
    Slot,
)

#: The kinds of organisation: name in the legend, and colour. Dark enough for white text (contrast 4.5 or more).
KINDS: Mapping[OrganisationKind, tuple[str, str]] = {
    OrganisationKind.SME: ("SME", "#2563a8"),
    OrganisationKind.LARGE_COMPANY: ("large company", "#17365f"),
    OrganisationKind.RESEARCH_GROUP: ("research group", "#7a3e9d"),
    OrganisationKind.TECHNOLOGY_CENTRE: ("technology centre", "#a8326a"),
    OrganisationKind.GOVERNMENT: ("government", "#a03c1c"),
    OrganisationKind.PUBLIC_BODY: ("public body", "#7d5a0b"),
    OrganisationKind.CONSULTANT: ("consultant", "#2f6f4f"),
}
_LEGAL_FORMS = (" S.A. de C.V.", " S. Coop.", " S.A.C.", " S.R.L.", " S.L.", " S.A.", " SpA", " Ltda.", " Lda.")
_LEAST_BREAK = timedelta(minutes=20)


@dataclass(frozen=True)
class Attendee:
    """A participant of an encounter, as shown in its cell."""

    organisation: str
    short: str
    person: str
    kind: OrganisationKind

    @property
    def colour(self) -> str:
        """The colour of the organisation's kind."""
        return KINDS[self.kind][1]


@dataclass(frozen=True)
class Cell:
    """An encounter at its table and slot, with its two participants."""

    first: Attendee
    second: Attendee
    affinity: float


@dataclass(frozen=True)
class TableRow:
    """A table: a cell per slot, None where the table is free."""

    table: str
    cells: tuple[Cell | None, ...]

    @property
    def fill(self) -> float:
        """Share of the table's slots in use."""
        return sum(cell is not None for cell in self.cells) / max(1, len(self.cells))


@dataclass(frozen=True)
class Band:
    """A session over the slots it overlaps: `first` counts from 0, `span` is a number of slots."""

    title: str
    first: int
    span: int


@dataclass(frozen=True)
class Room:
    """A zone with its tables and its sessions. Sessions at the same time are in different lanes."""

    name: str
    kind: str
    rows: tuple[TableRow, ...]
    lanes: tuple[tuple[Band, ...], ...]

    @property
    def fill(self) -> float:
        """Share of the slots of all its tables in use."""
        return sum(row.fill for row in self.rows) / len(self.rows) if self.rows else 0.0


@dataclass(frozen=True)
class Column:
    """The head of a slot's column. `after_break`: a break lies between the slot and the slot before it."""

    clock: str
    after_break: bool


@dataclass(frozen=True)
class BoardPage:
    """The whole edition on a page."""

    title: str
    day: str
    columns: tuple[Column, ...]
    rooms: tuple[Room, ...]
    encounters: int
    figures: tuple[tuple[str, str], ...] = ()


def lay_out(
    edition: EditionChanged,
    organisations: Mapping[str, OrganisationChanged],
    participants: Mapping[str, ParticipantChanged],
    encounters: Mapping[str, EncounterChanged],
    figures: tuple[tuple[str, str], ...] = (),
) -> BoardPage:
    """Lay out the board of an edition, in its time zone, without the encounters that have no place."""

    def attendee(participant_id: str) -> Attendee:
        person = participants[participant_id]
        organisation = organisations[person.organisation_id]
        return Attendee(organisation.name, short_name(organisation.name), person.name, organisation.kind)

    cells = {
        (encounter.place.zone_id, encounter.place.table, encounter.place.slot): Cell(
            attendee(encounter.participant_ids[0]), attendee(encounter.participant_ids[1]), encounter.affinity
        )
        for encounter in encounters.values()
        if encounter.place is not None
    }
    zone = ZoneInfo(edition.timezone)
    rooms = tuple(
        Room(
            name=room.name,
            kind=room.kind.value,
            rows=tuple(
                TableRow(table, tuple(cells.get((room.zone_id, table, slot.index)) for slot in edition.slots))
                for table in room.tables
            ),
            lanes=_lanes([session for session in edition.sessions if session.zone_id == room.zone_id], edition.slots),
        )
        for room in edition.zones
    )
    return BoardPage(
        title=edition.name,
        day=edition.slots[0].starts_at.astimezone(zone).date().isoformat() if edition.slots else "",
        columns=_columns(edition.slots, zone),
        rooms=rooms,
        encounters=len(cells),
        figures=figures,
    )


def short_name(name: str) -> str:
    """Return an organisation's name without its legal form and without "Grupo"."""
    form = next((form for form in _LEGAL_FORMS if name.endswith(form)), "")
    return name.removesuffix(form).removeprefix("Grupo ").removeprefix("de ")


def _lanes(sessions: list[Session], slots: tuple[Slot, ...]) -> tuple[tuple[Band, ...], ...]:
    lanes: list[list[Band]] = []
    for session in sorted(sessions, key=lambda session: (session.starts_at, session.session_id)):
        covered = [slot.index for slot in slots if session.overlaps(slot)]
        if not covered:
            continue
        free = next((lane for lane in lanes if lane[-1].first + lane[-1].span <= covered[0]), None)
        if free is None:
            lanes.append(free := [])
        free.append(Band(session.title, covered[0], len(covered)))
    return tuple(tuple(lane) for lane in lanes)


def _columns(slots: tuple[Slot, ...], zone: ZoneInfo) -> tuple[Column, ...]:
    return tuple(
        Column(
            clock=slot.starts_at.astimezone(zone).strftime("%H:%M"),
            after_break=slot.index > 0 and slot.starts_at - slots[slot.index - 1].ends_at >= _LEAST_BREAK,
        )
        for slot in slots
    )


def render_page(board: BoardPage) -> str:
    """Render the board as an HTML page without external resources: it works from a file, and on a phone."""
    environment = Environment(
        loader=PackageLoader("demo", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("board.html").render(board=board, kinds=KINDS)
