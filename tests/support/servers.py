"""Kafka and MongoDB in memory, as the infrastructure with which component tests call `assemble`."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import cast

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaBroker

from shared.app import Infrastructure
from shared.contract.cloudevents import decode, encode
from shared.contract.events import Event
from shared.contract.topics import DLQ_SUFFIX
from shared.runtime.clock import Clock, utc_now
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.mongo import InMemoryMongo, MongoClient
from tests.support.in_memory.process import Fault, Mode, Process


class RecordingKafka(InMemoryKafka):
    """Kafka in memory that also keeps the order of records across topics."""

    def __init__(self) -> None:
        super().__init__(partitions=1, start=time.time(), chance=random.Random(1))  # noqa: S311 - makes a run, not a secret
        self.appended: list[tuple[str, Iterable[tuple[str, bytes]], bytes | None]] = []

    def append(self, topic: str, key: bytes | None, headers: Iterable[tuple[str, bytes]], value: bytes | None) -> int:
        """Add a record and return its offset."""
        self.appended.append((topic, headers, value))
        return super().append(topic, key, headers, value)


class Servers:
    """Servers that outlive the processes which a test starts on them.

    A step is a call of a driver. Kafka's steps are `send`, `take`, `commit` and `dead-letter`; those of MongoDB are
    named `<collection>.<call>`, such as `snapshots.find_one`.
    """

    def __init__(self) -> None:
        self.kafka = RecordingKafka()
        self.mongo = InMemoryMongo()
        #: Number of steps so far, by name.
        self.steps: Counter[str] = Counter()
        #: Number of next steps that fail, by name.
        self.failing: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        self._published: list[Event] = []
        self._decoded = 0

    def infrastructure(self, clock: Clock = utc_now, monotonic: Callable[[], float] = time.monotonic) -> Infrastructure:
        """Return the drivers and the clocks of a new process."""
        process = Process("process", next(self._numbers), self, [])
        broker = cast("KafkaBroker", InMemoryBroker(self.kafka, process))
        return Infrastructure(broker, MongoClient(self.mongo, clock, process), monotonic)

    @property
    def published(self) -> list[Event]:
        """All events on all topics, in the order in which they were sent; dead letters are left out."""
        new, self._decoded = self.kafka.appended[self._decoded :], len(self.kafka.appended)
        self._published += [
            decode(tuple(headers), value) for topic, headers, value in new if value and not topic.endswith(DLQ_SUFFIX)
        ]
        return self._published

    def publish(self, *events: Event) -> None:
        """Put events on their topics, as another service does."""
        for event in events:
            record = encode(event)
            self.kafka.append(record.topic, record.key, record.headers, record.value)

    def records(self, topic: str) -> list[ConsumerRecord]:
        """Return the records of a topic."""
        return self.kafka.records(topic)

    def at(self, process: Process, step: str) -> Fault | None:
        """Return the planned fault of a step, and count the step."""
        self.steps[step] += 1
        if not self.failing[step]:
            return None
        self.failing[step] -= 1
        return Fault(Mode.ERROR)

    def latency(self) -> float:
        """Answer at once."""
        return 0.0
