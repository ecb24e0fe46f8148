"""The work on webhooks: this process leases endpoints, reads their feeds, and sends due messages.

An endpoint is served by a single process at a time, so that the messages of a thing stay in order. Endpoints share
nothing: an endpoint that hangs holds its own few requests only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from services.events.ports import FeedStore, operator_key
from services.events.webhooks.endpoint import GONE
from services.events.webhooks.intake import Intake, Pages
from services.events.webhooks.line import DeliveryLine, EndpointPace, OpenDelivery, opened_of
from services.events.webhooks.sender import Sender, TriedDelivery
from services.events.webhooks.served import Served
from services.events.webhooks.store import MongoDeliveries, MongoEndpoints
from shared.contract.ids import new_id
from shared.internal_api.webhooks import WebhookDeliveryState
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger
from shared.runtime.metrics import WEBHOOKS_DISABLED, WEBHOOKS_FAILING
from shared.runtime.retry import is_transient, waits
from shared.storage.mongo import EVER

_log = get_logger(__name__)
#: Open deliveries of an endpoint in memory. More stay in the feed and in the database.
MOST_IN_LINE: Final = 2000
#: Deliveries in a line that are kept with their bodies, so that a short line is sent without another read.
_WHOLE_IN_LINE: Final = 20
#: Endpoints that a process leases in a round: processes that start together share them.
_LEASED_AT_ONCE: Final = 20
#: Feeds that are read at once.
_READ_AT_ONCE: Final = 8
_REFRESH: Final = timedelta(seconds=1)
#: A feed is read at least so often: the head of a feed may be behind its items after a crash.
_READ_EVERY: Final = timedelta(seconds=10)
#: A lease must last longer than a try by this much.
_MARGIN: Final = timedelta(seconds=2)
_LEAVE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class RunnerSettings:
    """Limits of the work on webhooks."""

    at_once: int
    all_at_once: int
    lease: timedelta
    longest_try: timedelta
    dead_after: timedelta


class WebhookRunner:
    """Serves the endpoints that this process has leased."""

    def __init__(
        self,
        endpoints: MongoEndpoints,
        deliveries: MongoDeliveries,
        feeds: FeedStore,
        intake: Intake,
        sender: Sender,
        clock: Clock,
        settings: RunnerSettings,
    ) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._feeds = feeds
        self._intake = intake
        self._sender = sender
        self._clock = clock
        self._settings = settings
        self._owner = new_id("prc")
        self._served: dict[str, Served] = {}
        self._leased_until = self._refreshed_at = EVER
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Tell whether no request is in progress."""
        return not self._sending

    async def look(self) -> None:
        """Renew the leases, read the feeds that have grown, and send the messages that are due."""
        if self._clock() - self._refreshed_at >= _REFRESH:
            await self._refresh()
        await self._read_feeds()

    async def stop(self) -> None:
        """Finish the requests in progress, for five seconds at most, and release the leases."""
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=_LEAVE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for served in self._served.values():
            if served.is_unwritten:
                await self._endpoints.note(served.endpoint, self._owner)
        self._served = {}
        await self._endpoints.release(self._owner)

    async def _refresh(self) -> None:
        """Renew and take leases; read the endpoints anew, which registration's requests change."""
        now = self._clock()
        until = now + self._settings.lease
        await self._endpoints.renew_leases(self._owner, until)
        await self._endpoints.take_leases(self._owner, now, until, _LEASED_AT_ONCE)
        found = {endpoint.webhook_id: endpoint for endpoint in await self._endpoints.leased(self._owner)}
        self._leased_until, self._refreshed_at = until, now
        for webhook_id in self._served.keys() - found.keys():
            del self._served[webhook_id]
        for webhook_id, endpoint in found.items():
            served = self._served.get(webhook_id)
            if served is None:
                self._served[webhook_id] = Served(endpoint, EndpointPace(self._settings.at_once))
            else:
                served.read_anew(endpoint)
        for served in self._served.values():
            await self._write_down(served)
        WEBHOOKS_FAILING.set(sum(served.endpoint.failing_since is not None for served in self._served.values()))

    async def _write_down(self, served: Served) -> None:
        """Write the outcomes of tries; disable an endpoint that wants no messages or has been dead for days."""
        if served.is_unwritten:
            served.is_unwritten = not await self._endpoints.note(served.endpoint, self._owner)
        endpoint, now = served.endpoint, self._clock()
        failing_for = now - (endpoint.failing_since or now)
        if endpoint.is_disabled or not (served.is_gone or failing_for >= self._settings.dead_after):
            return
        days = self._settings.dead_after / timedelta(days=1)
        reason = GONE if served.is_gone else f"no message was delivered for {days:g} days"
        disabled = endpoint.model_copy(
            update={"disabled_reason": reason, "disabled_at": now, "revision": endpoint.revision + 1}
        )
        if await self._endpoints.replace(disabled):
            served.endpoint, served.is_gone = disabled, False
            WEBHOOKS_DISABLED.labels(reason="gone" if reason == GONE else "dead").inc()
            _log.warning("webhook_disabled", webhook=endpoint.webhook_id, operator=endpoint.operator_id, reason=reason)

    async def _read_feeds(self) -> None:
        working = [served for served in self._served.values() if not served.endpoint.is_disabled]
        if not working:
            return
        numbers = await self._feeds.numbers(sorted({operator_key(served.endpoint.operator_id) for served in working}))
        at_once, pages = asyncio.Semaphore(_READ_AT_ONCE), Pages()

        async def read(served: Served) -> None:
            async with at_once:
                await self._read_feed(served, numbers.get(operator_key(served.endpoint.operator_id), 0), pages)

        outcomes = await asyncio.gather(*map(read, working), return_exceptions=True)
        for served, outcome in zip(working, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                if not isinstance(outcome, Exception) or is_transient(outcome):
                    raise outcome
                _log.error("webhook_not_served", webhook=served.endpoint.webhook_id, error=outcome)

    async def _read_feed(self, served: Served, number: int, pages: Pages) -> None:
        """Read the open deliveries if they are not in memory, and the feed if it has grown; send due messages."""
        if (served.is_stale or (served.is_partial and not len(served.line))) and not served.line.busy:
            await self._load(served)
        is_due = number != served.seen or self._clock() - served.read_at >= _READ_EVERY
        if is_due and not served.is_stale and len(served.line) < MOST_IN_LINE:
            await self._take_in(served, number, pages)
        self._send_due(served)

    async def _load(self, served: Served) -> None:
        """Read the open deliveries of an endpoint, the oldest first."""
        found = await self._deliveries.open_of(served.endpoint.webhook_id, MOST_IN_LINE + 1)
        line = DeliveryLine()
        for delivery in found[:MOST_IN_LINE]:
            line.add(delivery)
        served.line, served.is_stale, served.is_partial = line, False, len(found) > MOST_IN_LINE

    async def _take_in(self, served: Served, number: int, pages: Pages) -> None:
        """Read a page of the feed. If an error comes in between, the line is read from the database again."""
        served.is_stale = True
        taken = await self._intake.take_in(served.endpoint, pages)
        moved = {"read_to": taken.endpoint.read_to, "generation": taken.endpoint.generation}
        served.endpoint = served.endpoint.model_copy(update=moved)
        if not await self._endpoints.note(served.endpoint, self._owner):
            return
        served.is_stale = False
        if not served.is_partial:
            for delivery in taken.deliveries:
                is_soon = len(served.line) < _WHOLE_IN_LINE
                served.line.add(opened_of(delivery, with_body=is_soon))
        served.read_at = self._clock()
        served.seen = -1 if taken.goes_on else number

    def _send_due(self, served: Served) -> None:
        """Begin to send due messages, within the limits of the endpoint and of the process."""
        now = self._clock()
        if served.endpoint.is_disabled or served.is_stale or served.is_gone:
            return
        if self._leased_until - now < self._settings.longest_try + _MARGIN:
            return
        while (
            served.pace.room(served.line.busy, now)
            and len(self._sending) < self._settings.all_at_once
            and (delivery := served.line.take(now))
        ):
            task = asyncio.create_task(self._deliver(served, delivery))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _deliver(self, served: Served, opened: OpenDelivery) -> None:
        line = served.line
        try:
            delivery = opened.whole or await self._deliveries.find(served.endpoint.webhook_id, opened.message_id)
            if delivery is None or delivery.state is not WebhookDeliveryState.OPEN:
                # The endpoint was deleted, or this process had lost its lease for a while.
                line.settle(opened, self._clock())
                return
            tried = await self._sender.send(served.endpoint, delivery)
            await self._save(tried)
        except Exception as error:  # noqa: BLE001 - the database is away: the message is sent again, under the same id
            _log.warning("webhook_not_recorded", webhook=served.endpoint.webhook_id, error=error)
            line.postpone(opened, self._clock() + timedelta(seconds=5))
            return
        served.note(opened, tried, self._clock())
        self._send_due(served)

    async def _save(self, tried: TriedDelivery) -> None:
        """Write the outcome of a try, for as long as the lease lasts."""
        pauses = waits()
        while True:
            try:
                await self._deliveries.save(tried.delivery)
            except Exception as error:
                if not is_transient(error) or self._clock() >= self._leased_until:
                    raise
                await asyncio.sleep(next(pauses))
            else:
                return
