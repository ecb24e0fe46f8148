"""Wiring of notify."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette

from services.notify.aggregate import AudienceAggregate
from services.notify.api import public_routes
from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain.changes import Change
from services.notify.domain.delivery import DeliveryWanted
from services.notify.domain.state import Audience
from services.notify.feed.service import CalendarFeed
from services.notify.feed.store import MongoFeeds
from services.notify.handlers import listen
from services.notify.internal_api import routes_of
from services.notify.ports import Mailer, Render
from services.notify.rendering.addresses import PublicAddresses
from services.notify.rendering.header_guard import warn_of_open_library
from services.notify.rendering.link_mail import LinkMailWriter
from services.notify.rendering.mail import MailWriter
from services.notify.service import Notify
from services.notify.settings import Settings
from services.notify.smtp import SmtpMailer, SmtpServer
from services.notify.store import COLLECTION, LedgerOutlet, MongoLedger
from services.notify.texts import AudienceTexts
from shared.app import Infrastructure, Runtime, make_app
from shared.internal_api.server import internal_routes
from shared.messaging.broker import KafkaPublisher
from shared.storage.journal import Journal
from shared.storage.journal_store import MongoJournalStore
from shared.storage.outbox import OutboxRelay
from shared.storage.people import MongoPeople, People


@dataclass(frozen=True)
class WiredNotify:
    """The parts that `assemble` has wired. Production runs `runtime`; component tests call the use cases as well."""

    runtime: Runtime
    journal: Journal[Audience, Change, DeliveryWanted]
    ledger: MongoLedger
    relay: OutboxRelay
    notify: Notify


def make(settings: Settings) -> Starlette:
    """Make the service with the drivers of production; it starts with its lifespan."""
    warn_of_open_library()
    infrastructure = Infrastructure.connect_to(settings)
    mailer, render = SmtpMailer(SmtpServer.of(settings)), MailWriter(settings, infrastructure.mongo.now)
    return make_app(assemble(settings, infrastructure, mailer, render).runtime)


def assemble(settings: Settings, infrastructure: Infrastructure, mailer: Mailer, render: Render) -> WiredNotify:
    """Wire the service; `render` writes the mails and `mailer` hands them over."""
    runtime = Runtime(settings, infrastructure)
    background, consumer = runtime.background, runtime.add_consumer()
    clock, database = infrastructure.mongo.now, infrastructure.mongo.database(settings.database)
    store, ledger, texts = MongoJournalStore(database), MongoLedger(database, clock), MongoPeople(database)
    relay = OutboxRelay(database[COLLECTION], KafkaPublisher(infrastructure.broker), clock)
    journal = Journal(
        AudienceAggregate(),
        store,
        LedgerOutlet(ledger, settings.window),
        clock,
        people=People(texts, AudienceTexts()),
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
    )
    worker = DeliveryWorker(journal, ledger, relay, render, settings, clock, runtime.health)
    notify = Notify(journal, ledger, mailer, worker, settings, clock)
    pages = MailWriter(settings, clock)
    feed = CalendarFeed(journal, MongoFeeds(database), pages.feed, pages.page, clock)
    if settings.public_url:
        runtime.routes += public_routes(feed, PublicAddresses(settings))
    runtime.routes += internal_routes(settings, routes_of(ledger, mailer, LinkMailWriter(settings, clock).write))
    listen(consumer, notify)
    consumer.on_assignment(journal.evict_unowned)
    runtime.health.require("smtp", notify.check_mailer)
    background.every(settings.deliver_every_seconds, notify.deliver_due, "deliver")
    background.every(settings.sweep_seconds, journal.sweep, "journal_sweep")
    background.every(settings.sweep_seconds, relay.sweep, "outbox_sweep")
    background.every(settings.sweep_seconds, notify.measure, "measure")
    background.every(settings.sweep_seconds, journal.measure, "journal_unsent")
    background.every(settings.sweep_seconds, relay.measure, "outbox_unsent")
    background.every(settings.sweep_seconds, feed.forget_old, "feed_answers")
    runtime.prepare += [store.prepare, texts.prepare, ledger.prepare, relay.prepare]
    runtime.drain.append(relay.drain)
    return WiredNotify(runtime, journal, ledger, relay, notify)
