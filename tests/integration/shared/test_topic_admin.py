from __future__ import annotations

import pytest

from shared.contract.topics import TOPICS
from shared.messaging import topic_admin
from shared.runtime.settings import ConnectionSettings

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
