"""The parts of consumed events that mails are made of, as notify stores them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.notify.domain.causes import EntryCause, next_causes
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    EditionChanged,
    Instant,
    Language,
    OrganisationChanged,
    OrganisationErased,
    Origin,
    ParticipantChanged,
    ParticipantErased,
    Reason,
    Status,
    WaitingEncounter,
)
from shared.contract.ids import Id
from shared.contract.reason_sentences import ReasonGrounds, ReasonSide
from shared.contract.spelling import is_spelt_alike, similar_name


class FrozenModel(BaseModel):
    """Base of notify's immutable models. Stored fields with an alias are written under the alias."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class EditionSnapshot(FrozenModel):
    """An edition as its mails name it. `zones` maps a zone's id to its name, `sessions` a session's id to its title.

    `venue` is the place with its address, `help_email` and `help_phone` are where participants ask; empty: not told.
    """

    revision: int
    operator_id: Id
    name: str
    timezone: str
    zones: dict[str, str]
    sessions: dict[str, str] = {}
    venue: str = ""
    help_email: str = ""
    help_phone: str = ""

    @classmethod
    def of(cls, event: EditionChanged) -> EditionSnapshot:
        """Keep the fields of an event that mails need."""
        return cls(
            revision=event.revision,
            operator_id=event.operator_id,
            name=event.name,
            timezone=event.timezone,
            zones={zone.zone_id: zone.name for zone in event.zones},
            sessions={session.session_id: session.title for session in event.sessions},
            venue=_in_a_line(event.venue.name, event.venue.address) if event.venue else "",
            help_email=event.contact.email or "" if event.contact else "",
            help_phone=event.contact.phone or "" if event.contact else "",
        )


def _in_a_line(name: str, address: str | None) -> str:
    return f"{name}, {address}" if address else name


class OrganisationSnapshot(FrozenModel):
    """An organisation as mails name it.

    The name is in `people`, not in the journal: `texts` is the revision that brought it, `shown` counts the names.
    """

    revision: int
    name: str = Field(default="", exclude=True)
    texts: int = 0
    shown: int = 0
    erased: bool = False

    @classmethod
    def of(cls, event: OrganisationChanged, known: OrganisationSnapshot | None = None) -> OrganisationSnapshot:
        """Keep the fields of an event that mails need. `known` is the organisation before."""
        return cls(revision=event.revision, name=event.name).counted(known)

    @classmethod
    def erased_by(cls, event: OrganisationErased, known: OrganisationSnapshot | None) -> OrganisationSnapshot:
        """Return the organisation without its name."""
        return cls(revision=event.revision, shown=known.shown + 1 if known else 0, erased=True)

    def counted(self, known: OrganisationSnapshot | None) -> OrganisationSnapshot:
        """Return the organisation with its count of names."""
        if known and known.name == self.name:
            return self.model_copy(update={"texts": known.texts, "shown": known.shown})
        return self.model_copy(update={"texts": self.revision, "shown": known.shown + 1 if known else 0})


class Person(FrozenModel):
    """A person as first known in a participant's place: a later correction leaves name or address as it was."""

    name: str
    email: str

    def is_still(self, name: str, email: str) -> bool:
        """Return whether these are of the same person: the address in any case, or the name in any spelling."""
        return is_spelt_alike(self.name, name) or self.email.casefold() == email.casefold()


