"""A run: four services in one process on a virtual clock, a load, faults, quiet, and the audit."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from services.notify import deliveries
from services.notify.ports import Render
from services.notify.store import MongoLedger
from services.registration.service import OperatorService
from shared.contract.cloudevents import encode
from shared.contract.events import AffinityScored, Consent
from shared.contract.topics import REGISTRATION
from shared.runtime.settings import PARTITIONS
from tests.simulation.audit import Audit
from tests.simulation.client import AcknowledgedWrites, Client
from tests.simulation.contents import ServerContents
from tests.simulation.faults import NoFaults, Seeded
from tests.simulation.load import LARGE, SMALL, Load, Scale
from tests.simulation.loop import NothingToDo, quietly, run_virtually
from tests.simulation.services import OPERATOR, Environment, RunningService
from tests.simulation.smtp import MailServer, plain
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.in_memory.process import Faults, Process

_CONSUMERS = ("tertulia-matching", "tertulia-scheduler", "tertulia-notify")
SERVICES = ("registration", "matching", "scheduler", "notify")
START = datetime(2026, 11, 20, 8, tzinfo=UTC)
#: Virtual seconds: from the last planned write to the end of the faults, from the start to the last answer of a client,
#: and from the end of the faults to quiet.
_FAULTS_GO_ON = 14.0
QUIET_SECONDS = 900.0
_LATEST_LOAD = 600.0
_LOOK_SECONDS = 4.0
#: Number of processes of each service.
_INSTANCES = 2


class FaultPlan(Faults, Protocol):
    """Faults of a run, which are counted and end some time."""

    counts: Counter[str]

    def end(self) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """Result of a run. `history` lists all steps of all processes: time, process, step, and result or fault."""

    violations: list[str]
    history: list[tuple[float, str, str, str]]
    faults: Counter[str]
    mails: int
    records: int
    seconds: float

    @property
    def digest(self) -> str:
        """Hash of the history: equal for runs with the same steps in the same order."""
        return hashlib.sha256(repr(self.history).encode()).hexdigest()


class World:
    """All servers and processes of a run."""

    def __init__(self, chance: random.Random, plan: FaultPlan, render: Render, scale: Scale) -> None:
        self._loop = asyncio.get_running_loop()
        self._chance, self._plan, self._scale = chance, plan, scale
        self._calm_at = scale.within + _FAULTS_GO_ON
        self._history: list[tuple[float, str, str, str]] = []
        mongo, mail_server = InMemoryMongo(), MailServer()
        self.kafka = InMemoryKafka(PARTITIONS, START.timestamp(), chance)
        self.outside = Environment(self.kafka, mongo, mail_server, self.clock, chance, render)
        self.written = AcknowledgedWrites()
        self.contents = ServerContents(mongo, self.kafka, mail_server)
        self.processes: list[Process] = []
        self._running: dict[Process, tuple[RunningService, asyncio.Event]] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._planted: set[tuple[str, str, int, int]] = set()
        self._loop.set_exception_handler(self._on_unhandled)
        self._load = Load(Client(self._service, chance, self.written), chance, scale)

    def clock(self) -> datetime:
        """Return the virtual time to the millisecond, like `shared.runtime.clock.utc_now`."""
        return START + timedelta(milliseconds=int(self._loop.time() * 1000))

    async def run(self) -> Outcome:
        """Run load and faults, wait until all is quiet, then audit."""
        for _ in range(_INSTANCES):
            for service in SERVICES:
                self._start(service)
        self._plan_disasters()
        violations = await self._to_the_end()
        seconds = self._loop.time()
        for process in self.processes:
            process.is_over = True
        records = sum(map(len, self.kafka.logs.values()))
        mails = len(self.contents.mails)
        return Outcome(violations, self._history, self._plan.counts, mails, records, seconds)

    async def _to_the_end(self) -> list[str]:
        load = asyncio.create_task(self._load.run())
        await asyncio.wait([load], timeout=_LATEST_LOAD)
        if not load.done():
            return ["clients got no answer"]
        load.result()
        await asyncio.sleep(max(0.0, self._calm_at - self._loop.time()))
        self._calm()
        await self._until_quiet()
        if await self._resolve_unconfirmed():
            await self._until_quiet()
        return Audit(self.contents, self.written, self._planted).violations()

    def _calm(self) -> None:
        """End the faults, and rebalance the groups with lag: records of a lost commit are then read again."""
        self._plan.end()
        self._rebalance_lagging()

    def _rebalance_lagging(self) -> None:
        for group in self.kafka.groups.values():
            if group.lag():
                group.rebalance()

    async def _until_quiet(self) -> None:
        for moment in range(int(QUIET_SECONDS / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            # A commit lost at the very end is repeated after the next batch or the next rebalance.
            if moment % 10 == 9:
                self._rebalance_lagging()
            frozen = [process for process in self.processes if not (process.answers or process.is_dead)]
            if not frozen and not any(True for _ in self.contents.unfinished(self.written.editions)):
                return

    async def _resolve_unconfirmed(self) -> int:
        """Resolve unconfirmed mails as an operator does, from the mail server's log; return their number."""
        ledger = MongoLedger(self.outside.mongo.database("tertulia_notify"), self.clock)
        doubts = await deliveries.unconfirmed(ledger)
        taken = {mailing.message_id for _, mailing in self.contents.mails}
        for line in doubts:
            assert line.unconfirmed is not None
            was_taken = line.unconfirmed.message_id in taken
            finding = deliveries.Finding.TAKEN if was_taken else deliveries.Finding.NOT_TAKEN
            await deliveries.resolve(ledger, line.edition_id, line.participant_id, finding, self.clock)
        return len(doubts)

    # -- processes

    def _start(self, service: str) -> None:
        number = sum(process.service == service for process in self.processes) + 1
        process = Process(service, number, self._plan, self._history)
        self.processes.append(process)
        process.stopped_answering.append(lambda: self._replace(process))
        running, stop = RunningService(process, self.outside), asyncio.Event()
        self._running[process] = (running, stop)
        life = asyncio.create_task(self._live(running, stop))
        self._lives.add(life)

    async def _live(self, running: RunningService, stop: asyncio.Event) -> None:
        try:
            async with running.lifespan():
                await stop.wait()
        except Exception as error:  # noqa: BLE001 - a service that ends by an error is a defect, whatever it is
            self.written.defects.append(f"{running.process.name} ended by {error!r}")
        if stop.is_set():
            del self._running[running.process]
            running.process.is_dead = True
            self._start(running.process.service)

    def _replace(self, process: Process) -> None:
        """Start a new process some time after the death of this one."""
        if process.is_dead:
            self._running.pop(process, None)
            self._loop.call_later(self._chance.uniform(0.3, 8.0), self._start, process.service)

    def _on_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.written.defects.append(f"nothing handles {context.get('exception') or context['message']!r}")

    def _service(self) -> OperatorService | None:
        """A service of a process that lives, as a load balancer finds it: it does not see that one is frozen."""
        serving = [running for process, (running, _) in self._running.items() if process.service == "registration"]
        return self._chance.choice(serving).operator_service() if serving else None

    # -- disasters beside the faults of single steps

    def _plan_disasters(self) -> None:
        if self._scale.is_plain:
            self._loop.call_later(2.0, self._plant)
        if not isinstance(self._plan, Seeded):
            return
        for _ in range(self._chance.choice((0, 1, 3, 6))):
            self._loop.call_later(self._chance.uniform(1, self._calm_at - 4), self._disaster)
        for _ in range(self._chance.choice((0, 0, 1, 3))):
            self._loop.call_later(self._chance.uniform(1, self._calm_at - 4), self._plant)

    def _disaster(self) -> None:
        assert isinstance(self._plan, Seeded)
        chance = self._chance
        what = chance.choice(("kill", "stop", "freeze", "rewind", "rebalance", "outage"))
        self._plan.counts[f"world: {what}"] += 1
        self._history.append((round(self._loop.time(), 4), "world", what, ""))
        process = chance.choice(list(self._running))
        group = chance.choice(list(self.kafka.groups.values()))
        match what:
            case "kill":
                process.die()
            case "stop":
                self._running[process][1].set()
            case "freeze":
                process.freeze(chance.choice((2.0, 12.0, 30.0)))
            case "rewind":
                for place, offset in group.committed.items():
                    group.committed[place] = chance.randint(0, offset)
                group.rebalance()
            case "rebalance":
                group.rebalance()
            case "outage":
                server, now = chance.choice(("kafka", "mongo", "smtp")), self._loop.time()
                self._plan.outages.append((now, now + chance.uniform(2, 25), server))

    def _plant(self) -> None:
        """Plant a record that is no event, or an event that can never be processed."""
        if not self.written.editions:
            return
        edition_id = self._chance.choice(self.written.editions)
        self._plan.counts["world: poison"] += 1
        if self._scale.is_plain or self._chance.random() < 0.5:
            key = f"{edition_id}/participant/prt_x".encode()
            self._note_planted(REGISTRATION.name, key, [("ce_type", b"org.tertulia.x")], b"\xff", _CONSUMERS)
            return
        forged = encode(_forged(edition_id, self.clock()))
        self._note_planted(forged.topic, forged.key, forged.headers, forged.value, ("tertulia-scheduler",))

    def _note_planted(self, topic: str, key: bytes, headers: Any, value: bytes, groups: tuple[str, ...]) -> None:
        offset = self.kafka.append(topic, key, headers, value)
        record = next(r for r in self.kafka.records(topic) if r.offset == offset and r.key == key and r.value == value)
        self._planted |= {(group, topic, record.partition, offset) for group in groups}


