from __future__ import annotations

import smtplib
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from deploy.embedded.smtp_sink import mails


@pytest.mark.kafka
async def test_broker_keeps_order_of_a_compacted_topic_and_the_offset_of_a_group(
    kafka_bootstrap: str, kafka_idempotence: bool
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    topic = NewTopic("servers.v1", num_partitions=2, replication_factor=1, topic_configs={"cleanup.policy": "compact"})
    await admin.create_topics([topic])
    await admin.close()
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, enable_idempotence=kafka_idempotence, acks="all"
    ) as producer:
        for number in range(20):
            await producer.send_and_wait("servers.v1", str(number).encode(), key=b"edition", partition=1)

    first = await _read(kafka_bootstrap, 10)
    second = await _read(kafka_bootstrap, 10)

    assert first + second == [str(number).encode() for number in range(20)]


async def _read(bootstrap: str, count: int) -> list[bytes]:
    values: list[bytes] = []
    async with AIOKafkaConsumer(
        "servers.v1",
        bootstrap_servers=bootstrap,
        group_id="readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=1,
    ) as consumer:
        while len(values) < count:
            values.append((await consumer.getone()).value)
        await consumer.commit()
    return values


async def test_the_database_keeps_documents_over_connections(mongo_url: str, mongo_database: str) -> None:
    async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
        await client[mongo_database]["things"].insert_one({"_id": "one"})
        assert await client[mongo_database]["things"].find_one() == {"_id": "one"}


def test_mail_server_keeps_mails_in_order(smtp_sink: Any) -> None:
    with smtplib.SMTP(smtp_sink.host, smtp_sink.port) as client:
        for subject in ("first", "second"):
            client.sendmail("a@x.example", ["Ana@x.example", "b@x.example"], f"Subject: {subject}\r\n\r\nHola\r\n")

    kept: list[Path] = mails(smtp_sink.directory, "ana@x.example")

    assert [path.read_bytes().splitlines()[0] for path in kept] == [b"Subject: first", b"Subject: second"]
    assert len(mails(smtp_sink.directory, "b@x.example")) == 2
