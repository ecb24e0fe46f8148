"""`registration.v1`: snapshots of an edition, an organisation or a participant. No other topic has personal data."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.contract.events.core import AuthoredEvent, Interval, PreviewToken, Value
from shared.contract.ids import Id
from shared.contract.personal import PERSONAL


def _is_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone, such as Europe/Madrid") from error
    return name


Line = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}$")]
AffinityVersion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Timezone = Annotated[str, AfterValidator(_is_timezone)]

#: The affinity versions that every installation of matching has, oldest first.
BUILT_IN_AFFINITY_VERSIONS: Final = ("1", "2", "3", "4")
#: The affinity version of a new edition, unless its operator chooses another.
NEWEST_AFFINITY_VERSION: Final = BUILT_IN_AFFINITY_VERSIONS[-1]


class Phase(StrEnum):
    """The phase of an edition: it limits the changes of the agenda."""

    OPEN = "open"
    PUBLISHED = "published"
    LIVE = "live"
    CLOSED = "closed"


class ConsentPolicy(StrEnum):
    """The sides whose consent an encounter needs: both, the requester's, or the organiser's."""

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
    """The kinds of events of the programme that are not encounters."""

    KEYNOTE = "keynote"
    PANEL = "panel"
    DEMONSTRATION = "demonstration"
    NETWORKING = "networking"


class OrganisationKind(StrEnum):
    """The kinds of organisations: the quadruple helix, as the B2B meeting counts it."""

    SME = "sme"
    LARGE_COMPANY = "large_company"
    TECHNOLOGY_CENTRE = "technology_centre"
    RESEARCH_GROUP = "research_group"
    GOVERNMENT = "government"
    PUBLIC_BODY = "public_body"
    CONSULTANT = "consultant"


class Level(StrEnum):
    """An objective of an agenda. An edition orders them strictly: a gain never outweighs a loss at an earlier level."""

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
    """A goal of an edition: encounters that serve it come before encounters of the same priority that do not.

    `cross_border`: encounters of organisations from two countries. `delegation`: encounters of a delegation with an
    organisation outside of it.
    """

    CROSS_BORDER = "cross_border"
    DELEGATION = "delegation"


def _all_differ(goals: tuple[Goal, ...]) -> tuple[Goal, ...]:
    if len(set(goals)) < len(goals):
        raise ValueError("goals must name each goal once at most")
    return goals


Goals = Annotated[tuple[Goal, ...], AfterValidator(_all_differ)]


class Language(StrEnum):
    """The languages of participants and of their mails."""

    SPANISH = "es"
    ENGLISH = "en"
    PORTUGUESE = "pt"
    FRENCH = "fr"
    GERMAN = "de"
    ITALIAN = "it"


class Status(StrEnum):
    """The status of an organisation or a participant: it takes part, or has cancelled."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class Slot(Interval):
    """A slot: an interval for encounters. `index` counts the edition's slots from 0, in time order."""

    index: int = Field(ge=0)


class Zone(Value):
    """A part of the venue. `tables` are the labels of its tables in service; a zone without encounters has none."""

    zone_id: Id
    kind: ZoneKind
    name: Line
    tables: tuple[Line, ...] = Field(
        default=(),
        max_length=5000,
        description="Labels of the tables in service. Labels tell no position: two that follow each other need not be "
        "neighbouring tables.",
    )


class Venue(Value):
    """The place of an edition, as participants read it."""

    name: Line
    address: Line | None = None


class HelpContact(Value):
    """The address and the phone number at which an edition's participants ask their questions."""

    email: Line | None = None
    phone: Line | None = None


class Session(Interval):
    """A keynote, panel, demonstration or networking session. Participants who attend it have no encounter meanwhile."""

    session_id: Id
    kind: SessionKind
    title: Line
    zone_id: Id
    capacity: int | None = Field(
        default=None, ge=1, description="The number of participants who may attend; unset: no limit."
    )


class Quotas(Value):
    """Limits for a participant; None means no limit."""

    max_encounters: int | None = Field(default=None, ge=0, description="Most encounters of a participant.")
    max_requests: int | None = Field(default=None, ge=0, description="Most match requests of a participant.")
    min_encounters: int | None = Field(
        default=None, ge=0, description="Fewest encounters that a participant should have, if as many are wanted."
    )

    @model_validator(mode="after")
    def _least_is_within_most(self) -> Self:
        least, most = self.min_encounters, self.max_encounters
        if least is not None and most is not None and least > most:
            raise ValueError(f"min_encounters is {least}: it cannot be more than max_encounters, which is {most}")
        return self


class Fee(Value):
    """The fee of a participant, in the currency's smallest unit."""

    amount: int = Field(ge=0)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Filling(Value):
    """A request of the organiser to fill the agendas: each round proposes partners to participants with too few."""

    round: int = Field(ge=1, description="Rises by one with each request of the organiser.")
    encounters: int = Field(
        ge=1, le=50, description="Proposals are made up to this number of encounters of a participant."
    )


class EarlierEncounters(Value):
    """An organisation that this organisation met in an earlier edition."""

    organisation_id: Id = Field(description="The id of the organisation that was met, in this edition.")
    outcome: bool = Field(default=False, description="Whether the encounter led to business.")


class Profile(Value):
    """The offers and needs of a participant, as items of free text and as codes (such as `nace:25.62`)."""

    offers: tuple[Annotated[Text, PERSONAL], ...] = Field(default=(), max_length=10)
    needs: tuple[Annotated[Text, PERSONAL], ...] = Field(default=(), max_length=10)
    codes: tuple[Code, ...] = Field(default=(), max_length=30)


class EditionChanged(AuthoredEvent):
    """An edition was created or changed: its time, its venue and its rules."""

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
    least_affinity: float = Field(default=0.0, ge=0, le=1, description="Pairs with a lower affinity are not proposed.")
    fee: Fee | None = None
    affinity_version: AffinityVersion = Field(
        default="1", description="The configuration that scores the pairs: weights, constants and calibration."
    )
    filling: Filling | None = None
    freeze_minutes: int = Field(
        default=0, ge=0, description="Once live, the system does not move encounters that start within this time."
    )
    settle_minutes: int = Field(
        default=30,
        ge=0,
        description="Time after which an encounter that a change moved stays, even if the change is undone.",
    )
    live_lead_minutes: int = Field(
        default=60, ge=0, description="Time before its first slot at which a published edition becomes live."
    )
    close_lag_minutes: int = Field(
        default=720, ge=0, description="Time after its last slot or session at which a live edition is closed."
    )
    preview_above_percent: int = Field(default=10, ge=0, description="Encounters moved without a preview, percent.")
    preview_above_people: int = Field(default=20, ge=0, description="People moved without a preview.")
    levels: LevelOrder = Field(default=tuple(Level), description="Objectives of the edition, most important first.")
    goals: Goals = Field(
        default=(), description="Goals: encounters that serve them come first among encounters of the same priority."
    )
    venue: Venue | None = Field(default=None, description="The place of the edition; null: not told.")
    contact: HelpContact | None = Field(default=None, description="Where participants ask their questions.")
    preview_token: PreviewToken = None

    @model_validator(mode="after")
    def _slots_are_in_order(self) -> Self:
        for expected, slot in enumerate(self.slots):
            if slot.index != expected:
                raise ValueError(f"slots[{expected}].index is {slot.index}: slots are numbered from 0 without gaps")
            if expected and slot.starts_at < self.slots[expected - 1].ends_at:
                raise ValueError(f"slots[{expected}] starts before the slot before it ends")
        return self
