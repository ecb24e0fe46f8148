"""Wiring of notify."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette

from services.notify.aggregate import AudienceAggregate
from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain.changes import Change
from services.notify.domain.delivery import DeliveryWanted
from services.notify.domain.state import Audience
from services.notify.handlers import listen
from services.notify.ports import Ledger, Mailer, Relay, Render
from services.notify.rendering.header_guard import warn_of_open_library
from services.notify.rendering.mail import MailWriter
from services.notify.service import Notify
from services.notify.settings import Settings
from services.notify.smtp import SmtpMailer, SmtpServer
from services.notify.store import COLLECTION, LedgerOutlet, MongoLedger
from shared.app import Infrastructure, Runtime, make_app
from shared.messaging.broker import KafkaPublisher
from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.storage.journal import Journal
from shared.storage.journal_entry import JournalStore
from shared.storage.journal_store import MongoJournalStore
from shared.storage.outbox import OutboxRelay


def make(settings: Settings) -> Starlette:
    """Make the service with the drivers of production; it starts with its lifespan."""
    warn_of_open_library()
    infrastructure = Infrastructure.connect_to(settings)
    mailer, render = SmtpMailer(SmtpServer.of(settings)), MailWriter(settings, infrastructure.mongo.now)
    return make_app(assemble(settings, infrastructure, mailer, render))


def assemble(settings: Settings, infrastructure: Infrastructure, mailer: Mailer, render: Render) -> Runtime:
    """Wire the service; `render` writes the mails and `mailer` hands them over."""
    runtime = Runtime(settings, infrastructure)
    background, consumer = runtime.background, runtime.add_consumer()
    clock, database = infrastructure.mongo.now, infrastructure.mongo.database(settings.database)
    store, ledger = MongoJournalStore(database), MongoLedger(database, clock)
    relay = OutboxRelay(database[COLLECTION], KafkaPublisher(infrastructure.broker), clock)
    stores = Stores(store, ledger, relay)
    journal, notify = make_notify(settings, stores, mailer, render, clock, runtime.health)
    listen(consumer, notify)
    consumer.on_assignment(journal.evict_unowned)
    runtime.health.require("smtp", notify.check_mailer)
    background.every(settings.deliver_every_seconds, notify.deliver_due, "deliver")
    background.every(settings.sweep_seconds, journal.sweep, "journal_sweep")
    background.every(settings.sweep_seconds, relay.sweep, "outbox_sweep")
    background.every(settings.sweep_seconds, notify.measure, "measure")
    runtime.prepare += [store.prepare, ledger.prepare, relay.prepare]
    runtime.drain.append(relay.drain)
    return runtime


@dataclass(frozen=True)
class Stores:
    """Storage of notify: in MongoDB in production, in memory in component tests."""

    journal: JournalStore
    ledger: Ledger
    relay: Relay


def make_notify(
    settings: Settings, stores: Stores, mailer: Mailer, render: Render, clock: Clock, health: Health
) -> tuple[Journal[Audience, Change, DeliveryWanted], Notify]:
    """Wire the use cases on their stores; return them with their journal."""
    journal = Journal(
        AudienceAggregate(),
        stores.journal,
        LedgerOutlet(stores.ledger, settings.window),
        clock,
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
    )
    worker = DeliveryWorker(journal, stores.ledger, stores.relay, render, settings, clock, health)
    return journal, Notify(journal, stores.ledger, mailer, worker, settings)