class ContactSnapshot(FrozenModel):
    """A participant's name, address and language, and the profile that partners read in a mail.

    The texts are in `people`, not in the journal: `texts` is the revision that brought them, `first` the revision that
    brought the person. The numbers rise with the texts: `person` numbers the persons in the participant's place,
    `addressed` the addressees of mails (name, address in any case, language), and `shown` the texts for partners.
    `registered` is registration's count of persons, `None` for events of older versions: then names and addresses are
    compared. `first_known` is missing if name and address are those under which the person became known. `links` counts
    the revocations of the participant's links. `waits_for` names the sessions in whose lines the participant waits.
    """

    revision: int
    name: str = Field(default="", exclude=True)
    email: str = Field(default="", exclude=True)
    language: Language
    active: bool
    offers: tuple[str, ...] = Field(default=(), exclude=True)
    needs: tuple[str, ...] = Field(default=(), exclude=True)
    first_known: Person | None = Field(default=None, exclude=True)
    links: int = 0
    waits_for: tuple[str, ...] = ()
    texts: int = 0
    first: int = 0
    person: int = 0
    addressed: int = 0
    shown: int = 0
    registered: int | None = None
    erased: bool = False

    @model_validator(mode="before")
    @classmethod
    def _date_texts(cls, fields: object) -> object:
        """Date the texts of an entry of an older version by its revision."""
        if not isinstance(fields, dict) or "texts" in fields:
            return fields
        revision = fields["revision"]
        return fields | {"texts": revision, "first": -revision if fields.get("first_known") else revision}

    @classmethod
    def of(
        cls,
        event: ParticipantChanged,
        known: ContactSnapshot | None = None,
        former: Sequence[ContactSnapshot] = (),
    ) -> ContactSnapshot:
        """Keep the fields of an event that mails need.

        `known` is the contact before, `former` are persons who left the place.
        """
        contact = cls(
            revision=event.revision,
            name=event.name,
            email=event.email,
            language=event.languages[0],
            active=event.status is Status.ACTIVE,
            offers=event.profile.offers,
            needs=event.profile.needs,
            links=event.links,
            waits_for=tuple(sorted(event.waiting_since)),
            registered=event.person if "person" in event.model_fields_set else None,
        )
        return contact.counted(known, former)

    @classmethod
    def erased_by(cls, event: ParticipantErased, known: ContactSnapshot | None) -> ContactSnapshot:
        """Return the contact without its texts. The number of the read texts rises with that."""
        return cls(
            revision=event.revision,
            language=Language.ENGLISH,
            active=event.status is Status.ACTIVE,
            links=event.links,
            person=known.person if known else 0,
            addressed=known.addressed + 1 if known else 0,
            shown=known.shown + 1 if known else 0,
            erased=True,
        )

    def counted(self, known: ContactSnapshot | None, former: Sequence[ContactSnapshot] = ()) -> ContactSnapshot:
        """Return the contact with its numbers. A text that returns has its former number again."""
        if known is None:
            first = {"texts": self.revision, "first": self.revision, "person": self.registered or 0}
            return self.model_copy(update=first)
        earlier = (known, *former)
        same = known if self._is_person_of(known) else next(filter(self._has_mailbox_of, former), None)
        is_first = same is None or same.first_person == Person(name=self.name, email=self.email)
        return self.model_copy(
            update={
                "texts": known.texts if _texts(self) == _texts(known) else self.revision,
                "first": same.first if same else self.revision,
                "first_known": None if same is None or is_first else same.first_person,
                "person": same.person if same else 1 + max(contact.person for contact in earlier),
                "addressed": _number_of(self, earlier, "addressed", _addressee),
                "shown": _number_of(self, earlier, "shown", _read_by_partners),
            }
        )

    def _is_person_of(self, known: ContactSnapshot) -> bool:
        if self.registered is not None and known.registered is not None:
            return self.registered == known.registered
        return known.first_person.is_still(self.name, self.email)

    def _has_mailbox_of(self, former: ContactSnapshot) -> bool:
        return former.first_person.email.casefold() == self.email.casefold()

    @property
    def first_person(self) -> Person:
        """The person in the participant's place, the same after a correction of the name or the address."""
        return self.first_known or Person(name=self.name, email=self.email)

    @property
    def person_id(self) -> str:
        """The number of the person in the participant's place, as an id."""
        return f"person-{self.person}"

    def side(self, participant_id: str) -> ReasonSide:
        """Return the participant as a side of a pair, for the line that tells the reason of their encounter."""
        return ReasonSide(participant_id, self.language, self.needs, self.offers)

    def has_same_addressee(self, contact: ContactSnapshot) -> bool:
        """Compare language, status, the address in any case and the name in any spelling.

        A changed profile alone causes no mail.
        """
        return (self.addressed, self.active) == (contact.addressed, contact.active)


def _texts(contact: ContactSnapshot) -> object:
    return contact.name, contact.email, contact.offers, contact.needs


def _addressee(contact: ContactSnapshot) -> object:
    return similar_name(contact.name) or contact.name, contact.email.casefold(), contact.language


def _read_by_partners(contact: ContactSnapshot) -> object:
    return contact.name, contact.offers, contact.needs


def _number_of(
    contact: ContactSnapshot,
    earlier: Sequence[ContactSnapshot],
    field: str,
    text: Callable[[ContactSnapshot], object],
) -> int:
    """Return the number of a contact with the same text, else the next number."""
    numbers: dict[object, int] = {text(known): getattr(known, field) for known in reversed(earlier)}
    return numbers.get(text(contact), 1 + max(numbers.values()))


class AgendaSnapshot(FrozenModel):
    """A participant's newest announced agenda. `causes` are those of the newest changes of its entries."""

    revision: int
    issued_at: Instant
    entries: tuple[AgendaEntry, ...] = ()
    waiting: tuple[WaitingEncounter, ...] = ()
    causes: tuple[EntryCause, ...] = ()

    @classmethod
    def of(cls, event: AgendaChanged, known: AgendaSnapshot | None = None) -> AgendaSnapshot:
        """Keep the fields of an event that mails need. `known` is the agenda before, `None` at the announcement."""
        return cls(
            revision=event.revision,
            issued_at=event.occurred_at,
            entries=event.entries,
            waiting=event.waiting,
            causes=next_causes(event, known.causes) if known else (),
        )

    def cause_of(self, entry_id: str) -> EntryCause | None:
        """Return the cause of an entry's newest change, or `None` if it is not sure."""
        return next((cause for cause in self.causes if cause.entry_id == entry_id), None)

    def mentions(self, ids: set[str]) -> bool:
        """Return whether an encounter of the agenda is with any of these participants or organisations."""
        parties = (party for entry in self.entries for party in entry.parties)
        return any(party.participant_id in ids or party.organisation_id in ids for party in parties)


class MatchSnapshot(FrozenModel):
    """The reasons for which two participants fit. Both have consented to meet."""

    revision: int
    reasons: tuple[Reason, ...]
    low_confidence: tuple[Id, ...] = ()
    requested: bool = False
    participant_ids: tuple[Id, ...] = ()
    requested_by: tuple[Id, ...] = ()

    @classmethod
    def of(cls, event: AffinityScored) -> MatchSnapshot:
        """Keep the fields of an event that mails need."""
        return cls(
            revision=event.revision,
            reasons=event.reasons,
            low_confidence=event.low_confidence,
            requested=event.origin is Origin.REQUESTED,
            participant_ids=event.participant_ids,
            requested_by=event.requested_by,
        )

    @property
    def grounds(self) -> ReasonGrounds:
        """The grounds of the encounter, for the line that tells its reason."""
        return ReasonGrounds(self.participant_ids, self.reasons, self.requested, self.requested_by)

    def has_same_reasons(self, match: MatchSnapshot | None) -> bool:
        """Compare every field but the revision."""
        return match is not None and self.model_copy(update={"revision": match.revision}) == match
