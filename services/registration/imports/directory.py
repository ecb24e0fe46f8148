"""The organisations and participants of an edition, found by the names and addresses that lists hold."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.names import same_address, words_of
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.imports.contacts import core_of, domain_of, may_be_same
from services.registration.imports.rows import ReadRow
from services.registration.imports.words import WORDS
from shared.contract.events import Status
from shared.contract.spelling import same_name

#: Domains of mailboxes for everybody: they tell no organisation.
_PUBLIC_DOMAINS: Final = frozenset(WORDS["public_domains"].split())
#: Titles before a name, as `words_of` writes them: another list may leave them out.
_TITLES: Final = frozenset(WORDS["salutations"].split())


@dataclass(frozen=True)
class KnownPerson:
    """The participant of an edition, as far as lists refer to it."""

    participant_id: str
    name: str
    email: str
    organisation_id: str
    is_active: bool
    revision: int


@dataclass
class OrganisationIndex:
    """Organisations by name, by name without accents and legal form, and by web domain."""

    _by_name: dict[str, Organisation] = field(default_factory=dict)
    _by_core: dict[str, list[Organisation]] = field(default_factory=lambda: defaultdict(list))
    _by_domain: dict[str, list[Organisation]] = field(default_factory=lambda: defaultdict(list))
    _by_external_id: dict[str, Organisation] = field(default_factory=dict)

    def add(self, organisation: Organisation) -> None:
        """Add an organisation, unless it was erased. A cancelled organisation gives way to an active namesake."""
        key = same_name(organisation.name)
        if organisation.erased_at or (organisation.status is Status.CANCELLED and key in self._by_name):
            return
        self._by_name[key] = organisation
        if organisation.external_id and organisation.status is Status.ACTIVE:
            self._by_external_id.setdefault(organisation.external_id, organisation)
        self._by_core[core_of(organisation.name)[0]].append(organisation)
        if (domain := domain_of(organisation.website or "")) and domain not in _PUBLIC_DOMAINS:
            self._by_domain[domain].append(organisation)

    def named(self, name: str) -> Organisation | None:
        """Return the organisation of a name; None if there is none."""
        return self._by_name.get(same_name(name))

    def alike(self, name: str) -> Organisation | None:
        """Return the only organisation whose name differs in accents, marks or a missing legal form; else None."""
        found = [one for one in self._by_core.get(core_of(name)[0], ()) if may_be_same(one.name, name)]
        return found[0] if len(found) == 1 else None

    def must_be_own_id(self, external_id: str | None, organisation: Organisation | None) -> None:
        """Raise `Invalid` if the external id of a row is that of an active organisation besides."""
        holder = self._by_external_id.get(external_id or "")
        if external_id and holder is not None and (organisation is None or holder.id != organisation.id):
            raise Invalid(_of_another(external_id, f"the id of {holder.name}"))

    def with_domain(self, website: str, name: str) -> str:
        """Return the name of another organisation with the same web domain; empty if there is none."""
        found = self._by_domain.get(domain_of(website), ())
        return next((one.name for one in found if same_name(one.name) != same_name(name)), "")


def _without_titles(name: str) -> str:
    words = words_of(name)
    return " ".join(word for word in words if word not in _TITLES) or " ".join(words)


@dataclass
class PeopleIndex:
    """Participants by address, by name, and by id in the operator's own system."""

    by_email: dict[str, list[KnownPerson]] = field(default_factory=lambda: defaultdict(list))
    by_name: dict[str, list[KnownPerson]] = field(default_factory=lambda: defaultdict(list))
    by_external_id: dict[str, list[KnownPerson]] = field(default_factory=lambda: defaultdict(list))
    by_id: dict[str, KnownPerson] = field(default_factory=dict)
    by_words: dict[str, list[KnownPerson]] = field(default_factory=lambda: defaultdict(list))
    #: The line of the list that gave an external id first.
    _lines: dict[str, int] = field(default_factory=dict)

    def add(self, participant: Participant) -> None:
        """Add a participant, unless the person was erased: the same person is then a new participant."""
        if participant.erased_at:
            return
        person = KnownPerson(
            participant.participant_id,
            participant.name,
            participant.email,
            participant.organisation_id,
            participant.status is Status.ACTIVE,
            participant.revision,
        )
        self.by_email[same_address(participant.email)].append(person)
        self.by_name[same_name(participant.name)].append(person)
        self.by_words[_without_titles(participant.name)].append(person)
        if participant.external_id:
            self.by_external_id[participant.external_id].append(person)
        self.by_id[person.participant_id] = person

    def with_own_id(self, person: KnownPerson | None, read: ReadRow) -> KnownPerson | None:
        """Return the person of a row.

        Raises:
            Invalid: the external id of the row is that of an active person besides, or of an earlier line.
        """
        external_id = read.patch.get("external_id")
        if external_id is None:
            return person
        holders = (known for known in self.by_external_id.get(external_id, ()) if known.is_active)
        holder = next((known for known in holders if known != person), None)
        if holder is not None:
            raise Invalid(_of_another(external_id, f"the id of {holder.name} ({holder.email})"))
        if (first := self._lines.setdefault(external_id, read.row.line)) != read.row.line:
            raise Invalid(_of_another(external_id, f"the id on line {first} already"))
        return person

    def named(self, text: str) -> list[KnownPerson]:
        """List the active participants that a text names: by address, id, own id, or name, accents and titles aside."""
        key = same_name(text)
        if text in self.by_id:
            return [self.by_id[text]]
        for found in (
            self.by_email.get(same_address(text)) if "@" in text else None,
            self.by_external_id.get(text),
            self.by_name.get(key),
            self.by_words.get(_without_titles(text)),
        ):
            active = [person for person in found or () if person.is_active]
            if active:
                return active
        return []

    def similar(self, text: str) -> str:
        """Return the name of a participant that is spelt nearly so; empty if there is none."""
        close = difflib.get_close_matches(_without_titles(text), self.by_words, n=1, cutoff=0.75)
        return self.by_words[close[0]][0].name if close else ""


def _of_another(external_id: str, owner: str) -> FieldError:
    return FieldError("/external_id", f"{external_id[:100]!r} is {owner}: an id stands for a single one", "id-taken")
