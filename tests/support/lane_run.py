"""A consumer group on the broker in memory, in virtual time, with a witness of its promises."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker
from pymongo.errors import AutoReconnect

from shared.contract.cloudevents import encode
from shared.contract.topics import DLQ_SUFFIX, MATCH_REQUEST, group_of
from shared.messaging.consumer import Consumer
from shared.messaging.dead_letters import DeadLetterOrigin
from shared.messaging.inputs import Input, Poison
from shared.runtime.health import Health
from shared.runtime.settings import ServiceSettings
from tests.simulation.faults import NoFaults
from tests.support.events import EventBuilder
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.process import Process

TOPIC = MATCH_REQUEST.name
Place = tuple[int, int]


class LaneSettings(ServiceSettings):
    """Bounds so small that a few records reach all of them."""

    service: ClassVar[str] = "lanes"
    batch_max_records: int = 2
    batch_every_ms: int = 0
    open_records: int = 4
    lanes_at_work: int = 2
    dead_letter_attempts: int = 2
    dead_letter_budget: int = 2
    session_timeout_ms: int = 6000
    shutdown_seconds: float = 5


@dataclass(frozen=True)
class Sent:
    """A record, and what its handling is like.

    `kind` is "fine", "poison", "bug" or "undecodable". `away` is the number of transient errors before.
    """

    edition: str
    kind: str = "fine"
    seconds: float = 0.0
    away: int = 0


@dataclass
class Witness:
    """Notes what the group handles and commits, and every broken promise."""

    kafka: InMemoryKafka
    sent: dict[Place, Sent] = field(default_factory=dict)
    handled: set[Place] = field(default_factory=set)
    away: dict[Place, int] = field(default_factory=dict)
    finished_at: dict[Place, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def ended(self) -> set[Place]:
        """The records that were handled, or are dead letters."""
        letters = self.kafka.records(TOPIC + DLQ_SUFFIX)
        origins = [origin for letter in letters if (origin := DeadLetterOrigin.of(letter))]
        return self.handled | {(origin.partition, origin.offset) for origin in origins}

    async def handle(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Handle a batch as its records are drawn."""
        places = [(received.position.partition, received.position.offset) for received in inputs]
        self._check_order(edition_id, places)
        await asyncio.sleep(max(self.sent[place].seconds for place in places))
        for place, received in zip(places, inputs, strict=True):
            self._fail(place, received)
        for place in places:
            self.handled.add(place)
            self.finished_at.setdefault(place, asyncio.get_running_loop().time())

    def _fail(self, place: Place, received: Input) -> None:
        sent = self.sent[place]
        if self.away.get(place, 0) < sent.away:
            self.away[place] = self.away.get(place, 0) + 1
            raise AutoReconnect("the database is away")
        if sent.kind == "poison":
            raise Poison(received.event, "on purpose")
        if sent.kind == "bug":
            raise KeyError("on purpose")

    def _check_order(self, edition_id: str, places: list[Place]) -> None:
        """Check that all earlier records of the edition have ended, or stand before them in the batch."""
        ended = self.ended
        for number, place in enumerate(places):
            earlier = {p for p, sent in self.sent.items() if sent.edition == edition_id and p < place}
            if missing := earlier - ended - set(places[:number]):
                self.broken.append(f"{place} of {edition_id} was handled before {sorted(missing)}")

    def watch_commits(self) -> None:
        """Check the commits of the group."""
        group = self.kafka.group(group_of(LaneSettings.service))
        commit = group.commit

        def checked(member: Any, offsets: dict[TopicPartition, int]) -> None:
            commit(member, offsets)
            unfinished = self.sent.keys() - self.ended
            for place, offset in offsets.items():
                if passed := [p for p in unfinished if p[0] == place.partition and p[1] < offset]:
                    self.broken.append(f"{offset} was committed before {sorted(passed)} had ended")

        group.commit = checked  # type: ignore[method-assign] # watched


class LaneRun:
    """Processes of a service in a consumer group. Call it within a virtual loop."""

    def __init__(self, seed: int, partitions: int = 2, **settings: Any) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - makes a run, not a secret
        self.kafka = InMemoryKafka(partitions, 0.0, self._chance)
        self.witness = Witness(self.kafka)
        self.witness.watch_commits()
        self.settings = LaneSettings(**settings)
        self.processes: list[tuple[Process, Consumer, InMemoryBroker]] = []
        self._numbers: defaultdict[str, int] = defaultdict(int)

    async def start(self) -> Consumer:
        """Start a process."""
        process = Process("lanes", len(self.processes) + 1, NoFaults(self._chance), [])
        broker = InMemoryBroker(self.kafka, process)
        consumer = Consumer(cast("KafkaBroker", broker), self.settings, Health(600), asyncio.get_running_loop().time)
        consumer.subscribe(MATCH_REQUEST, handler=self.witness.handle)
        self.processes.append((process, consumer, broker))
        await broker.start()
        return consumer

    async def stop(self, number: int) -> None:
        """Stop a process, as by SIGTERM."""
        _, consumer, broker = self.processes[number]
        await consumer.stop()
        await broker.stop()

    def kill(self, number: int) -> None:
        """Kill a process, as by SIGKILL."""
        self.processes[number][0].die()

    def rebalance(self) -> None:
        """Rebalance the group."""
        self.kafka.group(group_of(LaneSettings.service)).rebalance()

    def send(self, sent: Sent) -> Place:
        """Send a record. The first letter of an edition names its operator."""
        self._numbers[sent.edition] += 1
        events = EventBuilder(sent.edition[:1], sent.edition, datetime(2026, 11, 26, tzinfo=UTC))
        record = encode(events.request(f"r{self._numbers[sent.edition]}", "prt_1", "prt_2"))
        value = b"\xff" if sent.kind == "undecodable" else record.value
        self.kafka.append(record.topic, record.key, record.headers, value)
        last = max(
            (found for found in self.kafka.records(TOPIC) if found.key == record.key), key=lambda found: found.offset
        )
        place = last.partition, last.offset
        self.witness.sent[place] = sent
        return place

    async def until_committed(self, seconds: float) -> bool:
        """Wait until all records are committed; return False if they are not after so many seconds."""
        group = self.kafka.group(group_of(LaneSettings.service))
        end = asyncio.get_running_loop().time() + seconds
        while group.lag() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(5)
        return not group.lag()
