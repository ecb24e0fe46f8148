"""The agendas of a churned edition as a calendar program should show them."""

from __future__ import annotations

from bench.churn.edition import EDITION, ChurnEdition
from bench.churn.receiver import Mailbox, Shown
from services.notify.rendering.calendar import uid_of
from services.notify.settings import Settings

_DOMAIN: str = Settings.model_fields["mail_domain"].default


def agenda_of(edition: ChurnEdition, number: int) -> frozenset[Shown]:
    """Return a participant's agenda as it stands: UID, start, end and table of each entry."""
    return frozenset(
        Shown(
            uid_of(EDITION, f"prt_{number}", entry.kind, entry.entry_id, _DOMAIN),
            entry.starts_at,
            entry.ends_at,
            entry.table or "",
        )
        for entry in edition.agenda(number)
    )


def is_like(mailbox: Mailbox, agenda: frozenset[Shown]) -> bool:
    """Compare a calendar with an agenda: UID, start and end, and the table at the end of the location."""
    shown = {entry.uid: entry for entry in mailbox.shown()}
    if shown.keys() != {entry.uid for entry in agenda}:
        return False
    return all(
        (entry.starts_at, entry.ends_at) == (shown[entry.uid].starts_at, shown[entry.uid].ends_at)
        and (not entry.location or shown[entry.uid].location.endswith(f" {entry.location}"))
        for entry in agenda
    )


def ghosts(mailbox: Mailbox, agenda: frozenset[Shown]) -> int:
    """Count the entries that a calendar shows and the agenda has not."""
    return len({entry.uid for entry in mailbox.shown()} - {entry.uid for entry in agenda})
