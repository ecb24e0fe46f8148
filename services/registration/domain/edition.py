"""An edition: its days, its zones and tables, its sessions and its rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from services.registration.domain.edition_parts import FeeFacts, FillingFacts, HelpContactFacts, QuotaFacts, VenueFacts
from services.registration.domain.entity import Entity, Facts
from services.registration.domain.errors import ConfirmationRequired, Conflict, FieldError, Invalid
from services.registration.domain.names import Line, ZoneName, must_differ
from services.registration.domain.slots import Day, LocalCalendar, days_moved, instant, slots_of
from shared.contract import events
from shared.contract.events import (
    ConsentPolicy,
    EditionChanged,
    Filling,
    Goals,
    Instant,
    Level,
    LevelOrder,
    Phase,
    SessionKind,
    Slot,
    ZoneKind,
)
from shared.contract.events.registration import NEWEST_AFFINITY_VERSION, AffinityVersion
from shared.contract.ids import Id

#: Most bytes of an edition's event: with its headers it has to fit one Kafka record of 1 MiB.
_MOST_BYTES = 900_000


#: Time in which each revision has the background work look for availability that has not followed the calendar.
_FOLLOWED_FOR = timedelta(days=1)
#: Phases that end by the clock.
MOVED_BY_CLOCK = frozenset({Phase.PUBLISHED, Phase.LIVE})


class ZoneFacts(Facts):
    """A part of the venue with the labels of its tables. A label is unique in its zone only."""

    zone_id: Id
    kind: ZoneKind
    name: Line
    tables: tuple[Line, ...] = Field(default=(), max_length=5000)

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        must_differ("table", self.tables)
        return self


class SessionFacts(Facts):
    """A session. Times without an offset are local times of the edition's time zone."""

    session_id: Id
    kind: SessionKind
    title: Line
    zone_id: Id
    starts_at: datetime
    ends_at: datetime
    capacity: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="Most participants that may attend; null: any number. Lowering it takes no seat away.",
    )

    def in_zone(self, timezone: str) -> events.Session:
        """Return the session with its times in UTC. Raises ValueError if clocks skip a time or the end is not later."""
        times = {"starts_at": instant(self.starts_at, timezone), "ends_at": instant(self.ends_at, timezone)}
        if times["ends_at"] <= times["starts_at"]:
            raise ValueError(f"session {self.session_id}: ends_at must be after starts_at")
        return events.Session(**{**self.model_dump(), **times})


