"""The four services, wired by their own `assemble` with drivers in memory and a virtual clock.

Nothing runs in a thread or another process, so that a run can be repeated step by step: the loop of the simulation runs
the work of threads itself, and an improvement of the scheduler takes its time on the virtual clock alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, cast

from faststream.kafka import KafkaBroker

from services.matching import app as matching
from services.matching.domain.text.blend import Blend, Calibration
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders import use_encoder
from services.matching.observatory.leiden import communities
from services.matching.profile_help import ProfileHelp
from services.matching.settings import Settings as MatchingSettings
from services.matching.vocabulary import labels, vocabulary
from services.notify import app as notify
from services.notify.domain.delivery import Delivery
from services.notify.ports import Render
from services.notify.settings import Settings as NotifySettings
from services.notify.store import COLLECTION, delivery_of
from services.registration import app as registration
from services.registration.api.access import ApiContext
from services.registration.internal_clients import no_clients
from services.registration.service import OperatorService
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler import app as scheduler
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.settings import Settings as SchedulerSettings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.pool import SolverFailed
from shared.app import Infrastructure, Runtime
from shared.runtime.clock import Clock
from tests.simulation.smtp import InMemoryMailer, MailServer, Writer
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.mongo import Call, InMemoryMongo, MongoClient
from tests.support.in_memory.process import Process

OPERATOR = "op_1"
#: Intervals are shorter than in production, so that a run covers more of them.
_ALL: dict[str, Any] = {
    "batch_max_records": 40,
    "batch_every_ms": 20,
    "session_timeout_ms": 6000,
    "sweep_seconds": 11,
    "snapshot_every": 5,
    "editions_in_memory": 1,
    "shutdown_seconds": 5,
}
#: Read once: reading the environment takes longer than the life of a process.
_REGISTRATION = RegistrationSettings(**_ALL, expiry_seconds=20)
_MATCHING = MatchingSettings(**_ALL, refine_seconds=4)
_SCHEDULER = SchedulerSettings(**_ALL, announce_seconds=15, improve_every_seconds=3, improve_rounds=0, improve_steps=20)
_NOTIFY = NotifySettings(
    **_ALL,
    window_seconds=8,
    window_longest_seconds=20,
    smtp_timeout_seconds=2,
    smtp_data_seconds=14,
    lease_seconds=16,
    deliver_every_seconds=5,
)
#: Both tiers of matching are n-grams. The quality tier is calibrated otherwise, so that it changes some scores.
_MODELS = matching.Models(
    scorers=[NgramScorer()],
    default=NgramScorer(),
    quality=Blend("ngrams-2", [(1.0, NgramScorer(64))], Calibration(0.0, 0.2)),
    helper=ProfileHelp(use_encoder, vocabulary),
    communities=communities,
    labels=labels,
)


@dataclass
class Environment:
    """Servers, clock and random numbers, which outlive the processes."""

    kafka: InMemoryKafka
    mongo: InMemoryMongo
    mail_server: MailServer
    clock: Clock
    chance: random.Random
    render: Render


class RunningService:
    """A process and the service in it."""

    def __init__(self, process: Process, outside: Environment) -> None:
        self.process = process
        self._outside = outside
        self._context: ApiContext | None = None
        broker = InMemoryBroker(outside.kafka, process)
        mongo = MongoClient(outside.mongo, outside.clock, process, step_of)
        self._infrastructure = Infrastructure(cast("KafkaBroker", broker), mongo, asyncio.get_running_loop().time)
        self.runtime = self._assemble()

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Run the service from its start to its graceful end."""
        return self.runtime.lifespan()

    def operator_service(self) -> OperatorService:
        """Return the use cases of registration, for the operator of the simulation."""
        assert self._context is not None, "only registration serves operators"
        return OperatorService(self._context.store.of(OPERATOR), self._context.clock)

    def _assemble(self) -> Runtime:
        outside, infrastructure = self._outside, self._infrastructure
        match self.process.service:
            case "registration":
                wired = registration.assemble(_REGISTRATION, infrastructure, no_clients())
                self._context = wired.context
                return wired.runtime
            case "matching":
                return matching.assemble(_MATCHING, infrastructure, _MODELS).runtime
            case "scheduler":
                return scheduler.assemble(_SCHEDULER, infrastructure, InlineSolver(self.process)).runtime
            case _:
                mailer = InMemoryMailer(outside.mail_server, self.process, lambda: outside.chance.random() < 0.5)
                writer = Writer(outside.mail_server, outside.render)
                return notify.assemble(_NOTIFY, infrastructure, mailer, writer).runtime


class InlineSolver:
    """Improves on the event loop; it can fail, and take virtual time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @contextlib.asynccontextmanager
    async def turn(self, operator_id: str, within: float) -> AsyncIterator[None]:
        """Give a turn at once."""
        yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        from services.scheduler.solver.improve import improve  # noqa: PLC0415 - slow to import, and used by few runs

        return await self._process.step("solve", lambda: improve(problem, effort), SolverFailed)


def step_of(call: Call) -> str:
    """Return the name of the step for a call of the Mongo driver: see the table in `in_memory/process.py`."""
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
    return "write" if call.name in {"insert_one", "insert_many", "update_one", "delete"} else "read"


def _journal_step(call: Call) -> str:
    if call.name == "insert_one":
        return "insert"
    if call.name == "update_one":
        return "mark" if call.collection == "journal" else "snapshot"
    return "sweep" if "published" in call.query else "load"


def _token(line: Delivery | None) -> str | None:
    """Return the token of the claim: its lease grows at the start of a mail."""
    return line.claim.token if line and line.claim else None


def _ledger_step(call: Call) -> str:
    """Name a write to the ledger by the change to the claim and to the step of the mail."""
    if call.name == "insert_one":
        return "want"
    if call.name != "update_one":
        return "mail: look"
    line, before = delivery_of(call.update["$set"]), delivery_of(call.before) if call.before else None
    if _token(line) == _token(before):
        return "mail: start" if before and line.step != before.step else "want"
    if line.claim:
        return "mail: take"
    return "mail: settle" if "$push" in call.update else "mail: postpone"
