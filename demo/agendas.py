"""The agendas at the end of a run as `agendas.json`: the outside reading of every mailbox is compared with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from services.notify.rendering.calendar import uid_of
from shared.contract.events import AgendaChanged, AgendaEntry, ParticipantChanged

#: An entry as JSON: `uid`, `starts_at`, `ends_at` and `table`.
EntryRow = dict[str, str | None]


def agendas_by_address(
    agendas: Mapping[str, AgendaChanged],
    participants: Mapping[str, ParticipantChanged],
    mailed: Iterable[str],
    domain: str,
) -> dict[str, list[EntryRow]]:
    """Return the entries of every participant's agenda by e-mail address, in time order.

    `domain` is the domain of the calendars' UIDs. The list of a participant without an agenda is empty, and so is the
    list of an address in `mailed` that is no participant's any more.
    """
    rows: dict[str, list[EntryRow]] = {}
    for participant_id, participant in participants.items():
        agenda = agendas.get(participant_id)
        entries = agenda.entries if agenda else ()
        own = rows.setdefault(participant.email, [])
        own += [_row(participant.edition_id, participant_id, entry, domain) for entry in entries]
    known = {address.casefold() for address in rows}
    rows |= {address: [] for address in mailed if address.casefold() not in known}
    return {address: rows[address] for address in sorted(rows)}


def write_agendas(path: Path, rows: Mapping[str, list[EntryRow]]) -> None:
    """Write the agendas as JSON."""
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _row(edition_id: str, participant_id: str, entry: AgendaEntry, domain: str) -> EntryRow:
    return {
        "uid": uid_of(edition_id, participant_id, entry.kind, entry.entry_id, domain),
        "starts_at": entry.starts_at.isoformat(),
        "ends_at": entry.ends_at.isoformat(),
        "table": entry.table,
    }
