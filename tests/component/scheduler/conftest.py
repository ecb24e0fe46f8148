"""Fixtures of the component tests of the scheduler."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import ApiHarness


@pytest.fixture
def harness() -> ApiHarness:
    return ApiHarness()


@pytest.fixture
async def api(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with harness.client() as client:
        await harness.set_up(client, "Ana Beto Carla Dario")
        await harness.deliver(
            harness.pair("Ana", "Beto", priority=3), harness.pair("Ana", "Carla"), harness.pair("Beto", "Dario")
        )
        await client.patch(harness.path, json={"phase": "published"}, headers=ANY_REVISION)
        await harness.deliver()
        await harness.settle()
        yield client
