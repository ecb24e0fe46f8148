"""Lanes on real brokers: a slow edition delays no neighbour of its partition, and nothing unfinished is committed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest

from shared.contract.topics import MATCH_REQUEST
from shared.messaging import consumer as consumer_module
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input
from shared.runtime.health import Health
from shared.runtime.settings import ConnectionSettings, ServiceSettings
from tests.support.kafka_consumer import BrokerAddress, match_request, partition_number, progress
from tests.support.waiting import wait_until

pytestmark = pytest.mark.kafka

MESSAGING = str(Path(consumer_module.__file__).parent)


class Hall:
    """A handler for two editions of a partition. While `is_open` is unset, the slow edition is not handled."""

    def __init__(self, edition_id: str) -> None:
        self.slow = edition_id
        self.quick = next(
            name for n in count() if partition_number(name := f"{edition_id}{n}") == partition_number(edition_id)
        )
        self.is_open = asyncio.Event()
        self.in_turn: list[str] = []
        self.seen: list[str] = []

    async def handle(self, edition_id: str, inputs: Sequence[Input]) -> None:
        if edition_id not in {self.slow, self.quick}:
            return
        self.in_turn += [received.event.thing_id for received in inputs]
        if edition_id == self.slow:
            await self.is_open.wait()
        self.seen += [received.event.thing_id for received in inputs]


@pytest.fixture(params=["broker", "tansu_broker"])
def address(request: pytest.FixtureRequest) -> BrokerAddress:
    """The broker, and the embedded broker."""
    found: BrokerAddress = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def connection(address: BrokerAddress) -> ConnectionSettings:
    """Connect to the broker, with all topics created."""
    settings = ConnectionSettings(kafka_bootstrap=address.bootstrap, kafka_idempotence=address.idempotence)
    await topic_admin.apply(settings)
    return settings


def noted_tasks() -> list[asyncio.Task[Any]]:
    """Return a list that holds our own tasks from now on. asyncio tells of a failed task only when it is collected.

    Tasks of the Kafka client are left out: on a busy broker they fail and are tried again, which is no fault of ours.
    """
    tasks: list[asyncio.Task[Any]] = []

    def make(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        code = getattr(work, "cr_code", None)  # the end of an asynchronous generator has none
        if code and code.co_filename.startswith(MESSAGING):
            tasks.append(task)
        return task

    asyncio.get_running_loop().set_task_factory(make)
    return tasks


@contextlib.asynccontextmanager
async def process(
    connection: ConnectionSettings, hall: Hall, *, is_killed: bool = False, **options: Any
) -> AsyncIterator[Consumer]:
    """Run a consumer in the test's group. A killed consumer ends without its stop."""

    class Settings(ServiceSettings):
        service: ClassVar[str] = hall.slow

    settings = Settings(**connection.model_dump() | options, session_timeout_ms=6000, shutdown_seconds=1)
    broker = make_broker(settings)
    consumer = Consumer(broker, settings, Health(600))
    consumer.subscribe(MATCH_REQUEST, handler=hall.handle)
    await broker.start()
    try:
        yield consumer
    finally:
        if not is_killed:
            await consumer.stop()
        await broker.stop()


async def test_an_edition_in_a_long_turn_leaves_a_neighbour_of_its_partition_alone(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition_id: str
) -> None:
    hall = Hall(edition_id)
    names = [f"q{number}" for number in range(30)]
    await publisher.publish(match_request(hall.slow, "slow"))
    async with process(connection, hall, open_records=10, batch_max_records=5):
        await wait_until(lambda: hall.in_turn == ["slow"])
        for name in names:  # beside more records of the slow edition than the lanes may hold
            await publisher.publish(match_request(hall.slow, f"s{name}"), match_request(hall.quick, name))
        await wait_until(lambda: hall.seen == names)
        assert (await progress(connection, edition_id)).committed < (await progress(connection, edition_id)).end - 60
        hall.is_open.set()
        await wait_until(lambda: len(hall.seen) == 61)
        assert [name for name in hall.seen if name.startswith("s")] == ["slow", *(f"s{name}" for name in names)]
        await wait_until_committed(connection, edition_id)


@pytest.mark.parametrize("is_killed", [False, True], ids=["stopped", "killed"])
async def test_a_process_that_ends_with_open_lanes_leaves_them_to_the_next(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition_id: str, *, is_killed: bool
) -> None:
    hall = Hall(edition_id)
    tasks = noted_tasks()
    await publisher.publish(match_request(hall.slow, "slow"), match_request(hall.quick, "quick"))
    async with process(connection, hall, is_killed=is_killed):
        await wait_until(lambda: hall.seen == ["quick"])
    hall.is_open.set()
    async with process(connection, hall):
        await wait_until(lambda: "slow" in hall.seen)
        await wait_until_committed(connection, edition_id)
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    assert ended
    assert [task.exception() for task in ended if task.exception()] == []


async def test_a_rebalance_with_open_lanes_loses_no_record(
    connection: ConnectionSettings, publisher: KafkaPublisher, edition_id: str
) -> None:
    hall = Hall(edition_id)
    await publisher.publish(match_request(hall.slow, "slow"), match_request(hall.quick, "quick"))
    async with process(connection, hall):
        await wait_until(lambda: hall.seen == ["quick"])
        async with process(connection, hall):
            await wait_until(lambda: hall.in_turn.count("slow") == 2)  # the new owner's lane, whichever process it is
            hall.is_open.set()
            await publisher.publish(match_request(hall.quick, "next"))
            await wait_until(lambda: {"slow", "next"} <= set(hall.seen))
            await wait_until_committed(connection, edition_id)


async def wait_until_committed(connection: ConnectionSettings, edition_id: str) -> None:
    """Wait until the group has committed the whole partition."""

    async def is_committed() -> bool:
        committed, end = await progress(connection, edition_id)
        return committed == end

    await wait_until(is_committed)
