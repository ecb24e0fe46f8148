"""Servers and clients for integration tests.

The broker is Apache Kafka. Where Kafka is unavailable it is Tansu, and the summary of the run says so.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from deploy.embedded.probes import free_ports
from deploy.embedded.programs import smtp_sink as smtp_sink_program
from deploy.embedded.programs import tansu
from deploy.kafka.cluster import KafkaCluster, broker_programs
from shared.contract import ids
from shared.contract.topics import MATCH_REQUEST
from shared.messaging import topic_admin
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Handler, Input
from shared.runtime.health import Health
from shared.runtime.settings import ConnectionSettings, ServiceSettings
from shared.storage.mongo import Mongo, MongoDatabase
from tests.support import apache_kafka
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.kafka_consumer import BrokerAddress, RunConsumer

Launch = Callable[..., None]
_WHY_NOT_KAFKA = pytest.StashKey[str]()


@dataclass(frozen=True)
class SmtpSink:
    """A mail server, and the folder of the mails that it received (see `deploy.embedded.smtp_sink.mails`)."""

    host: str
    port: int
    directory: Path


@pytest.fixture(scope="session")
def broker(launch: Launch, servers_folder: Path, request: pytest.FixtureRequest) -> BrokerAddress:
    """Start Apache Kafka, or Tansu if Kafka is unavailable. With `CI=true`, fail if Kafka is unavailable."""
    [port] = free_ports(1)
    if apache_kafka.is_available():
        launch(*asyncio.run(broker_programs(servers_folder / "kafka", [port])))
        return BrokerAddress(f"127.0.0.1:{port}", idempotence=True)
    request.config.stash[_WHY_NOT_KAFKA] = apache_kafka.missing()
    launch(tansu(port))
    return BrokerAddress(f"127.0.0.1:{port}", idempotence=False)


@pytest.fixture(scope="session")
def tansu_broker(launch: Launch) -> BrokerAddress:
    """Start Tansu, the broker of the embedded stack, whether or not Apache Kafka is available."""
    [port] = free_ports(1)
    launch(tansu(port))
    return BrokerAddress(f"127.0.0.1:{port}", idempotence=False)


@pytest.fixture(scope="session")
def kafka_bootstrap(broker: BrokerAddress) -> str:
    """The broker's address, `host:port`."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def kafka_idempotence(broker: BrokerAddress) -> bool:
    """True if the broker takes idempotent producers; Tansu does not."""
    return broker.idempotence


@pytest.fixture(scope="session")
def smtp_sink(launch: Launch, servers_folder: Path) -> SmtpSink:
    """Start a mail server that stores mails as files."""
    [port] = free_ports(1)
    sink = SmtpSink("127.0.0.1", port, servers_folder / "mails")
    launch(smtp_sink_program(port, sink.directory))
    return sink


@pytest.fixture(params=["motor", "pymongo", "simulated"])
async def database(request: pytest.FixtureRequest, mongo_url: str, mongo_database: str) -> AsyncIterator[MongoDatabase]:
    """Open a database with both drivers, and that in memory of `tests/simulation`."""
    if request.param == "simulated":
        yield InMemoryMongo().database("test")
        return
    mongo = Mongo(ConnectionSettings(mongo_url=mongo_url, mongo_driver=request.param))
    await mongo.ping()
    yield mongo.database(mongo_database)
    await mongo.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Report a run in which the broker was not Apache Kafka."""
    why = config.stash.get(_WHY_NOT_KAFKA, None)
    if why is not None:
        terminalreporter.write_line(f"Integration tests ran on Tansu, not on Apache Kafka: {why}", yellow=True)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[KafkaCluster]:
    """Start an Apache Kafka broker for one test marked `apache_kafka`, which may kill it."""
    async with KafkaCluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def connection(kafka_bootstrap: str, kafka_idempotence: bool) -> ConnectionSettings:
    """Connect to the broker, with all topics created."""
    settings = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
    await topic_admin.apply(settings)
    return settings


@pytest.fixture
def edition_id() -> str:
    """Name an edition for this test alone."""
    return ids.new_id("edn")


@pytest.fixture
async def publisher(connection: ConnectionSettings) -> AsyncIterator[KafkaPublisher]:
    """Publish to the broker."""
    broker = make_broker(connection)
    await broker.start()
    yield KafkaPublisher(broker)
    await broker.stop()


@pytest.fixture
def run_consumer(connection: ConnectionSettings, edition_id: str) -> RunConsumer:
    """Run a consumer in a group of its own; its handler gets the match requests of this test's edition only."""

    class Settings(ServiceSettings):
        service: ClassVar[str] = edition_id

    @contextlib.asynccontextmanager
    async def run(handler: Handler, **options: Any) -> AsyncIterator[Health]:
        async def handle_this_edition(consumed_id: str, inputs: Sequence[Input]) -> None:
            if consumed_id == edition_id:
                await handler(edition_id, inputs)

        settings = Settings(
            kafka_bootstrap=connection.kafka_bootstrap, kafka_idempotence=connection.kafka_idempotence, **options
        )
        broker, health = make_broker(settings), Health(60)
        consumer = Consumer(broker, settings, health)
        health.require("kafka", consumer.check)
        consumer.subscribe(MATCH_REQUEST, handler=handle_this_edition)
        await broker.start()
        try:
            yield health
        finally:
            await consumer.stop()
            await broker.stop()

    return run
