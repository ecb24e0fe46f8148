"""Wiring of the events service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.applications import Starlette

from services.events.handlers import listen
from services.events.internal_api import routes_of
from services.events.service import ChangeFeeds
from services.events.settings import Settings
from services.events.store import MongoFeed
from services.events.watch import FeedWatch
from services.events.webhooks.sender import Poster
from services.events.webhooks.wiring import WiredWebhooks, add_webhooks
from shared.app import Infrastructure, Runtime, make_app
from shared.internal_api.server import internal_routes

_FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class WiredEvents:
    """The parts that `assemble` has wired. Production runs `runtime`; component tests read the feeds as well."""

    runtime: Runtime
    feeds: ChangeFeeds
    watch: FeedWatch
    webhooks: WiredWebhooks


def make(settings: Settings) -> Starlette:
    """Make the service with the drivers of production; it starts with its lifespan."""
    return make_app(assemble(settings, Infrastructure.connect_to(settings)).runtime)


def assemble(settings: Settings, infrastructure: Infrastructure, poster: Poster | None = None) -> WiredEvents:
    """Wire the service. Tests pass a poster that sends webhooks to receivers of theirs."""
    runtime = Runtime(settings, infrastructure)
    store = MongoFeed(infrastructure.mongo.database(settings.database))
    kept = timedelta(days=settings.feed_kept_days)
    feeds = ChangeFeeds(store, settings.editions_in_memory, kept, infrastructure.mongo.now)
    watch = FeedWatch(store)
    listen(runtime.add_consumer(), feeds)
    runtime.background.every(settings.feed_look_seconds, watch.look, "feed_watch")
    runtime.background.every(_FORGET_SECONDS, feeds.forget_closed, "feeds_forgotten")
    runtime.prepare.append(store.prepare)
    webhooks = add_webhooks(runtime, settings, feeds, store, poster)
    runtime.routes += internal_routes(settings, [*routes_of(feeds, watch), *webhooks.routes])
    return WiredEvents(runtime, feeds, watch, webhooks)
