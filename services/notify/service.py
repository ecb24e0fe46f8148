"""The use cases of notify: note what happened, and mail whoever must hear of it, once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain.audience import Audience, Change, DeliveryWanted
from services.notify.domain.decide import evolve, hear
from services.notify.domain.delivery import Delivery
from services.notify.ports import Ledger, Mailer, MailerAway
from services.notify.settings import Settings
from shared.contract.events import Event
from shared.messaging.consumer import Input
from shared.runtime.health import NotReady
from shared.runtime.metrics import DELIVERIES_UNCONFIRMED, DELIVERIES_WAITING
from shared.storage.journal import Decision, Journal


class AudienceAggregate:
    """The pure core of notify, as the journal wants it."""

    state_type = Audience
    change_type: TypeAdapter[Change] = TypeAdapter(Change)

    def empty(self, edition_id: str) -> Audience:
        """The state before the first event."""
        return Audience(edition_id=edition_id)

    def decide(self, state: Audience, events: Sequence[Event], now: datetime) -> Decision[Change, DeliveryWanted]:
        """Note what is newer, and want a delivery to everyone it gave something to hear."""
        changes, wanted = hear(state, events, now)
        return Decision(changes, wanted)

    def evolve(self, state: Audience, change: Change) -> None:
        """Apply a change."""
        evolve(state, change)


class Notify:
    """Notes what happened, and makes the deliveries that come of it."""

    def __init__(
        self,
        journal: Journal[Audience, Change, DeliveryWanted],
        ledger: Ledger,
        mailer: Mailer,
        postman: DeliveryWorker,
        settings: Settings,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._mailer = mailer
        self._postman = postman
        self._settings = settings
        self._away = ""

    async def take(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Note inputs of one edition; the journal asks the ledger for what is to be delivered."""
        await self._journal.decide(edition_id, inputs)

    async def deliver_due(self) -> None:
        """Deliver until nothing is due, several mails at a time.

        Raises:
            MailerAway: nothing can be delivered now; what was not handed over stays due.
        """
        while due := await self._ledger.due(self._settings.deliver_batch):
            queue = iter(due)
            workers = min(len(due), self._settings.smtp_connections)
            # All end before the first error is raised: nobody is cut off within DATA.
            outcomes = await asyncio.gather(*(self._work(queue) for _ in range(workers)), return_exceptions=True)
            errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            self._away = next((str(error) for error in errors if isinstance(error, MailerAway)), "")
            if errors:
                raise errors[0]

    async def measure(self) -> None:
        """Say how many mails are owed and how many are in doubt."""
        waiting, in_doubt = await self._ledger.count()
        DELIVERIES_WAITING.set(waiting)
        DELIVERIES_UNCONFIRMED.set(in_doubt)

    async def check_mailer(self) -> None:
        """Readiness: raise unless mails could be handed over when last tried."""
        if self._away:
            raise NotReady(self._away)

    async def _work(self, queue: Iterator[Delivery]) -> None:
        async with self._mailer.open() as line:
            for delivery in queue:
                await _to_the_end(self._postman.deliver(delivery, line))


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Let a mail in hand be finished before a stop takes effect: cut off within DATA it would be in doubt."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
