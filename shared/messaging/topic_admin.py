"""Topics on the broker, created from their declarations: `tertulia topics apply|diff`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contract.topics import DLQ_PARTITIONS, DLQ_RETENTION, TOPICS
from shared.messaging.broker import MAX_LETTER_BYTES, client_options
from shared.runtime.settings import ConnectionSettings

#: With `min.insync.replicas=2` on the broker, no write is lost when one broker is lost.
_REPLICAS = 3
#: The longest time until compaction removes a replaced record, such as the texts of an erased person.
_COMPACTION_LAG = "max.compaction.lag.ms"
#: Settings of existing topics that `apply` changes: no record that is still current is lost by them.
_MENDED = frozenset({_COMPACTION_LAG})
#: The source of a setting that a topic itself has, in an answer of the broker.
_OF_THE_TOPIC = 1


@dataclass(frozen=True)
class Declared:
    """A topic as it should be on the broker."""

    name: str
    partitions: int
    config: dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A difference between the broker and the declarations. `mended_by_apply`: `apply` removes the difference."""

    topic: str
    detail: str
    mended_by_apply: bool


class TopicsDiffer(Exception):
    """A topic differs from its declaration in a way that `apply` does not change; the message gives the difference."""


def declared(settings: ConnectionSettings) -> list[Declared]:
    """Return every topic of the contract and its dead-letter topic."""
    topics: list[Declared] = []
    for topic in TOPICS:
        policy = {"cleanup.policy": "compact"} if topic.retention is None else _retention("delete", topic.retention)
        if topic.erased_within is not None:
            policy[_COMPACTION_LAG] = _milliseconds(topic.erased_within)
        topics.append(Declared(topic.name, settings.kafka_partitions, policy))
        letters = _retention("compact,delete", DLQ_RETENTION) | {"max.message.bytes": str(MAX_LETTER_BYTES)}
        topics.append(Declared(topic.dlq, DLQ_PARTITIONS, letters))
    return topics


def _retention(policy: str, retention: timedelta) -> dict[str, str]:
    return {"cleanup.policy": policy, "retention.ms": _milliseconds(retention)}


def _milliseconds(time: timedelta) -> str:
    return str(int(time.total_seconds()) * 1000)


async def diff(settings: ConnectionSettings) -> list[Difference]:
    """Return the differences between the broker and the declarations."""
    async with _admin(settings) as admin:
        existing = set(await admin.list_topics())
        declarations = declared(settings)
        missing = [Difference(t.name, "missing", mended_by_apply=True) for t in declarations if t.name not in existing]
        present = [t for t in declarations if t.name in existing]
        return missing + await _partition_differences(admin, present) + await _config_differences(admin, present)


async def apply(settings: ConnectionSettings) -> list[str]:
    """Create the missing topics, and bring the compaction lag of old topics up to date. Return the names of both.

    Raises:
        TopicsDiffer: a topic exists with a different partition count or retention. `apply` changes neither: partition
            counts determine which process owns an edition, and retention determines which records are lost.
    """
    async with _admin(settings) as admin:
        existing = set(await admin.list_topics())
        declarations = declared(settings)
        missing = [topic for topic in declarations if topic.name not in existing]
        replicas = settings.kafka_replication_factor or await _replicas(admin)
        created = await admin.create_topics([_new_topic(topic, replicas) for topic in missing]) if missing else None
        for name, code, *_ in created.topic_errors if created else ():
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise TopicsDiffer(f"{name}: the broker refused to create it: {error.__name__}")
        # New topics are not compared: the broker that answers may not know them yet.
        present = [topic for topic in declarations if topic.name in existing]
        differences = await _partition_differences(admin, present) + await _config_differences(admin, present)
        if unmended := [found for found in differences if not found.mended_by_apply]:
            raise TopicsDiffer("; ".join(f"{d.topic}: {d.detail}" for d in unmended))
        mended = [topic for topic in present if topic.name in {found.topic for found in differences}]
        for topic in mended:
            await _mend(admin, topic)
    return [topic.name for topic in (*missing, *mended)]


async def _mend(admin: AIOKafkaAdminClient, topic: Declared) -> None:
    """Set the settings of a topic. The request replaces all of them, so that the topic's own are sent again."""
    own = {
        name: value for name, (value, source) in (await _config(admin, topic.name)).items() if source == _OF_THE_TOPIC
    }
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, own | topic.config)
    for response in await admin.alter_configs([resource]):
        for code, message, *_ in response.resources:
            if code:
                raise TopicsDiffer(f"{topic.name}: the broker refused its settings: {message}")


async def _replicas(admin: AIOKafkaAdminClient) -> int:
    cluster = await admin.describe_cluster()
    return min(_REPLICAS, len(cluster["brokers"]))


def _new_topic(topic: Declared, replicas: int) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=replicas,
        topic_configs=topic.config,
    )


async def _partition_differences(admin: AIOKafkaAdminClient, topics: list[Declared]) -> list[Difference]:
    described = await admin.describe_topics([topic.name for topic in topics]) if topics else []
    counts = {topic["topic"]: len(topic["partitions"]) for topic in described}
    return [
        Difference(t.name, f"{counts[t.name]} partitions, declared {t.partitions}", mended_by_apply=False)
        for t in topics
        if counts[t.name] != t.partitions
    ]


async def _config_differences(admin: AIOKafkaAdminClient, topics: list[Declared]) -> list[Difference]:
    found: list[Difference] = []
    for topic in topics:
        actual = await _config(admin, topic.name)
        for name, value in topic.config.items():
            if name in actual and actual[name][0] != value:
                detail = f"{name}={actual[name][0]}, declared {value}"
                found.append(Difference(topic.name, detail, mended_by_apply=name in _MENDED))
    return found


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, tuple[str, int]]:
    """Return value and source of the settings that the broker reports. The embedded broker reports none."""
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    entries: dict[str, tuple[str, int]] = {}
    for response in responses:
        for resource in response.resources:
            entries |= {entry[0]: (entry[1], entry[3]) for entry in resource[4]}
    return entries


@contextlib.asynccontextmanager
async def _admin(settings: ConnectionSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
