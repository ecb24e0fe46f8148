"""The four services as they are wired in their `app.py`, over drivers in memory, on a clock that is handed in.

Nothing runs in a thread or another process, so that a run can be repeated step by step: matching decides on the loop,
and the scheduler's improvement is worked out on the spot and takes its time on the clock alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, cast

from faststream.kafka import KafkaBroker

from services.matching import handlers as matching_handlers
from services.matching.domain.decide import Matchmaker
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.service import Matching, MatchingAggregate
from services.matching.settings import Settings as MatchingSettings
from services.notify import handlers as notify_handlers
from services.notify.delivery_worker import DeliveryWorker
from services.notify.ports import Render
from services.notify.service import AudienceAggregate, Notify
from services.notify.settings import Settings as NotifySettings
from services.notify.store import COLLECTION, LedgerOutlet, MongoLedger, line_of
from services.registration.publishing import Publishing
from services.registration.service import OperatorService, expire_overdue
from services.registration.settings import Settings as RegistrationSettings
from services.registration.store import KINDS, MongoStore, collection_of
from services.scheduler import handlers as scheduler_handlers
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.improvement.problem import Problem, Solution
from services.scheduler.service import Pace, Scheduler
from services.scheduler.settings import Settings as SchedulerSettings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverFailed
from shared.app import Runtime
from shared.messaging.broker import KafkaPublisher
from shared.messaging.consumer import Consumer
from shared.runtime.background import Background
from shared.runtime.clock import Clock
from shared.runtime.health import Health
from shared.runtime.settings import ServiceSettings
from shared.storage.journal import Journal, KafkaOutlet, Outlet
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo
from shared.storage.outbox import OutboxRelay
from tests.simulation.kafka import InMemoryBroker, InMemoryKafka
from tests.simulation.mongo import Call, Database, InMemoryMongo
from tests.simulation.process import Process
from tests.simulation.smtp import InMemoryMailer, MailServer, Writer

OPERATOR = "op_1"
#: Shorter than in production, so that a run covers more of them.
_ALL: dict[str, Any] = {
    "batch_max_records": 40,
    "batch_every_ms": 20,
    "session_timeout_ms": 6000,
    "sweep_seconds": 11,
    "snapshot_every": 5,
    "editions_in_memory": 1,
    "shutdown_seconds": 5,
}
#: Read once: reading the environment for each process would take longer than the process lives.
_REGISTRATION = RegistrationSettings(**_ALL, expiry_seconds=20)
_MATCHING = MatchingSettings(**_ALL)
_SCHEDULER = SchedulerSettings(**_ALL, announce_seconds=15, improve_every_seconds=3)
_NOTIFY = NotifySettings(
    **_ALL,
    window_seconds=8,
    window_longest_seconds=20,
    smtp_timeout_seconds=2,
    lease_seconds=16,
    deliver_every_seconds=5,
)
_EFFORT = Effort(rounds=0, steps=20)
_SCORERS = [NgramScorer()]


@dataclass
class Outside:
    """All that outlives the processes."""

    kafka: InMemoryKafka
    mongo: InMemoryMongo
    mail_server: MailServer
    clock: Clock
    chance: random.Random
    render: Render


class Running:
    """A process with its service in it. `desk` is registration's."""

    def __init__(self, process: Process, outside: Outside) -> None:
        self.process = process
        self.broker = InMemoryBroker(outside.kafka, process)
        self.desk: Callable[[], OperatorService] = _no_desk
        self._outside = outside
        self._loop = asyncio.get_running_loop()
        self.health = Health(120, self._loop.time)
        self.background = Background(self.health)
        self.runtime: Runtime = getattr(self, f"_{process.service}")()

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """The service's life, from its start to its graceful end."""
        return self.runtime.lifespan()

    # -- the services, as their `app.py` wires them

    def _registration(self) -> Runtime:
        settings = _REGISTRATION
        database, clock = self._database(settings), self._outside.clock
        publisher = KafkaPublisher(self._kafka)
        relays = {kind: OutboxRelay(database[collection_of(kind)], publisher, clock) for kind in KINDS}
        publishing = Publishing(relays)
        store = MongoStore(cast("Any", database), publishing.soon, self._loop.time)

        async def expire() -> None:
            await expire_overdue(store, clock)

        runtime = self._runtime(settings)
        runtime.drain.append(publishing.drain)
        runtime.prepare += [store.prepare, publishing.prepare]
        self.background.every(settings.sweep_seconds, publishing.sweep, "outbox sweep")
        self.background.every(settings.expiry_seconds, expire, "request expiry")
        self.desk = lambda: OperatorService(store.of(OPERATOR), clock)
        return runtime

    def _matching(self) -> Runtime:
        settings = _MATCHING
        consumer = self._consumer(settings)
        store = MongoJournalStore(self._database(settings))
        outlet = KafkaOutlet(KafkaPublisher(self._kafka))
        journal = self._journal(MatchingAggregate(Matchmaker(_SCORERS)), store, outlet, settings)
        matching_handlers.listen(consumer, Matching(journal))
        consumer.on_assignment(journal.evict_unowned)
        self.background.every(settings.sweep_seconds, journal.sweep, "sweep")
        runtime = self._runtime(settings, consumer)
        runtime.prepare = [store.prepare]
        return runtime

    def _scheduler(self) -> Runtime:
        settings = _SCHEDULER
        consumer = self._consumer(settings)
        store = MongoJournalStore(self._database(settings))
        outlet = KafkaOutlet(KafkaPublisher(self._kafka))
        journal = self._journal(AgendaAggregate(), store, outlet, settings)
        pace = Pace(settings.quiet_seconds, settings.announce_seconds, settings.change_budget, _EFFORT)
        scheduler = Scheduler(journal, OnTheSpot(self.process), pace, self._outside.clock, self._loop.time)
        scheduler_handlers.listen(consumer, scheduler)
        consumer.on_assignment(journal.evict_unowned, scheduler.on_assignment)
        self.background.every(settings.improve_every_seconds, scheduler.improve_quiet_editions, "improve")
        self.background.every(settings.sweep_seconds, journal.sweep, "sweep")
        runtime = self._runtime(settings, consumer)
        runtime.prepare = [store.prepare]
        runtime.drain = [scheduler.stop]
        return runtime

    def _notify(self) -> Runtime:
        settings = _NOTIFY
        clock, database = self._outside.clock, self._database(settings)
        consumer = self._consumer(settings)
        store, ledger = MongoJournalStore(database), MongoLedger(database, clock)
        relay = OutboxRelay(cast("Any", database)[COLLECTION], KafkaPublisher(self._kafka), clock)
        journal = self._journal(AudienceAggregate(), store, LedgerOutlet(ledger, settings.window), settings)
        writer = Writer(self._outside.mail_server, self._outside.render)
        postman = DeliveryWorker(journal, ledger, relay, writer, settings, clock, self.health)
        mailer = InMemoryMailer(self._outside.mail_server, self.process, lambda: self._outside.chance.random() < 0.5)
        notify = Notify(journal, ledger, mailer, postman, settings)
        notify_handlers.listen(consumer, notify)
        consumer.on_assignment(journal.evict_unowned)
        self.background.every(settings.deliver_every_seconds, notify.deliver_due, "deliver")
        self.background.every(settings.sweep_seconds, journal.sweep, "journal_sweep")
        self.background.every(settings.sweep_seconds, relay.sweep, "outbox_sweep")
        runtime = self._runtime(settings, consumer)
        runtime.prepare = [store.prepare, ledger.prepare, relay.prepare]
        runtime.drain = [relay.drain]
        return runtime

    # -- what they have in common

    @property
    def _kafka(self) -> KafkaBroker:
        return cast("KafkaBroker", self.broker)

    def _database(self, settings: ServiceSettings) -> Database:
        return self._outside.mongo.database(settings.database, self.process, step_of)

    def _consumer(self, settings: ServiceSettings) -> Consumer:
        return Consumer(self._kafka, settings, self.health, self._loop.time)

    def _journal(self, aggregate: Any, store: MongoJournalStore, outlet: Outlet[Any], settings: ServiceSettings) -> Any:
        return Journal(
            aggregate,
            store,
            outlet,
            self._outside.clock,
            snapshot_every=settings.snapshot_every,
            editions_in_memory=settings.editions_in_memory,
        )

    def _runtime(self, settings: ServiceSettings, consumer: Consumer | None = None) -> Runtime:
        return Runtime(settings, self._kafka, cast("Mongo", _NoServer()), self.health, self.background, consumer)


