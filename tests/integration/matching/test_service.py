"""The whole service, in a process of its own, on a real broker and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from deploy.embedded.probes import free_ports
from deploy.embedded.programs import service
from shared.contract import ids
from shared.contract.cloudevents import decode
from shared.contract.events import AffinityScored, Consent, Event
from shared.contract.topics import AFFINITY, REGISTRATION
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.runtime.settings import ConnectionSettings

pytestmark = pytest.mark.kafka


@pytest.fixture
async def connection(
    kafka_bootstrap: str, kafka_idempotence: bool, mongo_url: str, mongo_database: str, launch: Callable[..., None]
) -> ConnectionSettings:
    settings = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
    await topic_admin.apply(settings)
    environment = {
        "TERTULIA_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "TERTULIA_KAFKA_IDEMPOTENCE": str(kafka_idempotence),
        "TERTULIA_MONGO_URL": mongo_url,
        "TERTULIA_MONGO_DATABASE": mongo_database,
        "TERTULIA_INTERNAL_TOKEN": "t0ken",
    }
    await asyncio.to_thread(launch, service("matching", free_ports(1)[0], environment))
    return settings


@pytest.fixture
async def publisher(connection: ConnectionSettings) -> AsyncIterator[KafkaPublisher]:
    broker = make_broker(connection)
    await broker.start()
    yield KafkaPublisher(broker)
    await broker.stop()


@pytest.fixture
async def affinities(connection: ConnectionSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        AFFINITY.name, bootstrap_servers=connection.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    yield consumer
    await consumer.stop()


async def said(affinities: AIOKafkaConsumer, edition_id: str, count: int) -> list[AffinityScored]:
    found: list[AffinityScored] = []
    async with asyncio.timeout(60):
        async for record in affinities:
            event = decode(record.headers, record.value)
            if isinstance(event, AffinityScored) and event.edition_id == edition_id:
                found.append(event)
            if len(found) == count:
                return found
    return found


async def test_registrations_and_requests_become_affinities_on_kafka(
    scene: Any, connection: ConnectionSettings, publisher: KafkaPublisher, affinities: AIOKafkaConsumer
) -> None:
    edition_id = ids.new_id("edn")

    def of_edition(event: Event) -> Event:
        return event.model_copy(update={"edition_id": edition_id})

    broker = make_broker(connection)
    await broker.start()
    await broker.publish(b"no event", topic=REGISTRATION.name, key=edition_id.encode())
    await broker.stop()
    await publisher.publish(
        of_edition(scene.request("r1", "ann", "bob")),
        of_edition(scene.organisation("org_ann")),
        of_edition(scene.organisation("org_bob", kind="technology_centre")),
        of_edition(scene.participant("ann", needs=("Soldadura de aluminio",))),
        of_edition(scene.participant("bob", offers=("Taller de soldadura",))),
        of_edition(scene.edition()),
    )
    [asked] = await said(affinities, edition_id, 1)
    assert asked.consent is Consent.PENDING
    assert [reason.code for reason in asked.reasons] == ["text_need_offer", "common_language", "helix_complement"]
    await publisher.publish(of_edition(scene.request("r1", "ann", "bob", revision=2, state="accepted")))
    [accepted] = await said(affinities, edition_id, 1)
    assert (accepted.consent, accepted.revision) == (Consent.GRANTED, 2)
