"""A participant: a person who represents an organisation, with a profile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import Field, field_validator

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity, Facts
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.names import (
    Code,
    Email,
    Line,
    ShortLine,
    Text,
    email_key,
    external_id_claims,
    external_id_keys,
    member_key,
    name_keys,
    same_address,
)
from services.registration.domain.pending_address import PendingAddress
from services.registration.domain.slots import LocalCalendar, instant
from shared.contract.events import (
    ConsentRecord,
    ConsentSubject,
    Instant,
    Language,
    ParticipantChanged,
    ParticipantErased,
    Status,
)
from shared.contract.ids import Id
from shared.contract.personal import PERSONAL
from shared.contract.spelling import is_spelt_alike, same_name

#: Fields that describe the person. The patch that gives a participant's place to a successor must name all of them: a
#: field that the patch does not name keeps the value of the person before.
FIELDS_OF_THE_PERSON = frozenset({"name", "email", "languages", "profile", "job_title", "phone", "external_id"})
#: Fields that describe the place: another person who takes the place inherits them, unless the patch changes them.
FIELDS_OF_THE_PLACE = frozenset(
    {
        "operator_id",
        "edition_id",
        "organisation_id",
        "participant_id",
        "created_at",
        "status",
        "cancelled_with_organisation",
        "shares_mailbox",
        "available",
        "session_ids",
        "waiting_session_ids",
        "waiting_since",
        "seats",
        "calendar",
        "checked_in",
        "blocked_ids",
        "declined_ids",
        "erased_at",
        "merged_into",
    }
)
#: Answers of the person alone: another person in the place has answered nothing, and has no other address.
ANSWERS_OF_THE_PERSON = frozenset({"consents", "pending_address"})
#: Counters of changes of the person's fields, for services that keep no text to compare. See `ParticipantChanged`.
COUNTERS = frozenset({"person", "shown", "reach", "links"})

_NOT_PUBLISHED = {
    "created_at",
    "changed_at",
    "seats",
    "cancelled_with_organisation",
    "waiting_session_ids",
    "calendar",
    "erased_at",
    "pending_address",
}


def mailbox_key(edition_id: str, email: str) -> str:
    """Return the unique key of the first participant with an address."""
    return f"{edition_id}/{same_address(email)}"


class ProfileFacts(Facts):
    """Offers and needs of a participant, as lists of texts, and codes such as nace:25.62."""

    offers: tuple[Annotated[Text, PERSONAL], ...] = Field(default=(), max_length=10)
    needs: tuple[Annotated[Text, PERSONAL], ...] = Field(default=(), max_length=10)
    codes: tuple[Code, ...] = Field(default=(), max_length=30)


class Stay(Facts):
    """A time in which a participant can meet. Times without an offset are local times of the edition's time zone."""

    starts_at: datetime
    ends_at: datetime


class ParticipantFacts(Facts):
    """Fields of a participant that its operator sets. The e-mail address is unique in the edition, in any case."""

    organisation_id: Id
    name: Annotated[Line, PERSONAL]
    email: Annotated[Email, PERSONAL]
    languages: tuple[Language, ...] = Field(
        min_length=1, max_length=3, description="Mails are written in the first language."
    )
    profile: ProfileFacts = ProfileFacts()
    available: tuple[Stay, ...] = Field(
        default=(), max_length=50, description="Times in which the participant can meet; empty: the whole edition."
    )
    session_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Sessions that the participant attends. A full session is moved to `waiting_session_ids`.",
    )
    waiting_session_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Full sessions in whose lines the participant waits for a seat. Leave a session out to leave its "
        "line.",
    )
    blocked_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=100,
        description="Participants and organisations that the participant neither meets nor sees, in either direction.",
    )
    declined_ids: tuple[Id, ...] = Field(
        default=(),
        max_length=500,
        description="Participants who were declined as partners: they are not proposed again.",
    )
    job_title: Annotated[Line, PERSONAL] | None = None
    phone: Annotated[ShortLine, PERSONAL] | None = None
    external_id: Annotated[Line, PERSONAL] | None = Field(
        default=None, description="The participant's id in the operator's own system."
    )

    @field_validator("languages", "session_ids", "waiting_session_ids")
    @classmethod
    def _differ(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) < len(values):
            raise ValueError("must not repeat")
        return values

    def blocks(self, participant_id: str, organisation_id: str) -> bool:
        """Tell whether this participant blocks the participant or the organisation."""
        return not {participant_id, organisation_id}.isdisjoint(self.blocked_ids)

    def in_zone(self, timezone: str) -> Self:
        """Return the facts with `available` in UTC. Raises `Invalid` if clocks skip a time or the end is not later."""
        return self.model_copy(
            update={"available": tuple(_stay(index, stay, timezone) for index, stay in enumerate(self.available))}
        )


