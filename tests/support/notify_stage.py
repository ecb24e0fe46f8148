"""An edition to tell of, a mail server that does as it is told, and notify between them."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain.audience import Audience
from services.notify.domain.decide import hear
from services.notify.ports import InDoubt, Letter, MailerAway, Render
from services.notify.rendering.mail import MailWriter
from services.notify.service import AudienceAggregate, Notify
from services.notify.settings import Settings
from services.notify.store import InMemoryLedger, LedgerOutlet
from shared.contract.events import (
    AgendaChanged,
    AgendaEntry,
    EditionChanged,
    EntryKind,
    Event,
    Language,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Party,
    Phase,
    Status,
    Zone,
    ZoneKind,
)
from shared.messaging.consumer import Input, Position
from shared.runtime.health import Health
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
DOORS = datetime(2026, 11, 26, 8, tzinfo=UTC)
COMMON: dict[str, Any] = {"operator_id": "op_1", "edition_id": "edn_1", "occurred_at": NOW}
QUARTER = timedelta(minutes=15)


def edition(revision: int = 1, **fields: Any) -> EditionChanged:
    given: dict[str, Any] = {
        "name": "Encuentro B2B 2018",
        "timezone": "Europe/Madrid",
        "phase": Phase.PUBLISHED,
        "slots": (),
        "zones": (
            Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name="Workspace", tables=("1", "2")),
            Zone(zone_id="zn_talk", kind=ZoneKind.CONFERENCE, name="Auditorium"),
        ),
    }
    return EditionChanged(**COMMON, revision=revision, **given | fields)


def organisation(number: int, revision: int = 1, **fields: Any) -> OrganisationChanged:
    given = {"name": f"Metal {number}", "kind": OrganisationKind.SME, "country": "ES"}
    return OrganisationChanged(**COMMON, revision=revision, organisation_id=f"org_{number}", **given | fields)


def participant(number: int, revision: int = 1, **fields: Any) -> ParticipantChanged:
    given: dict[str, Any] = {
        "organisation_id": f"org_{number}",
        "name": f"Person {number}",
        "email": f"person{number}@example.org",
        "languages": (Language.ENGLISH,),
        "status": Status.ACTIVE,
    }
    return ParticipantChanged(**COMMON, revision=revision, participant_id=f"prt_{number}", **given | fields)


def encounter(slot: int, other: int, *guests: int, table: str = "1", sequence: int = 1) -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.ENCOUNTER,
        entry_id=f"enc_{other}",
        sequence=sequence,
        zone_id="zn_work",
        table=table,
        with_participant_id=f"prt_{other}",
        with_organisation_id=f"org_{other}",
        others=tuple(Party(participant_id=f"prt_{each}", organisation_id=f"org_{each}") for each in guests),
        starts_at=DOORS + slot * QUARTER,
        ends_at=DOORS + (slot + 1) * QUARTER,
    )


def session(slot: int, title: str = "Keynote") -> AgendaEntry:
    return AgendaEntry(
        kind=EntryKind.SESSION,
        entry_id=f"ses_{slot}",
        sequence=1,
        zone_id="zn_talk",
        title=title,
        starts_at=DOORS + slot * QUARTER,
        ends_at=DOORS + (slot + 2) * QUARTER,
    )


def agenda(revision: int, *entries: AgendaEntry, number: int = 0, provisional: bool = False) -> AgendaChanged:
    return AgendaChanged(
        **COMMON, revision=revision, participant_id=f"prt_{number}", provisional=provisional, entries=entries
    )


def everybody(count: int = 4) -> list[Event]:
    return [edition(), *map(organisation, range(count)), *map(participant, range(count))]


def audience(*events: Event) -> Audience:
    """The state after these events."""
    state = Audience(edition_id="edn_1")
    hear(state, events, NOW)
    return state


def read(letter: Letter) -> EmailMessage:
    """The mail as its reader sees it."""
    message = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


class Time:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Crash(Exception):
    """The process dies here."""


@dataclass
class FakeMailer:
    """Takes every letter, unless it is told what to do with the next ones."""

    taken: list[Letter] = field(default_factory=list)
    #: For each next letter: an error before DATA, or after it ("lost" or "taken": whether the server had it).
    plans: list[Exception | tuple[str, Exception] | None] = field(default_factory=list)
    away: bool = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[FakeMailer]:
        if self.away:
            raise MailerAway("nobody answers")
        yield self

    async def send(self, letter: Letter, before_data: Callable[[], Awaitable[None]]) -> None:
        plan = self.plans.pop(0) if self.plans else None
        if isinstance(plan, Exception):
            raise plan
        await before_data()
        if plan is None or plan[0] == "taken":
            self.taken.append(letter)
        if plan:
            raise plan[1]

    def drop_after_data(self, what: str) -> None:
        self.plans.append((what, InDoubt("the connection was lost after DATA")))


class Stage:
    """Notify with stores that outlive it: `restart` loses all that was in memory only."""

    def __init__(self, render: Render | None = None, **settings: Any) -> None:
        self._render = render
        self.settings = Settings(**settings)
        self.time = Time()
        self.ledger = InMemoryLedger(self.time)
        self.journals = InMemoryJournalStore()
        self.mailer = FakeMailer()
        self._offset = 0
        self.restart()

    def restart(self) -> None:
        outlet = LedgerOutlet(self.ledger, self.settings.window)
        self.journal = Journal(AudienceAggregate(), self.journals, outlet, self.time)
        writer = self._render or MailWriter(self.settings, self.time)
        postman = DeliveryWorker(self.journal, self.ledger, self.ledger, writer, self.settings, self.time, Health(60))
        self.notify = Notify(self.journal, self.ledger, self.mailer, postman, self.settings)

    async def hear(self, *events: Event) -> None:
        await self.notify.take("edn_1", self._inputs(events))

    async def after(self, seconds: float) -> list[EmailMessage]:
        """Let time pass and what is due be delivered; the mails that the server took."""
        self.time.pass_(seconds)
        before = len(self.mailer.taken)
        await self.notify.deliver_due()
        return [read(letter) for letter in self.mailer.taken[before:]]

    def states(self) -> list[str]:
        return [event.state.value for event in self.ledger.sent]

    def _inputs(self, events: Sequence[Event]) -> list[Input]:
        self._offset += len(events)
        return [Input(event, Position("topic", 0, self._offset + n)) for n, event in enumerate(events)]
