"""Notify, wired by hand."""

from __future__ import annotations

from starlette.applications import Starlette

from services.notify.delivery_worker import DeliveryWorker
from services.notify.handlers import listen
from services.notify.rendering.mail import MailWriter
from services.notify.service import AudienceAggregate, Notify
from services.notify.settings import Settings
from services.notify.smtp import Server, SmtpMailer
from services.notify.store import COLLECTION, LedgerOutlet, MongoLedger
from shared.app import Runtime, make_app
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.runtime.background import Background
from shared.runtime.health import Health
from shared.storage.journal import Journal
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from shared.storage.outbox import OutboxRelay


def make(settings: Settings) -> Starlette:
    """The whole service, not yet started."""
    broker, mongo = make_broker(settings), Mongo(settings)
    health = Health(settings.stall_seconds)
    background, consumer = Background(health), Consumer(broker, settings, health)
    database = mongo.database(settings.database)
    store, ledger = MongoJournalStore(database), MongoLedger(database, mongo.now)
    relay = OutboxRelay(database[COLLECTION], KafkaPublisher(broker), mongo.now)
    journal = Journal(
        AudienceAggregate(),
        store,
        LedgerOutlet(ledger, settings.window),
        mongo.now,
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
    )
    postman = DeliveryWorker(journal, ledger, relay, MailWriter(settings, mongo.now), settings, mongo.now, health)
    notify = Notify(journal, ledger, SmtpMailer(Server.of(settings)), postman, settings)
    listen(consumer, notify)
    consumer.on_assignment(journal.evict_unowned)
    health.require("smtp", notify.check_mailer)
    background.every(settings.deliver_every_seconds, notify.deliver_due, "deliver")
    background.every(settings.sweep_seconds, journal.sweep, "journal_sweep")
    background.every(settings.sweep_seconds, relay.sweep, "outbox_sweep")
    background.every(settings.sweep_seconds, notify.measure, "measure")
    runtime = Runtime(settings, broker, mongo, health, background, consumer)
    runtime.prepare = [store.prepare, ledger.prepare, relay.prepare]
    runtime.drain = [relay.drain]
    return make_app(runtime)
