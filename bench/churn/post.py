"""Notify in memory, and the post between it and the mailboxes: mails are lost, doubled and reordered by seed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from pydantic import SecretStr

from services.notify.aggregate import AudienceAggregate
from services.notify.delivery_worker import DeliveryWorker
from services.notify.feed.memory_store import InMemoryFeeds
from services.notify.feed.service import CalendarFeed
from services.notify.ports import RenderedMail
from services.notify.rendering.addresses import PublicAddresses
from services.notify.rendering.mail import MailWriter
from services.notify.service import Notify
from services.notify.settings import Settings
from services.notify.store import InMemoryLedger, LedgerOutlet
from shared.contract.events import Event
from shared.messaging.inputs import Input, Position
from shared.runtime.health import Health
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore

#: Weights of a mail that is lost, that comes once, and that comes twice; most later mails that overtake a mail.
_LOST_WHOLE_DOUBLED, _LATEST = (1, 8, 1), 6


@dataclass
class Letterbox:
    """A mail server that keeps the accepted mails, in order."""

    mails: list[RenderedMail] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Letterbox]:
        """Open a connection."""
        yield self

    async def send(self, mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        """Accept a mail."""
        await before_data()
        self.mails.append(mail)


class NotifyInMemory:
    """The service of notify on stores in memory, with a clock that the benchmark moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        settings = Settings(
            smtp_connections=1,
            public_url="https://agenda.example.org",
            link_secret=SecretStr("a secret of no edition " * 2),
        )
        self.letterbox, ledger = Letterbox(), InMemoryLedger(self._clock)
        self.journal = Journal(
            AudienceAggregate(), InMemoryJournalStore(), LedgerOutlet(ledger, settings.window), self._clock
        )
        writer = MailWriter(settings, self._clock)
        worker = DeliveryWorker(self.journal, ledger, ledger, writer, settings, self._clock, Health(1e9))
        self.addresses = PublicAddresses(settings)
        self.feed = CalendarFeed(self.journal, InMemoryFeeds(), writer.feed, writer.page, self._clock)
        self._notify = Notify(self.journal, ledger, self.letterbox, worker, settings, self._clock)
        self._offset = 0

    async def consume(self, edition_id: str, events: Sequence[Event]) -> None:
        """Hand events over, as a batch."""
        self._offset += len(events)
        inputs = [Input(event, Position("churn", 0, self._offset + number)) for number, event in enumerate(events)]
        await self._notify.consume(edition_id, inputs)

    async def wait(self, seconds: float) -> list[RenderedMail]:
        """Let time pass, deliver the due mails, and return the mails accepted meanwhile."""
        self.now += timedelta(seconds=seconds)
        before = len(self.letterbox.mails)
        await self._notify.deliver_due()
        return self.letterbox.mails[before:]

    def _clock(self) -> datetime:
        return self.now


def posted(count: int, random: Random) -> list[int]:
    """Return the order in which `count` mails arrive: a tenth is lost, a tenth comes twice, a third comes late.

    A number is the place of a mail in the order of sending.
    """
    arrivals: list[tuple[float, int]] = []
    for number in range(count):
        (times,) = random.choices((0, 1, 2), weights=_LOST_WHOLE_DOUBLED)
        arrivals += [(number + random.choice((0, 0, 1)) * random.uniform(0, _LATEST), number) for _ in range(times)]
    return [number for _, number in sorted(arrivals)]
