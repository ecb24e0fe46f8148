"""The parts of consumed events that mails are made of, as notify stores them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    EditionChanged,
    Instant,
    Language,
    OrganisationChanged,
    Origin,
    ParticipantChanged,
    Reason,
    Status,
    WaitingEncounter,
)
from shared.contract.ids import Id
from shared.contract.spelling import is_spelt_alike, similar_name


class FrozenModel(BaseModel):
    """Base of notify's immutable models. Stored fields with an alias are written under the alias."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)


class EditionSnapshot(FrozenModel):
    """An edition as its mails name it. `zones` maps a zone's id to its name, `sessions` a session's id to its title."""

    revision: int
    operator_id: Id
    name: str
    timezone: str
    zones: dict[str, str]
    sessions: dict[str, str] = {}

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
        )


class OrganisationSnapshot(FrozenModel):
    """An organisation as mails name it."""

    revision: int
    name: str

    @classmethod
    def of(cls, event: OrganisationChanged) -> OrganisationSnapshot:
        """Keep the fields of an event that mails need."""
        return cls(revision=event.revision, name=event.name)


class Person(FrozenModel):
    """A person as first known in a participant's place: a later correction leaves name or address as it was."""

    name: str
    email: str

    def is_still(self, name: str, email: str) -> bool:
        """Return whether these are of the same person: the address in any case, or the name in any spelling."""
        return is_spelt_alike(self.name, name) or self.email.casefold() == email.casefold()


class ContactSnapshot(FrozenModel):
    """A participant's name, address and language, and the profile that partners read in a mail.

    `first_known` is missing if name and address are those under which the person became known. `links` counts the
    revocations of the participant's links. `waits_for` names the sessions in whose lines the participant waits.
    """

    revision: int
    name: str
    email: str
    language: Language
    active: bool
    offers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    first_known: Person | None = None
    links: int = 0
    waits_for: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: ParticipantChanged, known: ContactSnapshot | None = None) -> ContactSnapshot:
        """Keep the fields of an event that mails need. `known` is the contact before."""
        person = known.person if known else None
        return cls(
            revision=event.revision,
            name=event.name,
            email=event.email,
            language=event.languages[0],
            active=event.status is Status.ACTIVE,
            offers=event.profile.offers,
            needs=event.profile.needs,
            first_known=person if person and person.is_still(event.name, event.email) else None,
            links=event.links,
            waits_for=tuple(sorted(event.waiting_since)),
        )

    @property
    def person(self) -> Person:
        """The person in the participant's place, the same after a correction of the name or the address."""
        return self.first_known or Person(name=self.name, email=self.email)

    def has_same_addressee(self, contact: ContactSnapshot) -> bool:
        """Compare language, status, the address in any case and the name in any spelling.

        A changed profile alone causes no mail.
        """
        return self._addressed() == contact._addressed()

    def _addressed(self) -> tuple[object, ...]:
        return similar_name(self.name) or self.name, self.email.casefold(), self.language, self.active


class AgendaSnapshot(FrozenModel):
    """A participant's newest announced agenda."""

    revision: int
    issued_at: Instant
    entries: tuple[AgendaEntry, ...] = ()
    waiting: tuple[WaitingEncounter, ...] = ()

    @classmethod
    def of(cls, event: AgendaChanged) -> AgendaSnapshot:
        """Keep the fields of an event that mails need."""
        return cls(
            revision=event.revision,
            issued_at=event.occurred_at,
            entries=event.entries,
            waiting=event.waiting,
        )

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

    def has_same_reasons(self, match: MatchSnapshot | None) -> bool:
        """Compare every field but the revision."""
        return match is not None and self.model_copy(update={"revision": match.revision}) == match
