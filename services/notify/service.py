"""The use cases of notify: record events, and deliver the mails that they cause."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import timedelta
from typing import Any

from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain.changes import Change
from services.notify.domain.delivery import Delivery, DeliveryWanted
from services.notify.domain.state import Audience
from services.notify.ports import Ledger, Mailer, MailServerUnavailable
from services.notify.settings import Settings
from shared.messaging.inputs import Input
from shared.runtime.clock import Clock
from shared.runtime.health import NotReady
from shared.runtime.metrics import (
    DELIVERIES_OLDEST_SECONDS,
    DELIVERIES_OVERDUE_SECONDS,
    DELIVERIES_UNCONFIRMED,
    DELIVERIES_WAITING,
)
from shared.storage.journal import Journal


class Notify:
    """Records events in the journal, and delivers due mails."""

    def __init__(
        self,
        journal: Journal[Audience, Change, DeliveryWanted],
        ledger: Ledger,
        mailer: Mailer,
        worker: DeliveryWorker,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._ledger = ledger
        self._mailer = mailer
        self._worker = worker
        self._settings = settings
        self._clock = clock
        self._connections = settings.smtp_connections
        #: Whether the last round could hand no mail over.
        self._is_mailer_away = False

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Record inputs of an edition. The journal writes the deliveries wanted into the ledger."""
        await self._journal.decide(edition_id, inputs)

    async def deliver_due(self) -> None:
        """Deliver until nothing is due, several mails at a time.

        Raises:
            MailServerUnavailable: no mail can be delivered now; the mails not handed over stay due.
        """
        while due := await self._ledger.due(self._settings.deliver_batch):
            queue = iter(due)
            workers = min(len(due), self._connections)
            # Every worker ends before the first error is raised: a mail within DATA is not cut off.
            outcomes = await asyncio.gather(*(self._work(queue) for _ in range(workers)), return_exceptions=True)
            errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
            away = [error for error in errors if isinstance(error, MailServerUnavailable)]
            self._is_mailer_away = len(away) == workers
            # A server that allows fewer connections gets fewer; after each good round it is asked for one more.
            working = workers - len(away)
            self._connections = max(1, working) if away else min(self._connections + 1, self._settings.smtp_connections)
            defects = [error for error in errors if error not in away]
            if defects or self._is_mailer_away:
                raise (defects or away)[0]

    async def measure(self) -> None:
        """Set the gauges of owed and unconfirmed mails."""
        waiting, unconfirmed = await self._ledger.count()
        since = await self._ledger.oldest()
        if not waiting:
            self._is_mailer_away = False  # Another process has sent all: nothing waits for the mail server.
        age = self._clock() - since if since else timedelta(0)
        DELIVERIES_OLDEST_SECONDS.set(age.total_seconds())
        DELIVERIES_OVERDUE_SECONDS.set(max(0.0, (age - self._settings.window.longest).total_seconds()))
        DELIVERIES_WAITING.set(waiting)
        DELIVERIES_UNCONFIRMED.set(unconfirmed)

    async def check_mailer(self) -> None:
        """Readiness check: raise `NotReady` if the mail server was unavailable at the last attempt."""
        if self._is_mailer_away:
            raise NotReady("no mail could be handed over at the last attempt")

    async def _work(self, queue: Iterator[Delivery]) -> None:
        async with self._mailer.open() as connection:
            for delivery in queue:
                await _to_the_end(self._worker.deliver(delivery, connection))


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Finish the mail in progress before a cancellation takes effect: cut off within DATA it would be unconfirmed."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