class MergeFacts(Facts):
    """The duplicate that is merged into the kept registration."""

    merged_id: Id


class ReplacementFacts(Facts):
    """A person who takes a participant's place. Fields that are not sent are emptied, except the profile."""

    name: Annotated[Line, PERSONAL]
    email: Annotated[Email, PERSONAL]
    languages: tuple[Language, ...] = Field(
        min_length=1, max_length=3, description="Mails are written in the first language."
    )
    profile: ProfileFacts | None = Field(
        default=None, description="Without it the profile of the place stays: offers and needs of the organisation."
    )
    job_title: Annotated[Line, PERSONAL] | None = None
    phone: Annotated[ShortLine, PERSONAL] | None = None
    external_id: Annotated[Line, PERSONAL] | None = None

    def patch(self) -> dict[str, object]:
        """Return the merge patch that gives the place to the person."""
        fields = self.model_dump(mode="json")
        return fields if self.profile is not None else {name: fields[name] for name in fields if name != "profile"}


class Participant(ParticipantFacts, Entity):
    """A participant at a revision. Another person of the organisation may take the participant's place."""

    PREFIX: ClassVar[str] = "prt"
    ID: ClassVar[str] = "participant_id"
    NOUN: ClassVar[str] = "participant"

    participant_id: str
    status: Status = Status.ACTIVE
    merged_into: Id | None = Field(
        default=None, description="The participant into which this participant, a duplicate, was merged."
    )
    cancelled_with_organisation: bool = Field(
        default=False,
        description="Whether the cancellation of the organisation cancelled the participant: both come back together.",
    )
    checked_in: bool = Field(default=False, description="Whether the participant is at the venue.")
    links: int = Field(
        default=0, ge=0, description="Revocations of the participant's links: links signed before are not valid."
    )
    person: int = Field(default=0, ge=0, description="Changes to another person.")
    shown: int = Field(default=0, ge=0, description="Changes of the name that others read.")
    reach: int = Field(default=0, ge=0, description="Changes of the address or of the first language.")
    calendar: LocalCalendar | None = Field(
        default=None, description="Calendar of the edition for which `available` holds; null: its first calendar."
    )
    shares_mailbox: bool = Field(
        default=False,
        description="Whether a participant who was registered before has the same address, as in a mailbox of a team.",
    )
    seats: dict[Id, int] = Field(
        default_factory=dict, description="Seat number, from 1, by session; only sessions with a capacity have seats."
    )
    waiting_since: dict[Id, Instant] = Field(
        default_factory=dict, description="Time since which the participant waits in line, by full session."
    )
    consents: dict[ConsentSubject, ConsentRecord] = Field(
        default_factory=dict, description="Last answers of the person, by subject; never asked: missing."
    )
    pending_address: PendingAddress | None = Field(
        default=None, description="New address that waits for its confirmation; mails go to `email` until then."
    )
    erased_at: Instant | None = Field(
        default=None, description="Time of the erasure of the person: the id stays, so that agendas and counts hold."
    )

    def changed(self, now: datetime, **fields: object) -> Self:
        """Return the next revision with these fields, counted; the participant itself if no field differs."""
        changed = super().changed(now, **fields)
        if changed is self:
            return self
        counted = _counted(self, changed)
        # Another person has answered nothing yet. A change of the address ends the wait for another one.
        answers: dict[str, object] = {"consents": {}} if "person" in counted else {}
        answers |= {"pending_address": None} if "links" in counted and "email" in fields else {}
        return changed.model_copy(update={**counted, **answers})

    def is_kept_apart_from(self, participant: Participant) -> bool:
        """Tell whether a block stands between two participants, set by either. Then both are hidden from each other."""
        return self.blocks(participant.participant_id, participant.organisation_id) or participant.blocks(
            self.participant_id, self.organisation_id
        )

    def following(self, edition: Edition) -> Self:
        """Return the participant with the availability at the same local times of the edition's present calendar.

        The revision is the same; itself if the availability need not move.
        """
        before, now = self.calendar or edition.first_calendar, edition.calendar
        if not self.available or before == now:
            return self
        stays = tuple(_moved(stay, before, now) for stay in self.available)
        if stays == self.available:
            return self
        return self.model_copy(update={"available": stays, "calendar": now})

    def differs_only_in_revision(self, participant: Participant) -> bool:
        """Tell whether every field but the revision and its time is the same."""
        return self == participant.model_copy(update={"revision": self.revision, "changed_at": self.changed_at})

    @property
    def unique(self) -> str:
        """The address; with the name, if several participants have the address. The id of an erased participant."""
        if self.erased_at:
            return self.id
        mailbox = mailbox_key(self.edition_id, self.email)
        return f"{mailbox}/{same_name(self.name)}" if self.shares_mailbox else mailbox

    @property
    def identities(self) -> tuple[str, ...]:
        return (self.unique, *external_id_claims(self.edition_id, self.external_id))

    @property
    def claims(self) -> tuple[str, ...]:
        seats = self.seats.items() if self.status is Status.ACTIVE else ()
        return (*self.identities, *(f"{self.edition_id}/{session_id}/{number}" for session_id, number in seats))

    @property
    def search_keys(self) -> tuple[str, ...]:
        keys = (email_key(self.email), member_key(self.organisation_id), *external_id_keys(self.external_id))
        return (*keys, *name_keys(self.name))

    @property
    def due(self) -> datetime | None:
        return min(self.waiting_since.values(), default=None) if self.status is Status.ACTIVE else None

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None

    @property
    def gives_way(self) -> bool:
        return self.status is Status.CANCELLED

    def snapshot(self) -> ParticipantChanged | ParticipantErased:
        kind = ParticipantErased if self.erased_at else ParticipantChanged
        return kind(**self.model_dump(exclude=_NOT_PUBLISHED), occurred_at=self.changed_at)


