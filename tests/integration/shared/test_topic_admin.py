from __future__ import annotations

import pytest

from shared import topic_admin
from shared.settings import ConnectionSettings
from shared.topics import TOPICS

pytestmark = pytest.mark.kafka


@pytest.fixture
def connection(kafka_bootstrap: str, kafka_idempotence: bool) -> ConnectionSettings:
    return ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)


async def test_apply_creates_what_is_declared_once(connection: ConnectionSettings) -> None:
    await topic_admin.apply(connection)
    assert await topic_admin.diff(connection) == []
    assert await topic_admin.apply(connection) == []


def test_every_topic_has_a_dead_letter_topic() -> None:
    assert len(topic_admin.declared()) == 2 * len(TOPICS)
