"""The desk: people by a search, and the people to expect next."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from services.portal.domain.people import ShownPerson, shown_person
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
    words = _plain(query).split()
    rows = [
        DeskRow(shown_person(picture, participant_id), participant.checked_in, _next(picture, participant_id, now))
        for participant_id, participant in picture.participants.items()
        if participant.status is Status.ACTIVE
    ]
    if words:
        found = [
            row for row in rows if all(word in _plain(f"{row.person.name} {row.person.organisation}") for word in words)
        ]
        return tuple(sorted(found, key=lambda row: _plain(row.person.name)))[:_MOST]
    missing = [row for row in rows if not row.is_here and row.next]
    return tuple(sorted(missing, key=_soonest))[:_MOST]


def _soonest(row: DeskRow) -> tuple[float, str]:
    return row.next.starts_at.timestamp() if row.next else 0.0, _plain(row.person.name)


def _next(picture: EditionPicture, participant_id: str, now: datetime) -> AgendaEntry | None:
    agenda = picture.agendas.get(participant_id)
    return next((entry for entry in (agenda.entries if agenda else ()) if entry.ends_at > now), None)


def _plain(text: str) -> str:
    """Return the text without accents and case, for comparisons."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
