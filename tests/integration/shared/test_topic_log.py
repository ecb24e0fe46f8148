"""Topics read as a log: to their ends, or as far as a group has come."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contract.events import MatchRequestChanged
from shared.contract.topics import MATCH_REQUEST, Topic
from shared.messaging import topic_log
from shared.messaging.broker import KafkaPublisher, partition_of
from shared.messaging.topic_log import LogUnreadable
from shared.runtime.settings import PARTITIONS, ConnectionSettings
from tests.integration.shared.test_consumer import asked, connection, edition, publisher

__all__ = ["connection", "edition", "publisher"]
pytestmark = pytest.mark.kafka


async def test_the_newest_of_each_thing_and_all_there_is_whatever_else_is_there(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition: str
) -> None:
    place = partition_of(f"{edition}/".encode(), range(PARTITIONS))
    async with AIOKafkaProducer(bootstrap_servers=connection.kafka_servers) as raw:
        key = f"{edition}/request/garbage".encode()
        await raw.send_and_wait(MATCH_REQUEST.name, b"garbage", key=key, partition=place)
    events = [asked(edition, "a"), asked(edition, "b", 2), asked(edition, "a", 3), asked(edition, "b", 1)]
    await publisher.publish(*events)
    log = await topic_log.read(connection, (MATCH_REQUEST,), edition)
    said = log.of(edition)
    assert set(log.events) == {edition}
    assert log.undecodable == 1
    assert said.every(MatchRequestChanged) == events
    assert said.newest(MatchRequestChanged) == [events[1], events[2]]


async def test_what_a_group_has_not_committed_is_left_for_it(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition: str
) -> None:
    await publisher.publish(asked(edition, "a"), asked(edition, "b"))
    place = TopicPartition(MATCH_REQUEST.name, partition_of(f"{edition}/".encode(), range(PARTITIONS)))
    group = f"tertulia-{edition}"
    all_of_it = await topic_log.read(connection, (MATCH_REQUEST,), edition, group)
    assert all_of_it.unbounded == {MATCH_REQUEST.name}
    assert len(all_of_it.of(edition).every(MatchRequestChanged)) == 2
    consumer = AIOKafkaConsumer(bootstrap_servers=connection.kafka_servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([place])
    [end] = (await consumer.end_offsets([place])).values()
    await consumer.commit({place: end - 1})
    await consumer.stop()
    log = await topic_log.read(connection, (MATCH_REQUEST,), edition, group)
    assert [one.request_id for one in log.of(edition).every(MatchRequestChanged)] == ["a"]


async def test_a_topic_that_is_not_there_is_named(connection: ConnectionSettings) -> None:
    with pytest.raises(LogUnreadable, match="nowhere"):
        await topic_log.read(connection, (Topic("nowhere.v1", "", "", ()),))
