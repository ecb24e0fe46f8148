from __future__ import annotations

import pytest
from aiokafka.admin import NewTopic

from deploy.kafka.cluster import KafkaCluster
from shared.contract.topics import TOPICS
from shared.messaging import topic_admin
from shared.runtime.settings import PARTITIONS, ConnectionSettings
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka


@pytest.fixture
def connection(kafka_bootstrap: str, kafka_idempotence: bool) -> ConnectionSettings:
    return ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)


async def test_apply_creates_the_declared_topics_once(connection: ConnectionSettings) -> None:
    await topic_admin.apply(connection)
    assert await topic_admin.diff(connection) == []
    assert await topic_admin.apply(connection) == []


def test_every_topic_has_the_set_partitions_and_a_dead_letter_topic() -> None:
    declared = {topic.name: topic.partitions for topic in topic_admin.declared(ConnectionSettings(kafka_partitions=3))}
    assert declared == {name: number for topic in TOPICS for name, number in ((topic.name, 3), (topic.dlq, 1))}


@pytest.mark.apache_kafka
async def test_apply_brings_the_compaction_lag_of_an_old_topic_up_to_date(cluster: KafkaCluster) -> None:
    connection = ConnectionSettings(kafka_bootstrap=cluster.bootstrap)
    old = {"cleanup.policy": "compact", "segment.ms": "3600000"}
    async with topic_admin._admin(connection) as admin:
        await admin.create_topics([NewTopic("registration.v1", PARTITIONS, 1, topic_configs=old)])
    found = [difference for difference in await topic_admin.diff(connection) if difference.detail != "missing"]
    assert [(one.topic, one.mended_by_apply) for one in found] == [("registration.v1", True)]
    assert "max.compaction.lag.ms" in found[0].detail
    assert "registration.v1" in await topic_admin.apply(connection)

    async def is_as_declared() -> bool:
        return await topic_admin.diff(connection) == []

    await wait_until(is_as_declared)
    async with topic_admin._admin(connection) as admin:
        settings = await topic_admin._config(admin, "registration.v1")
    assert (settings["max.compaction.lag.ms"][0], settings["segment.ms"][0]) == ("86400000", "3600000")
