"""Wiring of webhooks within the events service."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.routing import BaseRoute

from services.events.ports import FeedStore
from services.events.service import ChangeFeeds
from services.events.settings import Settings
from services.events.webhooks.client import WebhookClient
from services.events.webhooks.intake import Intake
from services.events.webhooks.internal_api import webhook_routes
from services.events.webhooks.runner import RunnerSettings, WebhookRunner
from services.events.webhooks.sender import Poster, Sender
from services.events.webhooks.service import Webhooks
from services.events.webhooks.store import MongoDeliveries, MongoEndpoints
from shared.app import Runtime
from shared.runtime.metrics import WEBHOOK_OPEN

_COUNT_SECONDS = 5.0


@dataclass(frozen=True)
class WiredWebhooks:
    """The parts of webhooks that tests reach."""

    webhooks: Webhooks
    runner: WebhookRunner
    endpoints: MongoEndpoints
    deliveries: MongoDeliveries
    routes: list[BaseRoute]

    async def count_open(self) -> None:
        """Count the open deliveries for the metrics."""
        WEBHOOK_OPEN.set(await self.deliveries.count_open())


def add_webhooks(
    runtime: Runtime,
    settings: Settings,
    feeds: ChangeFeeds,
    feed_store: FeedStore,
    poster: Poster | None = None,
) -> WiredWebhooks:
    """Add webhooks to the events service. Tests pass a poster of their own."""
    mongo = runtime.infrastructure.mongo
    database, clock = mongo.database(settings.database), mongo.now
    endpoints, deliveries = MongoEndpoints(database), MongoDeliveries(database)
    sender = Sender(poster or _client_of(settings), clock, settings.webhook_kept)
    intake = Intake(feeds, feed_store, deliveries, clock)
    limits = RunnerSettings(
        at_once=settings.webhook_at_once,
        all_at_once=settings.webhook_all_at_once,
        lease=settings.webhook_lease,
        longest_try=settings.webhook_longest_try,
        dead_after=settings.webhook_dead_after,
    )
    runner = WebhookRunner(endpoints, deliveries, feed_store, intake, sender, clock, limits)
    webhooks = Webhooks(endpoints, deliveries, intake, sender, settings.webhook_rules, clock)

    wired = WiredWebhooks(webhooks, runner, endpoints, deliveries, webhook_routes(webhooks))
    runtime.prepare += [endpoints.prepare, deliveries.prepare]
    runtime.background.every(settings.feed_look_seconds, runner.look, "webhooks")
    runtime.background.every(_COUNT_SECONDS, wired.count_open, "webhook count")
    runtime.drain.append(runner.stop)
    return wired


def _client_of(settings: Settings) -> WebhookClient:
    return WebhookClient(
        settings.webhook_rules,
        connect_seconds=settings.webhook_connect_seconds,
        answer_seconds=settings.webhook_answer_seconds,
        ca_file=None if settings.webhook_ca_file is None else str(settings.webhook_ca_file),
    )
