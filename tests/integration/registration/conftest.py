"""Stores over the real Mongo protocol, each driver, and the one in memory: one contract for all."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.registration.domain.things import Thing
from services.registration.settings import Settings
from services.registration.store import MongoStore
from services.registration.store_in_memory import InMemoryStore
from shared.mongo import Mongo

AnyStore = MongoStore | InMemoryStore


@pytest.fixture(params=["motor", "pymongo"])
def settings(request: pytest.FixtureRequest, mongo_url: str) -> Settings:
    return Settings(
        mongo_url=SecretStr(mongo_url),
        mongo_driver=request.param,
        mongo_database=f"registration_{uuid.uuid4().hex[:12]}",
    )


@pytest.fixture
def written() -> list[tuple[type[Thing], str]]:
    return []


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def store(request: pytest.FixtureRequest, written: list[tuple[type[Thing], str]]) -> AsyncIterator[AnyStore]:
    if request.param == "memory":
        yield InMemoryStore()
        return
    url = SecretStr(request.getfixturevalue("mongo_url"))
    mongo = Mongo(Settings(mongo_url=url, mongo_driver=request.param))
    store = MongoStore(
        mongo.database(f"registration_{uuid.uuid4().hex[:12]}"), lambda kind, i: written.append((kind, i))
    )
    await store.prepare()
    yield store
    await mongo.close()


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "secantusd-py"
    command = [str(program), "--port", str(port), "--storage-path", str(tmp_path_factory.mktemp("mongo"))]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"mongodb://127.0.0.1:{port}/?directConnection=true"
    server.terminate()
    server.wait(10)
