"""Metrics of the consumer beside the behaviour that sets them, on the broker in memory."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, ClassVar, cast

import pytest
from faststream.kafka import KafkaBroker
from pymongo.errors import AutoReconnect

from shared.contract.topics import MATCH_REQUEST
from shared.messaging.broker import KafkaPublisher
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Handler, Input, Poison
from shared.runtime.health import Health
from shared.runtime.metrics import (
    BATCH_SECONDS,
    DEAD_LETTER_STOP,
    FRESHNESS,
    LAG,
    PUBLISHED,
    REBALANCES,
    RECORDS,
    RETRIES,
    UNHANDLED_SECONDS,
)
from shared.runtime.settings import PARTITIONS, ServiceSettings
from tests.simulation.faults import NoFaults
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.kafka_client import InMemoryBroker
from tests.support.in_memory.process import Process
from tests.support.kafka_consumer import match_request
from tests.support.metrics import MetricDelta, metric_value
from tests.support.waiting import wait_until

TOPIC = MATCH_REQUEST.name
#: Delay of the broker's clock, and so the age of every record.
RECORD_AGE_SECONDS = 90.0


class ConsumedPublisher(KafkaPublisher):
    """A publisher beside the consumer that gets its records."""

    def __init__(self, broker: KafkaBroker, consumer: Consumer) -> None:
        super().__init__(broker)
        self.consumer = consumer


Consume = Callable[..., contextlib.AbstractAsyncContextManager[ConsumedPublisher]]


class Settings(ServiceSettings):
    service: ClassVar[str] = "measured"


@pytest.fixture
async def consume() -> Consume:
    """Run a consumer with a handler, on a broker that yields a publisher."""
    chance = random.Random(1)  # noqa: S311 - makes a run, not a secret
    start = time.time() - asyncio.get_running_loop().time() - RECORD_AGE_SECONDS
    kafka = InMemoryKafka(PARTITIONS, start, chance)
    broker = cast("KafkaBroker", InMemoryBroker(kafka, Process("any", 1, NoFaults(chance), [])))

    @contextlib.asynccontextmanager
    async def run(handler: Handler, **options: Any) -> AsyncIterator[ConsumedPublisher]:
        consumer = Consumer(broker, Settings(batch_every_ms=0, **options), Health(60))
        consumer.subscribe(MATCH_REQUEST, handler=handler)
        await broker.start()
        try:
            yield ConsumedPublisher(broker, consumer)
        finally:
            await consumer.stop()
            await broker.stop()

    return run


async def accept(_: str, inputs: Sequence[Input]) -> None:
    """Handle everything."""


async def reject(_: str, inputs: Sequence[Input]) -> None:
    raise Poison(inputs[0].event, "on purpose")


async def test_each_assignment_is_counted(consume: Consume) -> None:
    rebalances = MetricDelta(REBALANCES)
    async with consume(accept):
        await wait_until(lambda: rebalances.value >= 1)
    assert rebalances.value >= 1


async def test_handled_records_and_their_batch_are_counted(consume: Consume) -> None:
    applied, batches = MetricDelta(RECORDS, topic=TOPIC, outcome="applied"), MetricDelta(BATCH_SECONDS)
    published = MetricDelta(PUBLISHED, topic=TOPIC)
    async with consume(accept) as publisher:
        await publisher.publish(match_request("edn", "a"), match_request("edn", "b"))
        await wait_until(lambda: applied.value == 2 and batches.value >= 1)
    assert published.value == 2
    assert applied.value == 2
    assert 1 <= batches.value <= 2


async def test_a_dead_lettered_record_is_counted_as_such(consume: Consume) -> None:
    dead_lettered = MetricDelta(RECORDS, topic=TOPIC, outcome="dead_lettered")
    applied = MetricDelta(RECORDS, topic=TOPIC, outcome="applied")
    async with consume(reject) as publisher:
        await publisher.publish(match_request("edn", "a"))
        await wait_until(lambda: dead_lettered.value == 1)
    assert applied.value == 0


async def test_lag_is_the_number_of_records_from_the_lowest_unfinished_one_on(consume: Consume) -> None:
    LAG.clear()
    lags: list[float] = []

    async def note_lag(_: str, inputs: Sequence[Input]) -> None:
        lags.append(metric_value(LAG, topic=TOPIC))

    applied = MetricDelta(RECORDS, topic=TOPIC, outcome="applied")
    async with consume(note_lag, batch_max_records=2) as publisher:
        await publisher.publish(*(match_request("edn", f"r{number}") for number in range(5)))
        await wait_until(lambda: applied.value == 5)
        await wait_until(lambda: metric_value(LAG, topic=TOPIC) == 0)
    assert lags == [5, 3, 1]


async def test_the_wait_of_an_unhandled_record_is_shown(consume: Consume) -> None:
    UNHANDLED_SECONDS.clear()
    released = asyncio.Event()

    async def wait(_: str, inputs: Sequence[Input]) -> None:
        await released.wait()

    applied = MetricDelta(RECORDS, topic=TOPIC, outcome="applied")
    async with consume(wait) as publisher:
        await publisher.publish(match_request("edn", "a"))
        await wait_until(lambda: metric_value(LAG, topic=TOPIC) == 1)
        await publisher.consumer.look()
        await wait_until(lambda: metric_value(UNHANDLED_SECONDS, topic=TOPIC) > 0)
        released.set()
        await wait_until(lambda: applied.value == 1)
        await publisher.consumer.look()
        assert metric_value(UNHANDLED_SECONDS, topic=TOPIC) == 0


async def test_freshness_counts_each_handled_record_by_its_age(consume: Consume) -> None:
    FRESHNESS.clear()
    handled = MetricDelta(FRESHNESS, topic=TOPIC)
    async with consume(accept) as publisher:
        await publisher.publish(match_request("edn", "a"))
        await wait_until(lambda: handled.value == 1)
    [family] = FRESHNESS.collect()
    ages = {sample.labels["topic"]: sample.value for sample in family.samples if sample.name.endswith("_sum")}
    assert ages[TOPIC] == pytest.approx(RECORD_AGE_SECONDS, abs=10)


async def test_a_retry_is_counted_by_the_kind_of_its_error(consume: Consume) -> None:
    retries = MetricDelta(RETRIES, error="AutoReconnect")
    applied = MetricDelta(RECORDS, topic=TOPIC, outcome="applied")
    failures = [AutoReconnect("the database is away")]

    async def fail_once(_: str, inputs: Sequence[Input]) -> None:
        if failures:
            raise failures.pop()

    async with consume(fail_once) as publisher:
        await publisher.publish(match_request("edn", "a"))
        await wait_until(lambda: applied.value == 1)
    assert retries.value == 1


async def test_a_spent_dead_letter_budget_raises_the_stop(consume: Consume) -> None:
    DEAD_LETTER_STOP.set(0)
    async with consume(reject, dead_letter_budget=0) as publisher:
        await publisher.publish(match_request("edn", "a"))
        await wait_until(lambda: metric_value(DEAD_LETTER_STOP) == 1)
    assert metric_value(DEAD_LETTER_STOP) == 1
    DEAD_LETTER_STOP.set(0)
