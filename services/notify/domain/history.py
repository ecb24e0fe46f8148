"""The past of a participant's mails, from notify's journal: agendas, changes of the contact, versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.notify.domain.changes import AgendaRecorded, Change, ContactRecorded, EditionRecorded, VersionRaised
from shared.storage.history import PastEntry, Step, step_in

_SERVICE = "notify"


def steps_of(participant_id: str, entries: Sequence[PastEntry[Change]]) -> Iterator[Step]:
    """List the journal entries that concern a participant, oldest first, without personal data."""
    for entry in entries:
        sentences = [sentence for change in entry.changes if (sentence := _sentence(participant_id, change))]
        if any(_is_about(participant_id, change) for change in entry.changes):
            yield step_in(entry, _SERVICE, "; ".join(sentences))


def _is_about(participant_id: str, change: Change) -> bool:
    match change:
        case AgendaRecorded() | ContactRecorded() | VersionRaised():
            return change.participant_id == participant_id
        case _:
            return False


def _sentence(participant_id: str, change: Change) -> str:
    """Describe a change that concerns the participant, else return an empty text."""
    match change:
        case AgendaRecorded() if change.participant_id == participant_id:
            return f"agenda revision {change.agenda.revision} (entries: {len(change.agenda.entries)})"
        case ContactRecorded() if change.participant_id == participant_id:
            state = "" if change.contact.active else ", cancelled"
            return f"participant revision {change.contact.revision}{state}"
        case EditionRecorded():
            return f"edition revision {change.edition.revision}"
        case VersionRaised() if change.participant_id == participant_id:
            return f"version {change.version} wanted"
        case _:
            return ""
