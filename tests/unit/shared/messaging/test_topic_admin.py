from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from shared.messaging import topic_admin
from shared.messaging.topic_admin import TopicsDiffer
from shared.runtime.settings import ConnectionSettings


class LaggingCluster:
    """A cluster whose answering broker does not know the newest topics yet."""

    def __init__(self, topics: Sequence[str] = ()) -> None:
        self.topics = list(topics)

    async def list_topics(self) -> list[str]:
        return list(self.topics)

    async def describe_cluster(self) -> dict[str, Any]:
        return {"brokers": [1, 2, 3]}

    async def create_topics(self, topics: Sequence[Any]) -> SimpleNamespace:
        self.topics += [topic.name for topic in topics]
        return SimpleNamespace(topic_errors=[(topic.name, 0, None) for topic in topics])

    async def describe_topics(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [{"topic": name, "partitions": []} for name in names]

    async def describe_configs(self, resources: Sequence[Any]) -> list[Any]:
        return []


def connect_to(cluster: LaggingCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.asynccontextmanager
    async def admin(_: ConnectionSettings) -> AsyncIterator[LaggingCluster]:
        yield cluster

    monkeypatch.setattr(topic_admin, "_admin", admin)


async def test_new_topics_need_not_be_known_to_every_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = LaggingCluster()
    connect_to(cluster, monkeypatch)
    assert await topic_admin.apply(ConnectionSettings()) == cluster.topics


async def test_an_existing_topic_with_another_partition_count_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connect_to(LaggingCluster(["agenda.v1"]), monkeypatch)
    with pytest.raises(TopicsDiffer, match=r"agenda\.v1: 0 partitions, declared 12"):
        await topic_admin.apply(ConnectionSettings())
