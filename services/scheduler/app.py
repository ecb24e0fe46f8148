"""The scheduler, wired by hand."""

from __future__ import annotations

from starlette.applications import Starlette

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.api import routes_of
from services.scheduler.handlers import listen
from services.scheduler.service import Pace, Scheduler
from services.scheduler.settings import Settings
from services.scheduler.solver.pool import SolverPool
from shared.app import Runtime, make_app
from shared.internal_api.server import internal_routes
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.runtime.background import Background
from shared.runtime.health import Health
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo


def make(settings: Settings) -> Starlette:
    """The whole service, not yet started."""
    broker, mongo = make_broker(settings), Mongo(settings)
    health = Health(settings.stall_seconds)
    background, consumer = Background(health), Consumer(broker, settings, health)
    store = MongoJournalStore(mongo.database(settings.database))
    journal = Journal(
        AgendaAggregate(),
        store,
        KafkaOutlet(KafkaPublisher(broker)),
        mongo.now,
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
    )
    pool = SolverPool(settings.improve_workers, settings.improve_deadline_seconds)
    pace = Pace(settings.quiet_seconds, settings.announce_seconds, settings.change_budget, settings.effort)
    scheduler = Scheduler(journal, pool, pace, mongo.now, progress=lambda: health.progress("improve"))
    listen(consumer, scheduler)
    consumer.on_assignment(journal.evict_unowned, scheduler.on_assignment)
    background.every(settings.improve_every_seconds, scheduler.improve_quiet_editions, "improve")
    background.every(settings.sweep_seconds, journal.sweep, "sweep")
    runtime = Runtime(settings, broker, mongo, health, background, consumer)
    runtime.prepare = [store.prepare]
    runtime.drain = [scheduler.stop]
    runtime.close = [pool.stop]
    return make_app(runtime, internal_routes(settings, routes_of(scheduler)))
