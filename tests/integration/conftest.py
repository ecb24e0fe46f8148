"""A broker and a mail server. The broker is Apache Kafka; Tansu where it cannot be had, which the summary then says."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.embedded.probes import free_ports
from deploy.embedded.programs import smtp_sink as smtp_sink_program
from deploy.embedded.programs import tansu
from deploy.kafka.cluster import KafkaCluster, broker_programs
from deploy.kafka.jars import KafkaUnavailable

Launch = Callable[..., None]
_WHY_NOT_KAFKA = pytest.StashKey[str]()


@dataclass(frozen=True)
class Broker:
    """A broker that speaks Kafka's protocol."""

    bootstrap: str
    idempotence: bool


@dataclass(frozen=True)
class SmtpSink:
    """A mail server, and the folder in which it keeps what it gets (see `deploy.embedded.smtp_sink.mails`)."""

    host: str
    port: int
    directory: Path


@pytest.fixture(scope="session")
def broker(launch: Launch, servers_folder: Path, request: pytest.FixtureRequest) -> Broker:
    """Apache Kafka, or Tansu; with `CI=true` Apache Kafka or an error."""
    [port] = free_ports(1)
    try:
        programs = asyncio.run(broker_programs(servers_folder / "kafka", [port]))
    except KafkaUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        request.config.stash[_WHY_NOT_KAFKA] = str(error)
        programs = [tansu(port)]
    launch(*programs)
    return Broker(f"127.0.0.1:{port}", idempotence=_WHY_NOT_KAFKA not in request.config.stash)


@pytest.fixture(scope="session")
def kafka_bootstrap(broker: Broker) -> str:
    """The broker's address, `host:port`."""
    return broker.bootstrap


@pytest.fixture(scope="session")
def kafka_idempotence(broker: Broker) -> bool:
    """Whether the broker takes idempotent producers: Tansu does not."""
    return broker.idempotence


@pytest.fixture(scope="session")
def smtp_sink(launch: Launch, servers_folder: Path) -> SmtpSink:
    """A mail server that keeps what it gets."""
    [port] = free_ports(1)
    sink = SmtpSink("127.0.0.1", port, servers_folder / "mails")
    launch(smtp_sink_program(port, sink.directory))
    return sink


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say so when the broker was not Apache Kafka."""
    why = config.stash.get(_WHY_NOT_KAFKA, None)
    if why is not None:
        terminalreporter.write_line(f"Integration tests ran on Tansu, not on Apache Kafka: {why}", yellow=True)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[KafkaCluster]:
    """One broker of Apache Kafka that is the test's own, to be killed."""
    cluster = KafkaCluster(tmp_path)
    try:
        await cluster.start()
        yield cluster
    except KafkaUnavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    finally:
        await cluster.stop()
