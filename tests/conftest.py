"""Servers for tests: a server is started when a test first asks for it, and stopped after the last test."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.embedded.probes import free_ports
from deploy.embedded.process import Program
from deploy.embedded.programs import secantus, secantus_url
from deploy.embedded.supervisor import Supervisor
from tests.support import apache_kafka

Launch = Callable[..., None]

# A deadline would measure the machine. Everything else stays as it is, and is derandomised where CI is set.
settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _apache_kafka_where_marked(request: pytest.FixtureRequest) -> None:
    """Skip a test marked `apache_kafka` where Apache Kafka is unavailable."""
    if request.node.get_closest_marker("apache_kafka"):
        apache_kafka.require()


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for data and logs of the servers."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def launch(servers_folder: Path) -> Iterator[Launch]:
    """Start programs that run until the end of the session; `launch(*programs)` returns once they are ready."""
    supervisor = Supervisor(servers_folder)

    def start(*programs: Program) -> None:
        asyncio.run(supervisor.launch(*programs))

    yield start
    asyncio.run(supervisor.stop())


@pytest.fixture(scope="session")
def mongo_url(launch: Launch, servers_folder: Path) -> str:
    """Start a database server (SecantusDB) and return its URL."""
    [port] = free_ports(1)
    launch(secantus(port, servers_folder / "mongo"))
    return secantus_url(port)


@pytest.fixture
def mongo_database() -> str:
    """Name a database that no other test uses."""
    return f"test_{uuid.uuid4().hex}"
