"""`registration.v1`: organisations and participants, as they are known, and once they are erased."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import AuthoredEvent, Instant, Interval, PreviewToken, Value
from shared.contract.events.registration import (
    Code,
    CountryCode,
    Description,
    EarlierEncounters,
    Language,
    Line,
    OrganisationKind,
    Profile,
    Status,
    Text,
)
from shared.contract.ids import Id
from shared.contract.personal import PERSONAL


class OrganisationChanged(AuthoredEvent):
    """An organisation was registered, changed or cancelled."""

    TYPE: ClassVar[str] = "org.tertulia.organisation.changed.v1"
    THING: ClassVar[str] = "organisation_id"

    organisation_id: Id
    name: Annotated[Line, PERSONAL]
    kind: OrganisationKind
    country: CountryCode = Field(description="ISO 3166-1 alpha-2.")
    region: Line | None = None
    delegation: Line | None = Field(
        default=None, description="The delegation that the organisation travels with, if any."
    )
    interchangeable: bool = Field(
        default=False, description="Whether a participant may be replaced by another of the organisation who has time."
    )
    codes: tuple[Code, ...] = Field(default=(), max_length=30, description="Such as `nace:25.62` or `ket:robotics`.")
    competitor_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Competitors: the system never proposes an encounter of the two organisations. It is enough if one "
        "of the two lists the other.",
    )
    met_before: tuple[EarlierEncounters, ...] = Field(
        default=(),
        max_length=200,
        description="Organisations met in earlier editions; it is enough if one of the two organisations lists it.",
    )
    website: Annotated[Text, PERSONAL] | None = None
    description: Annotated[Description, PERSONAL] | None = None
    booth: Annotated[Line, PERSONAL] | None = Field(default=None, description="The label of its stand.")
    phone: Annotated[Line, PERSONAL] | None = None
    external_id: Annotated[Line, PERSONAL] | None = Field(
        default=None, description="Its id in the operator's own system."
    )
    status: Status = Status.ACTIVE
    merged_into: Id | None = Field(
        default=None, description="The organisation into which this organisation, a duplicate, was merged."
    )
    preview_token: PreviewToken = None


class ConsentSubject(StrEnum):
    """The use of personal data that a participant was asked about.

    `listed`: the name is shown in lists to other participants. `contact`: so are address and telephone number.
    """

    LISTED = "listed"
    CONTACT = "contact"


class ConsentRecord(Value):
    """The last answer of a participant: `granted` is false if it was refused or withdrawn."""

    granted: bool
    at: Instant
    text_version: Line = Field(description="The version of the text that the participant read.")
    text_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of that text, UTF-8, in hex."
    )
    by: str = Field(description="The author of the record: `key:`, `staff:` or `participant:`, and an id.")


class ParticipantChanged(AuthoredEvent):
    """A participant was registered, changed, replaced by another person, or cancelled."""

    TYPE: ClassVar[str] = "org.tertulia.participant.changed.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    organisation_id: Id
    name: Annotated[Line, PERSONAL]
    email: Annotated[str, StringConstraints(min_length=3, max_length=254), PERSONAL]
    languages: tuple[Language, ...] = Field(min_length=1, max_length=3, description="Mails are written in the first.")
    profile: Profile = Profile()
    available: tuple[Interval, ...] = Field(
        default=(),
        max_length=50,
        description="The intervals in which the participant can meet; empty: the whole edition.",
    )
    session_ids: tuple[Id, ...] = Field(default=(), max_length=100, description="The sessions attended.")
    waiting_since: dict[Id, Instant] = Field(
        default_factory=dict,
        description="Full sessions, each with the time since which the participant waits in line for a seat.",
    )
    blocked_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Participants and organisations that the participant neither meets nor sees, and the reverse.",
    )
    declined_ids: tuple[Id, ...] = Field(
        default=(), max_length=500, description="Participants whose proposal was declined: they are not proposed again."
    )
    job_title: Annotated[Line, PERSONAL] | None = None
    phone: Annotated[Line, PERSONAL] | None = None
    external_id: Annotated[Line, PERSONAL] | None = Field(
        default=None, description="The participant's id in the operator's own system."
    )
    shares_mailbox: bool = Field(default=False, description="Whether an earlier participant has the same address.")
    status: Status = Status.ACTIVE
    merged_into: Id | None = Field(
        default=None, description="The participant into which this participant, a duplicate, was merged."
    )
    checked_in: bool = Field(default=False, description="Whether the participant is at the venue.")
    links: int = Field(
        default=0,
        ge=0,
        description="Rises by one when the links signed before end: revoked, or sent to a former address.",
    )
    consents: dict[ConsentSubject, ConsentRecord] = Field(
        default_factory=dict, description="The last answers of the person; a question that was never asked is missing."
    )
    person: int = Field(
        default=0, ge=0, description="Rises by one with another person: neither name nor address is as before."
    )
    shown: int = Field(default=0, ge=0, description="Rises by one when others read another name.")
    reach: int = Field(
        default=0, ge=0, description="Rises by one when mail goes to another address, or in another language."
    )
    preview_token: PreviewToken = None


class ParticipantErased(AuthoredEvent):
    """A person was erased. The id stays, so that agendas and counts hold. No further person gets it.

    The record replaces all snapshots of the participant: compaction removes their texts from the topic.
    """

    TYPE: ClassVar[str] = "org.tertulia.participant.erased.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    organisation_id: Id
    status: Status = Field(
        default=Status.CANCELLED, description="`active` only if the edition was closed: encounters stay as they were."
    )
    session_ids: tuple[Id, ...] = Field(default=(), max_length=100, description="The sessions attended.")
    checked_in: bool = Field(default=False, description="Whether the participant came to the venue.")
    links: int = Field(default=0, ge=0, description="As of a participant: links signed before are not valid.")


class OrganisationErased(AuthoredEvent):
    """An organisation was erased, with its participants. Its id, kind and country stay, so that counts hold.

    The record replaces all snapshots of the organisation: compaction removes their texts from the topic.
    """

    TYPE: ClassVar[str] = "org.tertulia.organisation.erased.v1"
    THING: ClassVar[str] = "organisation_id"

    organisation_id: Id
    kind: OrganisationKind
    country: CountryCode = Field(description="ISO 3166-1 alpha-2.")
    status: Status = Field(
        default=Status.CANCELLED, description="`active` only if the edition was closed: encounters stay as they were."
    )
