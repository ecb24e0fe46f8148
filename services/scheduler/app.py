"""Wiring of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from starlette.applications import Starlette

from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.api import routes_of
from services.scheduler.domain.changes import Change
from services.scheduler.domain.state import AgendaState
from services.scheduler.handlers import listen
from services.scheduler.improver import Improver, Pace
from services.scheduler.ports import Solver
from services.scheduler.remedy_seeker import RemedySeeker
from services.scheduler.service import Scheduler
from services.scheduler.settings import Settings
from services.scheduler.solver.pool import SolverPool
from shared.app import Infrastructure, Runtime, make_app
from shared.contract.events import Event
from shared.internal_api.server import internal_routes
from shared.messaging.broker import KafkaPublisher
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import MongoJournalStore


@dataclass(frozen=True)
class WiredScheduler:
    """The parts that `assemble` has wired. Production runs `runtime`; component tests call the use cases as well."""

    runtime: Runtime
    journal: Journal[AgendaState, Change, Event]
    scheduler: Scheduler


def make(settings: Settings) -> Starlette:
    """Make the service with the drivers and worker processes of production; it starts with its lifespan."""
    pool = SolverPool(settings.improve_workers, settings.improve_deadline_seconds)
    runtime = assemble(settings, Infrastructure.connect_to(settings), pool).runtime
    runtime.close.append(pool.stop)
    return make_app(runtime)


def assemble(settings: Settings, infrastructure: Infrastructure, solver: Solver) -> WiredScheduler:
    """Wire the service; `solver` improves editions. The caller stops the solver."""
    runtime = Runtime(settings, infrastructure)
    health, background, consumer = runtime.health, runtime.background, runtime.add_consumer()
    clock = infrastructure.mongo.now
    store = MongoJournalStore(infrastructure.mongo.database(settings.database))
    journal = Journal(
        AgendaAggregate(),
        store,
        KafkaOutlet(KafkaPublisher(infrastructure.broker)),
        clock,
        snapshot_every=settings.snapshot_every,
        editions_in_memory=settings.editions_in_memory,
        off_loop=True,
    )
    pace = Pace(settings.quiet_seconds, settings.announce_seconds, settings.change_budget, settings.effort)
    progress = partial(health.progress, "improve")
    remedies = RemedySeeker(journal, clock)
    improver = Improver(journal, solver, pace, remedies, clock, infrastructure.monotonic, progress)
    scheduler = Scheduler(journal, solver, improver, clock)
    listen(consumer, scheduler)
    consumer.on_assignment(journal.evict_unowned, improver.on_assignment)
    background.every(settings.improve_every_seconds, improver.improve_quiet_editions, "improve")
    background.every(settings.sweep_seconds, journal.sweep, "sweep")
    background.every(settings.sweep_seconds, journal.measure, "unsent")
    runtime.prepare.append(store.prepare)
    runtime.drain.append(improver.stop)
    runtime.routes += internal_routes(settings, routes_of(scheduler))
    return WiredScheduler(runtime, journal, scheduler)
