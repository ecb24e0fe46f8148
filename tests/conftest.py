"""Servers for the tests that ask for them: each is started once, when first asked for, and stopped at the end."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.embedded.probes import free_ports
from deploy.embedded.process import Program
from deploy.embedded.programs import secantus, secantus_url
from deploy.embedded.supervisor import Supervisor

Launch = Callable[..., None]


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the servers of this run keep data and logs."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def launch(servers_folder: Path) -> Iterator[Launch]:
    """`launch(*programs)` starts programs that run to the end of the session, and returns when they are ready."""
    supervisor = Supervisor(servers_folder)

    def start(*programs: Program) -> None:
        asyncio.run(supervisor.launch(*programs))

    yield start
    asyncio.run(supervisor.stop())


@pytest.fixture(scope="session")
def mongo_url(launch: Launch, servers_folder: Path) -> str:
    """A database server (SecantusDB) in its own process."""
    [port] = free_ports(1)
    launch(secantus(port, servers_folder / "mongo"))
    return secantus_url(port)


@pytest.fixture
def mongo_database() -> str:
    """The name of a database that no other test uses."""
    return f"test_{uuid.uuid4().hex}"
