"""Sheets for paper."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from services.portal.domain.agenda import ShownAgenda, shown_agenda
from services.portal.domain.board import ShownEncounter, board_of
from services.portal.domain.people import ShownPerson, plain, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import Slot, Status


@dataclass(frozen=True)
class AgendaSheet:
    """The agenda of a person on a sheet."""

    person: ShownPerson
    agenda: ShownAgenda


@dataclass(frozen=True)
class TableCard:
    """The encounters at a table, by slot; slots without an encounter are left out."""

    zone: str
    table: str
    rows: tuple[tuple[Slot, ShownEncounter], ...]


@dataclass(frozen=True)
class DelegationList:
    """The people of a delegation, or of no delegation."""

    name: str
    people: tuple[ShownPerson, ...]


def agendas_to_print(picture: EditionPicture, words: str) -> tuple[AgendaSheet, ...]:
    """Return the agendas of active people with an entry, by name."""
    sheets = (
        AgendaSheet(person, shown_agenda(picture, person.participant_id)) for person in badges_to_print(picture, words)
    )
    return tuple(sheet for sheet in sheets if sheet.agenda.days)


def cards_to_print(picture: EditionPicture, words: str) -> tuple[TableCard, ...]:
    """Return a card of every table with encounters; with words, only tables whose name has them."""
    board, wanted = board_of(picture), plain(words)
    cards = []
    for zone in board.zones:
        for row in zone.rows:
            cells = zip(board.slots, row.cells, strict=True)
            rows = tuple((slot, shown) for slot, shown in cells if shown is not None)
            if rows and wanted in plain(f"{zone.zone.name} {row.table}"):
                cards.append(TableCard(zone.zone.name, row.table, rows))
    return tuple(cards)


def delegations_to_print(picture: EditionPicture, words: str) -> tuple[DelegationList, ...]:
    """Return the people by delegation."""
    members: defaultdict[str, list[ShownPerson]] = defaultdict(list)
    for person in badges_to_print(picture, ""):
        participant = picture.participants[person.participant_id]
        house = picture.organisations.get(participant.organisation_id)
        members[(house.delegation or "") if house else ""].append(person)
    wanted = plain(words)
    return tuple(DelegationList(name, tuple(members[name])) for name in sorted(members) if wanted in plain(name))


def badges_to_print(picture: EditionPicture, words: str) -> tuple[ShownPerson, ...]:
    """Return the active people whose name or organisation has all words, by name."""
    wanted = plain(words).split()
    people = [
        shown_person(picture, participant.participant_id)
        for participant in picture.participants.values()
        if participant.status is Status.ACTIVE
    ]
    found = [
        person for person in people if all(word in plain(f"{person.name} {person.organisation}") for word in wanted)
    ]
    return tuple(sorted(found, key=lambda person: plain(person.name)))
