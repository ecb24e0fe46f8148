"""The desk: people by a search, and the people to expect next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.people import ShownPerson, plain, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import AgendaEntry, Status

_MOST = 50


@dataclass(frozen=True)
class DeskRow:
    """A participant at the desk, with the next entry of the agenda."""

    person: ShownPerson
    is_here: bool
    next: AgendaEntry | None


def desk_list(picture: EditionPicture, query: str, now: datetime) -> tuple[DeskRow, ...]:
    """Return at most 50 active participants whose name or organisation has all words of the query.

    Without a query, the missing people, by the start of their next entry.
    """
    words = plain(query).split()
    rows = [
        DeskRow(shown_person(picture, participant_id), participant.checked_in, _next(picture, participant_id, now))
        for participant_id, participant in picture.participants.items()
        if participant.status is Status.ACTIVE
    ]
    if words:
        found = [
            row
            for row in rows
            if all(
                word in plain(f"{row.person.name} {row.person.organisation} {row.person.participant_id}")
                for word in words
            )
        ]
        return tuple(sorted(found, key=lambda row: plain(row.person.name)))[:_MOST]
    missing = [row for row in rows if not row.is_here and row.next]
    return tuple(sorted(missing, key=_soonest))[:_MOST]


def _soonest(row: DeskRow) -> tuple[float, str]:
    return row.next.starts_at.timestamp() if row.next else 0.0, plain(row.person.name)


def _next(picture: EditionPicture, participant_id: str, now: datetime) -> AgendaEntry | None:
    agenda = picture.agendas.get(participant_id)
    return next((entry for entry in (agenda.entries if agenda else ()) if entry.ends_at > now), None)


def organisations_named(picture: EditionPicture, name: str) -> list[str]:
    """Return the ids of the active organisations of a name, in any case and accent."""
    wanted = " ".join(plain(name).split())
    return [
        organisation_id
        for organisation_id, house in picture.organisations.items()
        if house.status is Status.ACTIVE and wanted and " ".join(plain(house.name).split()) == wanted
    ]
