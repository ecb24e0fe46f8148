"""The causes of an agenda's changes, by entry: a cause that is sure, or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.contract.events import AgendaChange, AgendaChanged, AgendaEntry, Cause, CauseCode
from shared.contract.ids import Id, pair_id

#: Most entries of an agenda whose cause is kept; the causes of the newest changes stay.
MOST_CAUSES: Final = 100


class EntryCause(BaseModel):
    """The cause of the newest change of an entry, with the id of the thing that changed first."""

    model_config = ConfigDict(frozen=True)

    entry_id: Id
    code: CauseCode
    subject_id: Id


def next_causes(event: AgendaChanged, known: Sequence[EntryCause]) -> tuple[EntryCause, ...]:
    """Return the causes by entry after an agenda's event. An entry that changed for an unsure cause has none."""
    changed = {change.entry_id: cause_of(event, change) for change in event.changes}
    kept = [cause for cause in known if cause.entry_id not in changed]
    return (*kept, *filter(None, changed.values()))[-MOST_CAUSES:]


def cause_of(event: AgendaChanged, change: AgendaChange) -> EntryCause | None:
    """Return the cause of a change: the only cause of the event, else the only one about a party of the entry."""
    about = {change.entry_id, *_subjects(event, change.before), *_subjects(event, change.after)}
    causes = event.causes if len(event.causes) == 1 else [cause for cause in event.causes if cause.subject_id in about]
    if len(causes) != 1:
        return None
    cause: Cause = causes[0]
    return EntryCause(entry_id=change.entry_id, code=cause.code, subject_id=cause.subject_id)


def _subjects(event: AgendaChanged, entry: AgendaEntry | None) -> set[str]:
    """Return the ids of an entry's parties, their organisations and their pairs with the reader."""
    if entry is None:
        return set()
    ids = {party.participant_id for party in entry.parties}
    pairs = {pair_id(event.edition_id, event.participant_id, participant_id) for participant_id in ids}
    return ids | pairs | {party.organisation_id for party in entry.parties if party.organisation_id}