def _counted(before: Participant, after: Participant) -> dict[str, int]:
    """Return the counters of the fields in which two revisions differ. The links end with the address."""
    is_shown = before.name != after.name
    is_readdressed = before.email.casefold() != after.email.casefold()
    is_another = is_readdressed and not is_spelt_alike(before.name, after.name)
    raised = {
        "person": is_another,
        "shown": is_shown,
        "reach": is_readdressed or before.languages[0] != after.languages[0],
        "links": is_readdressed,
    }
    return {name: getattr(after, name) + 1 for name, is_raised in raised.items() if is_raised}


def _moved(stay: Stay, before: LocalCalendar, now: LocalCalendar) -> Stay:
    """Return a stay at the same local times of another calendar; as long as before if clocks skip its times."""
    starts_at, ends_at = before.moved(stay.starts_at, now), before.moved(stay.ends_at, now)
    return Stay(starts_at=starts_at, ends_at=ends_at if ends_at > starts_at else starts_at + _length(stay))


def _length(stay: Stay) -> timedelta:
    return stay.ends_at - stay.starts_at


def _stay(index: int, stay: Stay, timezone: str) -> Stay:
    try:
        # Twice: it is kept in UTC and checked again at each change, so that the year has to fit in UTC too.
        starts_at, ends_at = (instant(instant(at, timezone), timezone) for at in (stay.starts_at, stay.ends_at))
    except ValueError as error:
        raise Invalid(FieldError(f"/available/{index}", str(error))) from error
    if ends_at <= starts_at:
        raise Invalid(FieldError(f"/available/{index}/ends_at", "ends_at must be after starts_at"))
    return Stay(starts_at=starts_at, ends_at=ends_at)
