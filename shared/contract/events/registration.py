"""`registration.v1`: snapshots of an edition, an organisation or a participant. The only personal data on the bus."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.contract.events.core import Event, Interval, Value
from shared.contract.ids import Id


def _is_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/Madrid") from error
    return name


Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}$")]
AffinityVersion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Timezone = Annotated[str, AfterValidator(_is_timezone)]

#: What a new edition is scored by, unless its operator says otherwise.
NEWEST_AFFINITY_VERSION: Final = "2"


class Phase(StrEnum):
    """How far an edition is, and so how freely its agenda may still change."""

    OPEN = "open"
    PUBLISHED = "published"
    LIVE = "live"
    CLOSED = "closed"


class ConsentPolicy(StrEnum):
    """Whose yes makes an encounter: both sides', the requester's, or the organiser's."""

    MUTUAL = "mutual"
    REQUESTER = "requester"
    ORGANISER = "organiser"


class ZoneKind(StrEnum):
    """The four zones of a B2B meeting."""

    WORKSPACE = "workspace"
    INNOVA = "innova"
    DEMONSTRATION = "demonstration"
    CONFERENCE = "conference"


class SessionKind(StrEnum):
    """What takes a participant's time without being an encounter."""

    KEYNOTE = "keynote"
    PANEL = "panel"
    DEMONSTRATION = "demonstration"
    NETWORKING = "networking"


class OrganisationKind(StrEnum):
    """The quadruple helix, as the B2B meeting counts it."""

    SME = "sme"
    LARGE_COMPANY = "large_company"
    TECHNOLOGY_CENTRE = "technology_centre"
    RESEARCH_GROUP = "research_group"
    GOVERNMENT = "government"
    PUBLIC_BODY = "public_body"
    CONSULTANT = "consultant"


class Level(StrEnum):
    """What an agenda is to be good at. An edition's order of them is strict: no gain at one is worth a loss before."""

    PLACED = "placed"
    FLOOR = "floor"
    MOVES = "moves"
    BREAKS = "breaks"
    TABLE_CHANGES = "table_changes"