def _forged(edition_id: str, now: datetime) -> AffinityScored:
    """Return an affinity with the pair id of other participants."""
    return AffinityScored.model_validate(
        {
            "operator_id": OPERATOR,
            "edition_id": edition_id,
            "revision": 1,
            "occurred_at": now,
            "pair_id": "pair_forged",
            "participant_ids": ("prt_a", "prt_b"),
            "consent": Consent.REFUSED,
            "request_ids": (),
            "score": 0.5,
            "priority": 2,
            "origin": "requested",
        }
    )


def run(
    make_plan: Callable[[random.Random], FaultPlan],
    seed: int,
    *,
    scale: Scale | None = None,
    render: Render = plain,
) -> Outcome:
    """Run a seed; the scale is drawn from it too if it is not given."""

    async def main() -> Outcome:
        chance = random.Random(seed)  # noqa: S311 - makes a run, not a secret
        drawn = scale or chance.choice((SMALL, SMALL, LARGE))
        return await World(chance, make_plan(chance), render, drawn).run()

    with quietly(seed):
        try:
            return run_virtually(main)
        except NothingToDo:
            return Outcome(["all processes wait for ever"], [], Counter(), 0, 0, 0.0)


def run_seed(seed: int) -> Outcome:
    """Run a seed with its faults."""
    return run(Seeded, seed)


def run_in_peace(seed: int, render: Render = plain) -> Outcome:
    """Run a seed without faults."""
    return run(NoFaults, seed, render=render)
