"""What the notifier knows of an edition: who takes part, how to write to them, and their newest agendas."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

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
)
from shared.contract.ids import Id, pair_id


class Snapshot(BaseModel):
    """A frozen part of the state."""

    model_config = ConfigDict(frozen=True)


class Edition(Snapshot):
    """What mails say of an edition. `zones` are the names by id."""

    revision: int
    operator_id: Id
    name: str
    timezone: str
    zones: dict[str, str]

    @classmethod
    def of(cls, event: EditionChanged) -> Edition:
        """Keep of a snapshot what mails need."""
        return cls(
            revision=event.revision,
            operator_id=event.operator_id,
            name=event.name,
            timezone=event.timezone,
            zones={zone.zone_id: zone.name for zone in event.zones},
        )


class Organisation(Snapshot):
    """What mails say of an organisation."""

    revision: int
    name: str

    @classmethod
    def of(cls, event: OrganisationChanged) -> Organisation:
        """Keep of a snapshot what mails need."""
        return cls(revision=event.revision, name=event.name)


class Contact(Snapshot):
    """How to write to a participant, and what others read of them."""

    revision: int
    name: str
    email: str
    language: Language
    active: bool
    offers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @classmethod
    def of(cls, event: ParticipantChanged) -> Contact:
        """Keep of a snapshot what mails need."""
        return cls(
            revision=event.revision,
            name=event.name,
            email=event.email,
            language=event.languages[0],
            active=event.status is Status.ACTIVE,
            offers=event.profile.offers,
            needs=event.profile.needs,
        )

    def is_as(self, other: Contact) -> bool:
        """Whether a mail would go to the same person, in the same words. Profiles only explain what is told anyway."""
        explained = {"revision": other.revision, "offers": other.offers, "needs": other.needs}
        return self.model_copy(update=explained) == other


class Agenda(Snapshot):
    """A participant's newest announced agenda."""

    revision: int
    issued_at: Instant
    entries: tuple[AgendaEntry, ...] = ()

    @classmethod
    def of(cls, event: AgendaChanged) -> Agenda:
        """Keep of a snapshot what mails need."""
        return cls(
            revision=event.revision,
            issued_at=event.occurred_at,
            entries=event.entries,
        )

    def names(self, subjects: set[str]) -> bool:
        """Whether any of these participants or organisations is met."""
        parties = (party for entry in self.entries for party in entry.parties)
        return any(each.participant_id in subjects or each.organisation_id in subjects for each in parties)


class Match(Snapshot):
    """Why two participants who may meet fit each other."""

    revision: int
    reasons: tuple[Reason, ...]
    low_confidence: tuple[Id, ...] = ()
    requested: bool = False

    @classmethod
    def of(cls, event: AffinityScored) -> Match:
        """Keep of a snapshot what mails need."""
        return cls(
            revision=event.revision,
            reasons=event.reasons,
            low_confidence=event.low_confidence,
            requested=event.origin is Origin.REQUESTED,
        )

    def is_as(self, other: Match | None) -> bool:
        """Whether a mail would give the same reasons."""
        return other is not None and self.model_copy(update={"revision": other.revision}) == other


class Audience(BaseModel):
    """The state of one edition. `versions` counts, a participant, the times there was something to tell."""

    edition_id: Id
    edition: Edition | None = None
    organisations: dict[str, Organisation] = Field(default_factory=dict)
    contacts: dict[str, Contact] = Field(default_factory=dict)
    agendas: dict[str, Agenda] = Field(default_factory=dict)
    matches: dict[str, Match] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)

    def match_of(self, one: str, other: str) -> Match | None:
        """Why two participants fit, if that is known."""
        return self.matches.get(pair_id(self.edition_id, one, other))

    def can_tell(self, participant_id: str) -> bool:
        """Whether all that a mail needs is here. What is missing tells again when it arrives."""
        return self.edition is not None and participant_id in self.agendas and participant_id in self.contacts


class EditionRecorded(Snapshot):
    """A newer edition came."""

    type: Literal["edition"] = "edition"
    edition: Edition


class OrganisationRecorded(Snapshot):
    """A newer organisation came."""

    type: Literal["organisation"] = "organisation"
    organisation_id: Id
    organisation: Organisation


class ContactRecorded(Snapshot):
    """A newer participant came."""

    type: Literal["contact"] = "contact"
    participant_id: Id
    contact: Contact


class AgendaRecorded(Snapshot):
    """A newer agenda came."""

    type: Literal["agenda"] = "agenda"
    participant_id: Id
    agenda: Agenda


class MatchRecorded(Snapshot):
    """Two participants may meet, for these reasons."""

    type: Literal["match"] = "match"
    pair_id: Id
    match: Match


class VersionRaised(Snapshot):
    """There is something to tell a participant, who may not have heard it yet."""

    type: Literal["version"] = "version"
    participant_id: Id
    version: int


Change = Annotated[
    EditionRecorded | OrganisationRecorded | ContactRecorded | AgendaRecorded | MatchRecorded | VersionRaised,
    Field(discriminator="type"),
]


class DeliveryWanted(Snapshot):
    """Asks the delivery ledger that a participant hears of `version`, and so of the agenda at `agenda_revision`.

    `soonest` is when the first of what changed begins or began, of what is not over.
    """

    operator_id: Id
    edition_id: Id
    participant_id: Id
    version: int = Field(ge=1)
    agenda_revision: int = Field(ge=1)
    wanted_at: Instant
    soonest: Instant | None = None
