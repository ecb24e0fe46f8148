"""Stores with a common contract: in memory, in the simulation, and over the Mongo protocol with both drivers."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from services.registration.domain.entity import Entity
from services.registration.memory_store import InMemoryStore
from services.registration.settings import Settings
from services.registration.store import MongoStore
from shared.storage.mongo import Mongo
from tests.support.in_memory.mongo import InMemoryMongo

AnyStore = MongoStore | InMemoryStore


@pytest.fixture(params=["motor", "pymongo"])
def settings(request: pytest.FixtureRequest, mongo_url: str) -> Settings:
    return Settings(
        mongo_url=SecretStr(mongo_url),
        mongo_driver=request.param,
        mongo_database=f"registration_{uuid.uuid4().hex[:12]}",
    )


@pytest.fixture
def written() -> list[tuple[type[Entity], str]]:
    return []


@pytest.fixture(params=["memory", "motor", "pymongo", "simulated"])
def backend(request: pytest.FixtureRequest) -> Settings | str:
    # Not in the asynchronous fixture: the server's fixture runs an event loop of its own.
    if request.param in {"memory", "simulated"}:
        return str(request.param)
    url = SecretStr(request.getfixturevalue("mongo_url"))
    return Settings(mongo_url=url, mongo_driver=request.param, mongo_database=f"registration_{uuid.uuid4().hex[:12]}")


@pytest.fixture
async def store(backend: Settings | str, written: list[tuple[type[Entity], str]]) -> AsyncIterator[AnyStore]:
    if backend == "memory":
        yield InMemoryStore()
        return

    def note(kind: type[Entity], paths: Sequence[str]) -> None:
        written.extend((kind, path) for path in paths)

    if not isinstance(backend, Settings):
        simulated = MongoStore(InMemoryMongo().database("test"), note)
        await simulated.prepare()
        yield simulated
        return
    mongo = Mongo(backend)
    store = MongoStore(mongo.database(backend.database), note)
    await store.prepare()
    yield store
    await mongo.close()
