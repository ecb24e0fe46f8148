from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.kafka.cluster import KafkaCluster, broker_programs

pytestmark = [pytest.mark.kafka, pytest.mark.apache_kafka]


async def test_a_killed_broker_returns_with_its_acknowledged_records(cluster: KafkaCluster) -> None:
    await _send(cluster.bootstrap, b"kept")
    await cluster.kill("kafka-1")
    await cluster.restart("kafka-1")
    assert await _first(cluster.bootstrap) == b"kept"


async def test_storage_is_formatted_for_a_cluster_id_that_begins_with_a_dash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0xFB << 120))
    await broker_programs(tmp_path, [11_000])
    assert "cluster.id=-wAAAAAAAAAAAAAAAAAAAA" in (tmp_path / "kafka-1/data/meta.properties").read_text()


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
