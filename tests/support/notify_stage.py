"""Builders of notify's events, a fake mail server, and a notify service between them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from services.notify.app import assemble
from services.notify.domain.decide import decide
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import MailContent, mail_content
from services.notify.domain.state import Audience
from services.notify.domain.told_calendar import next_calendar
from services.notify.ports import MailServerUnavailable, Render, RenderedMail, Unconfirmed
from services.notify.rendering.mail import MailWriter
from services.notify.settings import Settings
from shared.contract.events import (
    AgendaChanged,
    AgendaEntry,
    EditionChanged,
    EntryKind,
    Event,
    Language,
    NotificationRecorded,
    OrganisationChanged,
    ParticipantChanged,
    Party,
    Phase,
    WaitingEncounter,
    Zone,
    ZoneKind,
)
from shared.messaging.inputs import Input, Position
from tests.support.events import EventBuilder
from tests.support.servers import Servers

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
OPENING = datetime(2026, 11, 26, 8, tzinfo=UTC)
EVENTS = EventBuilder("op_1", "edn_1", NOW)
COMMON: dict[str, Any] = {"operator_id": "op_1", "edition_id": "edn_1", "occurred_at": NOW}
QUARTER = timedelta(minutes=15)


def edition(revision: int = 1, **fields: Any) -> EditionChanged:
    """Build a published edition with a workspace and an auditorium."""
    zones = (
        Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name="Workspace", tables=("1", "2")),
        Zone(zone_id="zn_talk", kind=ZoneKind.CONFERENCE, name="Auditorium"),
    )
    defaults = {"name": "Encuentro B2B 2018", "phase": Phase.PUBLISHED, "zones": zones}
    return EVENTS.edition(revision=revision, **defaults | fields)


def organisation(number: int, revision: int = 1, **fields: Any) -> OrganisationChanged:
    return EVENTS.organisation(f"org_{number}", **{"revision": revision, "name": f"Metal {number}", **fields})


def participant(number: int, revision: int = 1, **fields: Any) -> ParticipantChanged:
    defaults: dict[str, Any] = {
        "organisation_id": f"org_{number}",
        "name": f"Person {number}",
        "email": f"person{number}@example.org",
        "languages": (Language.ENGLISH,),
    }
    return EVENTS.participant(f"prt_{number}", revision=revision, **defaults | fields)


def encounter(slot: int, partner: int, *guests: int, table: str = "1", sequence: int = 1) -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.ENCOUNTER,
        entry_id=f"enc_{partner}",
        sequence=sequence,
        zone_id="zn_work",
        table=table,
        with_participant_id=f"prt_{partner}",
        with_organisation_id=f"org_{partner}",
        others=tuple(Party(participant_id=f"prt_{guest}", organisation_id=f"org_{guest}") for guest in guests),
        starts_at=OPENING + slot * QUARTER,
        ends_at=OPENING + (slot + 1) * QUARTER,
    )


def session(slot: int, title: str = "Keynote") -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.SESSION,
        entry_id=f"ses_{slot}",
        sequence=1,
        zone_id="zn_talk",
        title=title,
        starts_at=OPENING + slot * QUARTER,
        ends_at=OPENING + (slot + 2) * QUARTER,
    )


def agenda(revision: int, *entries: AgendaEntry, number: int = 0, provisional: bool = False) -> AgendaChanged:
    return AgendaChanged(
        **COMMON, revision=revision, participant_id=f"prt_{number}", provisional=provisional, entries=entries
    )


def everybody(count: int = 4) -> list[Event]:
    return [edition(), *map(organisation, range(count)), *map(participant, range(count))]


def audience(*events: Event) -> Audience:
    """Return the state after these events."""
    state = Audience(edition_id="edn_1")
    decide(state, events, NOW)
    return state


def rendered(
    *events: Event,
    entries: tuple[AgendaEntry, ...] = (),
    waiting: tuple[WaitingEncounter, ...] = (),
    before: MailContent | None = None,
    **settings: Any,
) -> RenderedMail:
    """Write the mail of participant 0 after these events, with `entries` and `waiting` as their agenda."""
    announced = agenda(3, *entries).model_copy(update={"waiting": waiting})
    state = audience(*everybody(), announced, *events)
    delivery = Delivery(operator_id="op_1", edition_id="edn_1", participant_id="prt_0", sent_content=before)
    content = mail_content(state, "prt_0")
    calendar = next_calendar(state, "prt_0", content, delivery.told_calendar, 2, NOW)
    mailing = Mailing(
        version=2, agenda_revision=3, message_id="<m@tertulia.example>", content=content, calendar=calendar
    )
    return MailWriter(Settings(**settings), lambda: NOW)(state, delivery, mailing)


def read(mail: RenderedMail) -> EmailMessage:
    """Parse a mail as a mail program does."""
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class Crash(Exception):
    """The process dies at this point."""


#: Fate of one mail: accepted (`None`), an error before DATA, or an error after DATA with the server's side of it:
#: "accepted" or "lost".
Plan = Exception | tuple[str, Exception] | None


@dataclass
class FakeMailer:
    """A mail server that accepts every mail, unless `plans` holds another fate for the next mails.

    `answer` gives the error for a recipient, `most_connections` is the number of connections allowed at once, and
    `tried` are the recipients of all attempts.
    """

    accepted: list[RenderedMail] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    away: bool = False
    answer: Callable[[str], Exception | None] = lambda _recipient: None
    most_connections: int = 100
    connections: int = 0
    tried: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeMailer]:
        """Open a connection."""
        if self.away or self.connections >= self.most_connections:
            raise MailServerUnavailable("nobody answers")
        self.connections += 1
        try:
            yield self
        finally:
            self.connections -= 1

    async def send(self, mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        """Accept a mail, or follow the next plan."""
        self.tried.append(mail.recipient)
        if error := self.answer(mail.recipient):
            raise error
        plan = self.plans.pop(0) if self.plans else None
        if isinstance(plan, Exception):
            raise plan
        await before_data()
        if plan is None or plan[0] == "accepted":
            self.accepted.append(mail)
        if plan:
            raise plan[1]

    def drop_after_data(self, outcome: str) -> None:
        """Break the next connection after DATA; the mail was "accepted" or "lost"."""
        self.plans.append((outcome, Unconfirmed("the connection was lost after DATA")))


class Stage:
    """Notify, assembled on servers that outlive it: `restart` loses all that the process has not stored."""

    def __init__(self, render: Render | None = None, **settings: Any) -> None:
        self._render = render
        self.settings = Settings(**settings)
        self.time = Time()
        self.servers = Servers()
        self.mailer = FakeMailer()
        self._offset = 0
        self.restart()

    def restart(self) -> None:
        """Start a new process on the same servers."""
        render = self._render or MailWriter(self.settings, self.time)
        wired = assemble(self.settings, self.servers.infrastructure(self.time), self.mailer, render)
        wired.relay.gather_seconds = 0
        self.runtime, self.relay = wired.runtime, wired.relay
        self.journal, self.ledger, self.notify = wired.journal, wired.ledger, wired.notify

    @property
    def published(self) -> list[NotificationRecorded]:
        """The published events, in order."""
        return [event for event in self.servers.published if isinstance(event, NotificationRecorded)]

    async def deliver_due(self) -> None:
        """Deliver the due mails, and wait until their events are published."""
        try:
            await self.notify.deliver_due()
        finally:
            await self.relay.drain()

    async def consume(self, *events: Event) -> None:
        """Have notify consume events as one batch."""
        await self.notify.consume("edn_1", self._inputs(events))

    async def after(self, seconds: float) -> list[EmailMessage]:
        """Let time pass, deliver the due mails, and return the mails that the server accepted."""
        self.time.advance(seconds)
        before = len(self.mailer.accepted)
        await self.deliver_due()
        return [read(mail) for mail in self.mailer.accepted[before:]]

    async def is_owed(self, participant_id: str) -> bool:
        """Return whether the ledger holds a delivery of a participant."""
        return await self.ledger.find("edn_1", participant_id) is not None

    def states(self) -> list[str]:
        """List the states that notify has published, in order."""
        return [event.state.value for event in self.published]

    def _inputs(self, events: Sequence[Event]) -> list[Input]:
        self._offset += len(events)
        return [Input(event, Position("topic", 0, self._offset + n)) for n, event in enumerate(events)]