def _is_order(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    if sorted(levels) != sorted(Level):
        raise ValueError(f"levels must name each of {', '.join(Level)} once")
    return levels


LevelOrder = Annotated[tuple[Level, ...], AfterValidator(_is_order)]


class Goal(StrEnum):
    """What encounters an edition is held for above others of the same priority.

    `cross_border`: between organisations of two countries. `delegation`: between a delegation and somebody not of it.
    """

    CROSS_BORDER = "cross_border"
    DELEGATION = "delegation"


def _all_differ(goals: tuple[Goal, ...]) -> tuple[Goal, ...]:
    if len(set(goals)) < len(goals):
        raise ValueError("goals must name each goal once at most")
    return goals


Goals = Annotated[tuple[Goal, ...], AfterValidator(_all_differ)]


class Language(StrEnum):
    """The languages a participant can be written to in."""

    SPANISH = "es"
    ENGLISH = "en"
    PORTUGUESE = "pt"


class Status(StrEnum):
    """Whether an organisation or a participant still takes part."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class Slot(Interval):
    """One stretch of time in which an encounter fits. `index` counts the edition's slots from 0, in time order."""

    index: int = Field(ge=0)


class Zone(Value):
    """A part of the venue. `tables` are the labels of the tables in service, none where no encounters happen."""

    zone_id: Id
    kind: ZoneKind
    name: Line
    tables: tuple[Line, ...] = Field(default=(), max_length=5000)


class Session(Interval):
    """A keynote, panel, demonstration or networking moment: whoever attends it is busy."""

    session_id: Id
    kind: SessionKind
    title: Line
    zone_id: Id
    capacity: int | None = Field(default=None, ge=1, description="How many may attend it; unset: any number.")


class Quotas(Value):
    """Limits a participant; none where it is `None`."""

    max_encounters: int | None = Field(default=None, ge=0, description="Encounters a participant.")
    max_requests: int | None = Field(default=None, ge=0, description="Match requests a participant may ask.")
    min_encounters: int | None = Field(
        default=None, ge=0, description="Encounters a participant should have at least, if as many are wanted."
    )

    @model_validator(mode="after")
    def _least_is_within_most(self) -> Self:
        least, most = self.min_encounters, self.max_encounters
        if least is not None and most is not None and least > most:
            raise ValueError(f"min_encounters is {least}: it cannot be more than max_encounters, which is {most}")
        return self


class Fee(Value):
    """What a participant pays, in the currency's smallest unit."""

    amount: int = Field(ge=0)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Filling(Value):
    """The organiser's word to fill the agendas: from then on each round proposes partners to whoever has too few."""

    round: int = Field(ge=1, description="Rises by one each time the organiser asks for it.")
    encounters: int = Field(ge=1, le=50, description="Proposals bring everybody up to this many encounters.")


class EarlierEncounters(Value):
    """Two organisations have met in an edition before this one."""

    organisation_id: Id = Field(description="The other one, in this edition.")
    outcome: bool = Field(default=False, description="Whether anything came of it.")


class Profile(Value):
    """What a participant offers and needs, in free text (an item each) and in codes (such as `nace:25.62`)."""

    offers: tuple[Text, ...] = Field(default=(), max_length=10)
    needs: tuple[Text, ...] = Field(default=(), max_length=10)
    codes: tuple[Code, ...] = Field(default=(), max_length=30)


class EditionChanged(Event):
    """An edition was created or changed: its time, its room and its rules."""

    TYPE: ClassVar[str] = "org.tertulia.edition.changed.v1"
    THING: ClassVar[str] = "edition_id"

    name: Line
    timezone: Timezone
    phase: Phase
    slots: tuple[Slot, ...] = Field(max_length=500)
    zones: tuple[Zone, ...] = Field(max_length=50)
    sessions: tuple[Session, ...] = Field(default=(), max_length=500)
    quotas: Quotas = Quotas()
    consent_policy: ConsentPolicy = ConsentPolicy.MUTUAL
    least_affinity: float = Field(default=0.0, ge=0, le=1, description="Proposals below this are not made.")
    fee: Fee | None = None
    affinity_version: AffinityVersion = Field(
        default="1", description="The configuration that scores its pairs: weights, constants and calibration."
    )
    filling: Filling | None = None
    freeze_minutes: int = Field(
        default=0, ge=0, description="Once live, encounters that start this soon are not moved by the system."
    )
    levels: LevelOrder = Field(default=tuple(Level), description="What agendas are to be good at, the first first.")
    goals: Goals = Field(default=(), description="Encounters that come before others of the same priority.")

    @model_validator(mode="after")
    def _slots_are_in_order(self) -> Self:
        for expected, slot in enumerate(self.slots):
            if slot.index != expected:
                raise ValueError(f"slots[{expected}].index is {slot.index}: slots are numbered from 0 without gaps")
            if expected and slot.starts_at < self.slots[expected - 1].ends_at:
                raise ValueError(f"slots[{expected}] starts before the slot before it ends")
        return self


class OrganisationChanged(Event):
    """An organisation was registered, changed or cancelled."""

    TYPE: ClassVar[str] = "org.tertulia.organisation.changed.v1"
    THING: ClassVar[str] = "organisation_id"

    organisation_id: Id
    name: Line
    kind: OrganisationKind
    country: CountryCode = Field(description="ISO 3166-1 alpha-2.")
    region: Line | None = None
    delegation: Line | None = Field(default=None, description="The group it travels with, if any.")
    interchangeable: bool = Field(
        default=False, description="Whether any of its participants may meet where the one asked for has no time."
    )
    codes: tuple[Code, ...] = Field(default=(), max_length=30, description="Such as `nace:25.62` or `ket:robotics`.")
    competitor_ids: tuple[Id, ...] = Field(
        default=(), max_length=100, description="Organisations that it is never proposed to meet, nor they it."
    )
    met_before: tuple[EarlierEncounters, ...] = Field(
        default=(), max_length=200, description="Whom it has met in earlier editions; either of the two may say so."
    )
    status: Status = Status.ACTIVE


class ParticipantChanged(Event):
    """A participant was registered, changed, replaced by another person, or cancelled."""

    TYPE: ClassVar[str] = "org.tertulia.participant.changed.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    organisation_id: Id
    name: Line
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    languages: tuple[Language, ...] = Field(min_length=1, max_length=3, description="The first is written in.")
    profile: Profile = Profile()
    available: tuple[Interval, ...] = Field(
        default=(), max_length=50, description="When the participant can meet; empty: the whole edition."
    )
    session_ids: tuple[Id, ...] = Field(default=(), max_length=100, description="The sessions attended.")
    blocked_ids: tuple[Id, ...] = Field(
        default=(), max_length=100, description="Participants and organisations neither met nor seen, both ways."
    )
    declined_ids: tuple[Id, ...] = Field(
        default=(), max_length=500, description="Participants whose proposal was turned down: not proposed again."
    )
    status: Status = Status.ACTIVE
    checked_in: bool = Field(default=False, description="Whether the participant is at the venue.")
