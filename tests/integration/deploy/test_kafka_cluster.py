from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.cluster import KafkaCluster


@pytest.mark.kafka
async def test_a_killed_broker_comes_back_with_what_it_acknowledged(cluster: KafkaCluster) -> None:
    await _send(cluster.bootstrap, b"kept")
    await cluster.kill("kafka-1")
    await cluster.restart("kafka-1")
    assert await _first(cluster.bootstrap) == b"kept"


async def _send(bootstrap: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("cluster.v1", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, acks="all") as producer:
        await producer.send_and_wait("cluster.v1", value)


async def _first(bootstrap: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("cluster.v1", 0)])
        value: bytes = (await consumer.getone()).value
        return value
