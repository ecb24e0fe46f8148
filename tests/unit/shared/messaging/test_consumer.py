"""Which editions a process has: those whose records come to it."""

from __future__ import annotations

import asyncio
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
from tests.simulation.kafka import InMemoryBroker, InMemoryKafka
from tests.simulation.process import Process

EDITIONS = [f"edn_{number}" for number in range(100)]


class Settings(ServiceSettings):
    service: ClassVar[str] = "shared"


class Member:
    """A process of a group."""

    def __init__(self, kafka: InMemoryKafka) -> None:
        self.owns: list[Owns] = []
        self.broker = InMemoryBroker(kafka, Process("any", 1, NoFaults(kafka.chance), []))
        consumer = Consumer(cast("KafkaBroker", self.broker), Settings(), Health(60))
        consumer.subscribe(REGISTRATION, AFFINITY, handler=self.hear)
        consumer.on_assignment(self.owns.append)

    async def hear(self, edition_id: str, inputs: Sequence[Input]) -> None:
        raise AssertionError("nothing is said")

    @property
    def editions(self) -> set[str]:
        return {edition for edition in EDITIONS if self.owns[-1](edition)}


async def test_each_process_is_told_its_share_and_again_when_it_changes() -> None:
    kafka = InMemoryKafka(PARTITIONS, time.time(), random.Random(1))  # noqa: S311 - makes a run, not a secret
    one, other = Member(kafka), Member(kafka)
    await one.broker.start()
    await asyncio.sleep(0.01)
    assert one.editions == set(EDITIONS)
    await other.broker.start()
    await asyncio.sleep(0.01)
    assert one.editions | other.editions == set(EDITIONS)
    assert not one.editions & other.editions
    assert min(len(one.editions), len(other.editions)) > 20
    await other.broker.stop()
    await asyncio.sleep(0.01)
    assert one.editions == set(EDITIONS)
    assert len(one.owns) == 3
    await one.broker.stop()