class EditionFacts(Facts):
    """Fields of an edition that its operator sets."""

    name: Line
    timezone: ZoneName = Field(description="An IANA time zone, such as Europe/Madrid.")
    days: tuple[Day, ...] = Field(min_length=1, max_length=31)
    slot_minutes: int = Field(default=15, ge=5, le=240)
    zones: tuple[ZoneFacts, ...] = Field(min_length=1, max_length=50)
    sessions: tuple[SessionFacts, ...] = Field(default=(), max_length=500)
    quotas: QuotaFacts = QuotaFacts()
    consent_policy: ConsentPolicy = ConsentPolicy.MUTUAL
    least_affinity: float = Field(default=0.0, ge=0, le=1, description="Least score of a proposal, from 0 to 1.")
    fee: FeeFacts | None = None
    affinity_version: AffinityVersion = Field(
        default=NEWEST_AFFINITY_VERSION,
        description="Installed version of the configuration that scores its pairs; null: the newest built-in version.",
    )
    phase: Phase = Phase.OPEN
    answer_within_hours: Annotated[int, Field(ge=1, le=8760)] | None = Field(
        default=None, description="Hours after which an unanswered match request expires; null: never."
    )
    freeze_minutes: int = Field(
        default=30,
        ge=0,
        le=24 * 60,
        description="Minutes before its start in which the system moves no encounter of a live edition.",
    )
    settle_minutes: int = Field(
        default=30,
        ge=0,
        le=24 * 60,
        description="Minutes in which a change that is undone gives every encounter its announced place back.",
    )
    live_lead_minutes: int = Field(
        default=60,
        ge=0,
        le=7 * 24 * 60,
        description="Minutes before its first slot at which a published edition becomes live by itself. "
        "At least `freeze_minutes`, or its first encounters are frozen late.",
    )
    close_lag_minutes: int = Field(
        default=720,
        ge=0,
        le=30 * 24 * 60,
        description="Minutes after its last slot, its last session and its last change at which an edition is closed "
        "by itself.",
    )
    preview_above_percent: int = Field(
        default=10,
        ge=0,
        le=100,
        description="Percentage of the encounters. Once agendas are announced, a change that moves more of them, or "
        "takes their place, needs the token of its preview.",
    )
    preview_above_people: int = Field(
        default=20,
        ge=0,
        le=100_000,
        description="Participants. Once agendas are announced, a change that moves encounters of more needs the token "
        "of its preview.",
    )
    levels: LevelOrder = Field(default=tuple(Level), description="Objectives of the agendas, most important first.")
    goals: Goals = Field(
        default=(), description="Encounters that serve a goal are placed before other encounters of the same priority."
    )
    venue: VenueFacts | None = Field(
        default=None, description="The place of the edition. Another place is mailed to everybody with an agenda."
    )
    contact: HelpContactFacts | None = Field(
        default=None, description="Where participants ask their questions; null: mails name nobody."
    )

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        must_differ("zone_id", (zone.zone_id for zone in self.zones))
        must_differ("session_id", (session.session_id for session in self.sessions))
        zones = {zone.zone_id for zone in self.zones}
        for session in self.sessions:
            session.in_zone(self.timezone)
            if session.zone_id not in zones:
                raise ValueError(
                    f"session {session.session_id} is in zone {session.zone_id}, which is not one of zones"
                )
        if not self.slots() and any(zone.tables for zone in self.zones):
            raise ValueError("there are tables, but no slot fits into the days")
        return self

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots of the edition, derived from its days."""
        return slots_of(self.days, self.slot_minutes, self.timezone)


class Edition(EditionFacts, Entity):
    """An edition at a revision."""

    PREFIX: ClassVar[str] = "edn"
    ID: ClassVar[str] = "edition_id"
    NOUN: ClassVar[str] = "edition"

    #: An edition stored before there were versions keeps the first version.
    affinity_version: AffinityVersion = "1"
    filling: Filling | None = Field(default=None, description="The last round of proposals.")
    postponed_days: int = Field(default=0, description="Days by which all days of the edition were moved, in all.")
    first_timezone: str | None = Field(default=None, description="Time zone before its first change; null: the same.")
    calendar_since: Instant | None = Field(
        default=None, description="Time of the last move of all days, or change of the time zone."
    )

    @property
    def due(self) -> datetime | None:
        """The time of the next phase, or of the last change of the calendar if that was within a day; None: never."""
        moves = (self.phase_due, self.calendar_since)
        is_recent = self.calendar_since is not None and self.changed_at - self.calendar_since < _FOLLOWED_FOR
        return min(filter(None, moves)) if is_recent else self.phase_due

    @property
    def phase_due(self) -> datetime | None:
        """The time at which the clock moves the edition to its next phase; None: never."""
        hours = self._hours()
        if hours is None or self.phase not in MOVED_BY_CLOCK:
            return None
        closes_at = self._closes_at(hours)
        return min(self._live_at(hours), closes_at) if self.phase is Phase.PUBLISHED else closes_at

    @property
    def ends_at(self) -> datetime | None:
        """The end of the last slot or session; None without either."""
        return hours.ends_at if (hours := self._hours()) else None

    @property
    def calendar(self) -> LocalCalendar:
        """The calendar of the edition's local times now."""
        return LocalCalendar(timezone=self.timezone, postponed_days=self.postponed_days)

    @property
    def first_calendar(self) -> LocalCalendar:
        """The calendar of availability that names no calendar: it was stored by an earlier version."""
        return LocalCalendar(timezone=self.first_timezone or self.timezone)

    def with_facts(self, facts: EditionFacts, now: datetime) -> Self:
        """Return the next revision with these facts; itself if no fact differs. Notes a change of the calendar."""
        days = days_moved(self.days, facts.days)
        fields = facts.values()
        if days or facts.timezone != self.timezone:
            fields |= {
                "postponed_days": self.postponed_days + days,
                "first_timezone": self.first_timezone or self.timezone,
                "calendar_since": now,
            }
        return self.changed(now, **fields)

    def moved_by_clock(self, now: datetime) -> Self:
        """Return the edition in the phase that its hours say; itself if that is its phase.

        A published edition becomes live, and a published or live edition is closed. An open edition stays open: its
        agendas were never announced.
        """
        hours = self._hours()
        if hours is None or self.phase not in MOVED_BY_CLOCK:
            return self
        if self._closes_at(hours) <= now:
            return self.changed(now, phase=Phase.CLOSED)
        return self.changed(now, phase=Phase.LIVE) if self._live_at(hours) <= now else self

    def _hours(self) -> events.Interval | None:
        """Return the time from the first slot, else session, to the last slot or session; None without either."""
        slots, sessions = self.slots(), [session.in_zone(self.timezone) for session in self.sessions]
        if not slots and not sessions:
            return None
        return events.Interval(
            starts_at=min(interval.starts_at for interval in slots or sessions),
            ends_at=max(interval.ends_at for interval in (*slots, *sessions)),
        )

    def _live_at(self, hours: events.Interval) -> datetime:
        return hours.starts_at - timedelta(minutes=self.live_lead_minutes)

    def _closes_at(self, hours: events.Interval) -> datetime:
        """Return the time at which the edition is closed: later if it was changed after its last hour."""
        return max(hours.ends_at, self.changed_at) + timedelta(minutes=self.close_lag_minutes)

    def snapshot(self) -> EditionChanged:
        return EditionChanged(
            **self.model_dump(include=_COMMON),
            occurred_at=self.changed_at,
            slots=self.slots(),
            zones=tuple(events.Zone(**zone.model_dump()) for zone in self.zones),
            sessions=tuple(session.in_zone(self.timezone) for session in self.sessions),
        )

    def answer_by(self, asked_at: datetime) -> datetime | None:
        """Return the time at which a request made at that moment expires; None: never."""
        return asked_at + timedelta(hours=self.answer_within_hours) if self.answer_within_hours else None

    def must_be_changeable(self) -> None:
        """Raise `Conflict` if the edition is closed."""
        if self.phase is Phase.CLOSED:
            raise Conflict(f"edition {self.edition_id} is closed: it takes no more changes")

    def must_have_sessions(
        self, session_ids: Sequence[str], known: frozenset[str] = frozenset(), field: str = "session_ids"
    ) -> None:
        """Raise `Invalid` for each session id of a field that is neither in the edition nor in `known`."""
        allowed = known | {session.session_id for session in self.sessions}
        unknown = [
            FieldError(f"/{field}/{index}", "no such session in this edition")
            for index, session_id in enumerate(session_ids)
            if session_id not in allowed
        ]
        if unknown:
            raise Invalid(*unknown)

    def must_fit_one_record(self) -> None:
        """Raise `Invalid` if the edition's event is too large for a Kafka record: patches may add up to that."""
        size = len(self.snapshot().model_dump_json().encode())
        if size > _MOST_BYTES:
            raise Invalid(FieldError("", f"the edition would take {size} bytes; {_MOST_BYTES} are the most"))

    def must_have_version_of(self, installed: Sequence[str]) -> None:
        """Raise `Invalid` if the affinity version is not installed; the message lists the installed versions."""
        if self.affinity_version not in installed:
            listed = ", ".join(installed)
            reason = f"version {self.affinity_version!r} is not installed; the installed versions are {listed}"
            raise Invalid(FieldError("/affinity_version", reason))

    def with_proposal_round(self, wanted: FillingFacts, now: datetime) -> Self:
        """Return the edition with one more round of proposals."""
        last = self.filling.round if self.filling else 0
        return self.changed(now, filling=Filling(round=last + 1, encounters=wanted.encounters))

    def may_become(self, phase: Phase, confirmed: Phase | None = None) -> None:
        """Raise unless the phase is the same or later.

        Raises:
            Conflict: the phase is earlier.
            ConfirmationRequired: an open edition would be live at once, and `confirmed` is not that phase.
        """
        order = list(Phase)
        if self.phase is Phase.OPEN and phase is Phase.LIVE and confirmed is not Phase.LIVE:
            raise ConfirmationRequired(
                "the edition is open: live in one step announces every agenda and freezes the first encounters. "
                "Set phase published first, or send the same request with ?confirm=live"
            )
        if order.index(phase) < order.index(self.phase):
            raise Conflict(f"an edition's phase only goes forwards: it is {self.phase}, and cannot go back to {phase}")


_COMMON = set(EditionChanged.model_fields) - {"occurred_at", "slots", "zones", "sessions"}
