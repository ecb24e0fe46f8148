"""The texts of a changed line: its kind, all that was otherwise before, and the cause."""

from __future__ import annotations

from typing import Protocol

from services.notify.domain.digest import AgendaLine, DiffKind, LineDiff
from services.notify.domain.phrases import CAUSE_PHRASES, PHRASES
from services.notify.domain.state import Audience
from services.notify.rendering.clean import clean
from shared.contract.events import EntryKind
from shared.contract.ids import pair_id


class LineTexts(Protocol):
    """The texts of a line in the reader's language."""

    def title(self, line: AgendaLine) -> str:
        """Return a session's title, or the organisations that an encounter is with."""

    def place(self, line: AgendaLine) -> str:
        """Return zone and table."""

    def when(self, line: AgendaLine) -> str:
        """Return the date and the time."""


class ChangeTexts:
    """Writes the texts of a participant's changed lines."""

    def __init__(self, audience: Audience, participant_id: str) -> None:
        self._audience = audience
        self._participant_id = participant_id
        self._language = audience.contacts[participant_id].language

    def label(self, diff: LineDiff) -> str:
        """Return the kind of change. A session that the programme still has is not cancelled: the reader is out."""
        edition, line, phrases = self._audience.edition, diff.line, PHRASES[self._language]
        is_in_programme = edition is not None and line.entry_id in edition.sessions
        if diff.kind is DiffKind.REMOVED and line.kind is EntryKind.SESSION and is_in_programme:
            return phrases.dropped
        return phrases.kinds[diff.kind]

    def before(self, diff: LineDiff, texts: LineTexts) -> str:
        """Return all that was otherwise in the last mail; empty for a new or a cancelled line."""
        was, line = diff.before, diff.after
        if was is None or line is None:
            return ""
        parts = [texts.when(was)] if was.is_moved(line) else []
        parts += [texts.place(was)] if parts or was.table != line.table else []
        parts += [texts.title(was)] if texts.title(was) != texts.title(line) else []
        people = self._people_of(was)
        parts += [people] if people and was.person != line.person else []
        return ", ".join(parts)

    def cause(self, line: AgendaLine) -> str:
        """Return the cause of a line's newest change as a sentence; empty if it is not sure."""
        cause = self._audience.agendas[self._participant_id].cause_of(line.entry_id)
        if cause is None:
            return ""
        phrases = CAUSE_PHRASES[self._language]
        others = phrases.others.get(cause.code, "")
        if cause.subject_id in self._own_ids(line):
            return phrases.own.get(cause.code, others)
        partner = self._partner(cause.subject_id, line)
        return phrases.partner.get(cause.code, others).format(partner=partner) if partner else others

    def _own_ids(self, line: AgendaLine) -> set[str]:
        """Return the ids of the reader, the encounter and its pairs: causes about them are the reader's own."""
        partner_ids = [partner_id for partner_id, _ in line.parties()]
        pairs = {pair_id(self._audience.edition_id, self._participant_id, partner_id) for partner_id in partner_ids}
        return {self._participant_id, line.entry_id, *pairs}

    def _partner(self, subject_id: str, line: AgendaLine) -> str:
        """Return the name of the line's partner or partner's organisation of this id, or an empty text."""
        parties = line.parties()
        if subject_id in {partner_id for partner_id, _ in parties}:
            contact = self._audience.contacts.get(subject_id)
            return clean(contact.name) if contact and not contact.erased else ""
        if subject_id in {organisation_id for _, organisation_id in parties}:
            organisation = self._audience.organisations.get(subject_id)
            return clean(organisation.name) if organisation and not organisation.erased else ""
        return ""

    def _people_of(self, line: AgendaLine) -> str:
        """Return the names of the persons at the partners' places when the line was told.

        A person whose name is no longer kept is "to be confirmed".
        """
        # `person` of a line has the numbers of the persons, in the order of the parties.
        numbers = (line.person or "").removeprefix("person-").split("-")
        partner_ids = [partner_id for partner_id, _ in line.parties()]
        names = [self._name(*of_party) for of_party in zip(partner_ids, numbers, strict=False)]
        return ", ".join(name or PHRASES[self._language].to_be_confirmed for name in names)

    def _name(self, partner_id: str, number: str) -> str:
        known = self._audience.contacts.get(partner_id)
        persons = filter(None, (known, *self._audience.former_contacts.get(partner_id, ())))
        return next((clean(contact.name) for contact in persons if str(contact.person) == number), "")
