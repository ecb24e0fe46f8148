"""The consumer on a real broker: delivery to the handler, dead letters, and commits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from pymongo.errors import AutoReconnect

from shared.contract.cloudevents import encode
from shared.contract.events import Event
from shared.contract.topics import MATCH_REQUEST
from shared.messaging import dead_letter_admin as dlq_admin
from shared.messaging.broker import KafkaPublisher
from shared.messaging.inputs import Input, Poison
from shared.runtime.settings import ConnectionSettings
from tests.support.kafka_consumer import (
    CollectingHandler,
    RunConsumer,
    dead_letters_of,
    match_request,
    partition_number,
    progress,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka


async def test_inputs_arrive_in_order_with_their_positions_and_are_committed(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[Input] = []

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(inputs)

    await publisher.publish(*(match_request(edition_id, f"r{number}") for number in range(50)))
    async with run_consumer(handle):
        await wait_until(lambda: len(seen) == 50)
    assert [received.event.thing_id for received in seen] == [f"r{number}" for number in range(50)]
    offsets = [received.position.offset for received in seen]
    assert offsets == sorted(offsets)
    assert (await progress(connection, edition_id)).committed == offsets[-1] + 1


async def test_a_transient_error_makes_the_batch_wait_and_loses_nothing(
    publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[str] = []
    failures = 3

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise AutoReconnect("the database is away")
        seen.extend(received.event.thing_id for received in inputs)

    await publisher.publish(match_request(edition_id, "a"), match_request(edition_id, "b"))
    async with run_consumer(handle):
        await wait_until(lambda: len(seen) == 2)
    assert seen == ["a", "b"]


async def test_poison_and_records_that_keep_failing_are_dead_lettered_alone(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[str] = []

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        for received in inputs:
            if received.event.thing_id == "poison":
                raise Poison(received.event, "cannot be scored")
            if received.event.thing_id == "bug":
                raise KeyError("bug")
        seen.extend(received.event.thing_id for received in inputs)

    await publisher.publish(*(match_request(edition_id, name) for name in ("a", "poison", "b", "bug", "c")))
    async with run_consumer(handle, dead_letter_attempts=2):
        await wait_until(lambda: len(seen) == 3)
    assert seen == ["a", "b", "c"]
    letters = {letter.origin.cause: letter for letter in await dead_letters_of(connection, edition_id)}
    assert letters["poison"].origin.reason == "cannot be scored"
    assert letters["failed"].origin.reason.startswith("KeyError (at shared.messaging.batch_handler:")
    assert letters["failed"].origin.shown_key == match_request(edition_id, "bug").key
    assert letters["poison"].origin.original_key == match_request(edition_id, "poison").key.encode()


def undecodable(edition_id: str) -> dict[str, tuple[bytes, list[tuple[str, bytes]], bytes | None]]:
    """Return key, headers and value of records that are not events.

    A record without a key is not among them, because a compacted topic refuses it.
    """
    good = encode(match_request(edition_id, "x"))
    return {
        "garbage": (good.key, good.headers, b"\x00\xff garbage"),
        "no headers": (good.key, [], good.value),
        "header that is not UTF-8": (good.key, [("ce_type", b"\xff\xfe")], good.value),
        "another's key": (f"{edition_id}/request/y".encode(), good.headers, good.value),
        "wrong schema": (good.key, good.headers, b'{"request_id": 1}'),
        "an event of another topic": (
            good.key,
            [("ce_type", b"org.tertulia.affinity.scored.v1")],
            good.value,
        ),
        "tombstone": (good.key, good.headers, None),
    }


async def test_undecodable_records_are_dead_lettered_and_block_nothing(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen = CollectingHandler()
    bad = undecodable(edition_id)
    async with AIOKafkaProducer(
        bootstrap_servers=connection.kafka_servers, acks="all", enable_idempotence=connection.kafka_idempotence
    ) as raw:
        partition = partition_number(edition_id)
        for key, headers, value in bad.values():
            await raw.send_and_wait(MATCH_REQUEST.name, value=value, key=key, headers=headers, partition=partition)
    await publisher.publish(match_request(edition_id, "good"))
    async with run_consumer(seen):
        await wait_until(lambda: seen == ["good"])
    letters = await dead_letters_of(connection, edition_id)
    assert len(letters) >= len(bad)
    assert {letter.origin.cause for letter in letters} == {"undecodable"}


async def test_a_spent_dead_letter_budget_holds_the_faulty_edition(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    async def handle(_: str, inputs: Sequence[Input]) -> None:
        raise Poison(inputs[0].event, "a bad deploy")

    first = (await progress(connection, edition_id)).end
    await publisher.publish(*(match_request(edition_id, f"r{number}") for number in range(5)))
    async with run_consumer(handle, dead_letter_budget=0) as health:
        await wait_until(lambda: "op" in cast("dict[str, int]", health.notes()["held"]))
        assert health.stalled() == []
    assert (
        await progress(connection, edition_id)
    ).committed <= first  # records of earlier tests on the partition may be handled
    assert await dead_letters_of(connection, edition_id) == []


async def test_a_stop_leaves_the_unfinished_batch_to_the_next_process(
    publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    first_try = asyncio.Event()
    seen: list[str] = []

    async def away(_: str, inputs: Sequence[Input]) -> None:
        first_try.set()
        raise AutoReconnect("the database is away")

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(received.event.thing_id for received in inputs)

    await publisher.publish(match_request(edition_id, "a"))
    async with run_consumer(away):
        await asyncio.wait_for(first_try.wait(), 30)
    async with run_consumer(handle):
        await wait_until(lambda: seen == ["a"])


async def test_a_replayed_letter_is_handled_and_a_dropped_letter_is_removed(
    connection: ConnectionSettings, publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[str] = []
    mended = False

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        if not mended:
            raise Poison(inputs[0].event, "not mended yet")
        seen.extend(received.event.thing_id for received in inputs)

    await publisher.publish(match_request(edition_id, "a"), match_request(edition_id, "b"))
    async with run_consumer(handle):

        async def are_dead_lettered() -> bool:
            return len(await dead_letters_of(connection, edition_id, "poison")) == 2

        await wait_until(are_dead_lettered)
        mended = True
        again, away = await dead_letters_of(connection, edition_id, "poison")
        await dlq_admin.replay(connection, again)
        await dlq_admin.drop(connection, away)
        await wait_until(lambda: len(seen) == 1)
    assert await dead_letters_of(connection, edition_id, "poison") == []
    with pytest.raises(dlq_admin.UnknownLetter):
        await dlq_admin.find(connection, away.letter_id)


async def test_an_input_keeps_the_trace_of_its_record(
    publisher: KafkaPublisher, run_consumer: RunConsumer, edition_id: str
) -> None:
    seen: list[Input] = []

    async def handle(_: str, inputs: Sequence[Input]) -> None:
        seen.extend(inputs)

    event: Event = match_request(edition_id, "a")
    await publisher.send([encode(event, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")])
    async with run_consumer(handle):
        await wait_until(lambda: bool(seen))
    assert (seen[0].traceparent or "").startswith("00-0af7651916cd43dd8448eb211c80319c-")
