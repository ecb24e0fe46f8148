"""Fixtures of the whole API over a store in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.authenticator import Authenticator, digest_of
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.ports import OperatorKey
from services.registration.settings import Settings
from tests.support.registration_api import OPERATORS, Clock, EditionHarness, client_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> InMemoryStore:
    return InMemoryStore()


@pytest.fixture
def settings() -> Settings:
    return Settings(max_body_bytes=64 * 1024, max_import_bytes=256 * 1024, max_import_rows=300)


@pytest.fixture
def context(store: InMemoryStore, clock: Clock, settings: Settings) -> ApiContext:
    keys = {operator: [OperatorKey(digest_of(secret))] for operator, secret in OPERATORS.items()}
    return ApiContext(store, Authenticator(InMemoryOperators(keys), 5), settings, clock)


@pytest.fixture
async def api(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "itecam") as client:
        yield client


@pytest.fixture
async def rival(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "rival") as client:
        yield client


@pytest.fixture
async def stranger(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, None) as client:
        yield client


@pytest.fixture
async def edition(api: httpx.AsyncClient) -> EditionHarness:
    return await EditionHarness(api).set_up()