class OnTheSpot:
    """Improves without a worker process; it can fail, and take its time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @contextlib.asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        """Nobody waits."""
        yield

    async def solve(self, problem: Problem, effort: Effort, within: float) -> Solution:
        from services.scheduler.solver.improve import improve  # noqa: PLC0415 - a worker's, and slow to import

        return await self._process.step("solve", lambda: improve(problem, effort), SolverFailed)


class _NoServer:
    """In the place of `Mongo`: there is no connection to look after."""

    async def ping(self) -> None:
        """It is there."""

    async def close(self) -> None:
        """Nothing is open."""


def _no_desk() -> OperatorService:
    raise AssertionError("only registration has a desk")


def step_of(call: Call) -> str:
    """The name of the step that a call of a driver is: the table is in `process`."""
    if call.collection in {"journal", "snapshots"}:
        return _journal_step(call)
    if call.name == "find" and "pending_since" in call.query:
        return "sweep"
    if call.name == "update_many":
        return "outbox: empty"
    if call.projection == {"outbox": 1}:
        return "outbox: read"
    if call.collection == COLLECTION:
        return _ledger_step(call)
    return "write" if call.name in {"insert_one", "update_one"} else "read"


def _journal_step(call: Call) -> str:
    if call.name == "insert_one":
        return "insert"
    if call.name == "update_one":
        return "mark" if call.collection == "journal" else "snapshot"
    return "sweep" if "published" in call.query else "load"


def _ledger_step(call: Call) -> str:
    """A write of a line is told by what it does to the claim, and to how far the mail is."""
    if call.name == "insert_one":
        return "want"
    if call.name != "update_one":
        return "mail: look"
    line, before = line_of(call.update["$set"]), line_of(call.before) if call.before else None
    if line.claim == (before and before.claim):
        return "mail: start" if before and line.step != before.step else "want"
    if line.claim:
        return "mail: take"
    return "mail: settle" if "$push" in call.update else "mail: postpone"
