"""Ownership of editions: a process owns the editions whose records come to it."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import ClassVar, cast

from faststream.kafka import KafkaBroker

from shared.contract.topics import AFFINITY, REGISTRATION
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input, Owns
from shared.runtime.health import Health
from shared.runtime.settings import PARTITIONS, ServiceSettings
from tests.simulation.faults import NoFaults
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.process import Process
from tests.support.waiting import wait_until

EDITIONS = [f"edn_{number}" for number in range(100)]


class Settings(ServiceSettings):
    service: ClassVar[str] = "shared"


class GroupMember:
    """A consumer of a group, and the editions that it owned after every assignment."""

    def __init__(self, kafka: InMemoryKafka) -> None:
        self.assignments: list[set[str]] = []
        self.broker = InMemoryBroker(kafka, Process("any", 1, NoFaults(kafka.chance), []))
        consumer = Consumer(cast("KafkaBroker", self.broker), Settings(), Health(60))
        consumer.subscribe(REGISTRATION, AFFINITY, handler=self.handle)
        consumer.on_assignment(self.note)

    async def handle(self, edition_id: str, inputs: Sequence[Input]) -> None:
        raise AssertionError("no record was sent")

    def note(self, owns: Owns) -> None:
        self.assignments.append({edition for edition in EDITIONS if owns(edition)})

    async def editions(self, assignment: int) -> set[str]:
        """Return the editions of an assignment, counted from 1, once it was made."""
        await wait_until(lambda: len(self.assignments) >= assignment)
        return self.assignments[assignment - 1]


async def test_each_rebalance_tells_each_process_which_editions_it_owns() -> None:
    kafka = InMemoryKafka(PARTITIONS, time.time(), random.Random(1))  # noqa: S311 - makes a run, not a secret
    first, second = GroupMember(kafka), GroupMember(kafka)
    await first.broker.start()
    assert await first.editions(1) == set(EDITIONS)
    await second.broker.start()
    shares = [await first.editions(2), await second.editions(1)]
    assert shares[0] | shares[1] == set(EDITIONS)
    assert not shares[0] & shares[1]
    assert min(map(len, shares)) > 20
    await second.broker.stop()
    assert await first.editions(3) == set(EDITIONS)
    assert len(first.assignments) == 3
    await first.broker.stop()
