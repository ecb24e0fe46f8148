"""Loss of all brokers: after their return, journalled messages are sent once, and open records handled once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

import pytest

from deploy.kafka.cluster import KafkaCluster
from services.scheduler.aggregate import AgendaAggregate
from shared.contract.events import EncounterChanged
from shared.contract.topics import AFFINITY, ENCOUNTER, REGISTRATION
from shared.messaging import topic_admin, topic_log
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input
from shared.runtime.health import Health
from shared.runtime.settings import ServiceSettings
from shared.storage.journal import Journal, KafkaOutlet
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.scheduler_editions import affinity, edition, people

pytestmark = [pytest.mark.kafka, pytest.mark.apache_kafka, pytest.mark.timeout(300)]
#: Longer than the limit of a request, so that requests in progress are given up and sent again.
_DOWN_SECONDS = 25.0


class Settings(ServiceSettings):
    service: ClassVar[str] = "cluster-down"


async def test_decisions_made_while_all_brokers_are_down_are_published_later(cluster: KafkaCluster) -> None:
    settings = Settings(kafka_bootstrap=cluster.bootstrap, kafka_partitions=1, session_timeout_ms=6000)
    await topic_admin.apply(settings)
    store, broker, health = InMemoryJournalStore(), make_broker(settings), Health(60)
    publisher = KafkaPublisher(broker)
    journal = Journal(AgendaAggregate(), store, KafkaOutlet(publisher))
    handled = asyncio.Event()

    async def handle(edition_id: str, inputs: Sequence[Input]) -> None:
        if any(received.event == last for received in inputs):
            handled.set()
            await cluster.kill("kafka-1")  # the entry is written, and no broker is left to publish it to
            asyncio.get_running_loop().call_later(_DOWN_SECONDS, lambda: asyncio.ensure_future(start()))
        await journal.decide(edition_id, inputs)

    async def start() -> None:
        await cluster.restart("kafka-1")

    consumer = Consumer(broker, settings, health)
    consumer.subscribe(REGISTRATION, AFFINITY, handler=handle)
    last = affinity("c", "d")
    await broker.start()
    try:
        await publisher.publish(edition(), *people("a", "b", "c", "d"), affinity("a", "b"))
        async with asyncio.timeout(60):
            while len(await store.entries("ed", after=0)) < 1:
                await asyncio.sleep(0.1)
        await publisher.publish(last)
        async with asyncio.timeout(180):
            await handled.wait()
            while not all(entry.published for entry in await store.entries("ed", after=0)):
                await asyncio.sleep(0.2)
    finally:
        await consumer.stop()
        await broker.stop()
    encounters = (await topic_log.read(settings, (ENCOUNTER,))).of("ed")
    placed = {encounter.participant_ids: encounter.revision for encounter in encounters.newest(EncounterChanged)}
    assert placed == {("a", "b"): 1, ("c", "d"): 1}
