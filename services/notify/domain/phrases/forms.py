"""The forms that the phrases of every language fill in."""

from __future__ import annotations

from dataclasses import dataclass

from services.notify.domain.digest import DiffKind


@dataclass(frozen=True)
class Counted:
    """The singular and the plural of a phrase. `{n}` stands for the number."""

    singular: str
    plural: str

    def of(self, number: int) -> str:
        """Return the phrase for a number."""
        return self.singular if number == 1 else self.plural.format(n=number)


@dataclass(frozen=True)
class Phrases:
    """The phrases of a language. The page fills in the fields in braces.

    `colon` is the sign between a label and its text: French writes a no-break space before it.
    """

    locale: str
    colon: str
    subject_whole: str
    subject_changed: str
    subject_details: str
    subject_emptied: str
    greeting: str
    intro_whole: str
    intro_changed: str
    intro_details: str
    intro_emptied: str
    subject_left: str
    intro_left: str
    intro_successor: str
    subject_ended: str
    intro_ended: str
    footer_left: str
    intro_invitation: str
    intro_cancellation: str
    heading_changes: str
    heading_agenda: str
    local_times: str
    table: str
    encounter: str
    to_be_confirmed: str
    erased_person: str
    before: str
    calendar_hint: str
    footer: str
    waits: str
    feed_hint: str
    page_hint: str
    venue: str
    questions: str
    dropped: str
    kinds: dict[DiffKind, str]
    counts: dict[DiffKind, Counted]
