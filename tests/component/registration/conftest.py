"""Fixtures of registration, assembled on servers in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.settings import Settings
from tests.support.registration_api import NO_RATES, Clock, EditionHarness, RegistrationHarness, client_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings() -> Settings:
    return Settings(**NO_RATES, max_body_bytes=64 * 1024, max_import_bytes=256 * 1024, max_import_rows=300)


@pytest.fixture
async def registration(clock: Clock, settings: Settings) -> RegistrationHarness:
    harness = RegistrationHarness(clock, settings)
    await harness.set_up_database()
    return harness


@pytest.fixture
def context(registration: RegistrationHarness) -> ApiContext:
    return registration.context


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
