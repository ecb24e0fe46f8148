"""Fixtures of the component tests of the scheduler."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.scheduler_api import ApiHarness


@pytest.fixture
def venue() -> ApiHarness:
    return ApiHarness()


@pytest.fixture
async def api(venue: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    async with venue.client() as client:
        await venue.set_up(client, "Ana Beto Carla Dario")
        await venue.deliver(
            venue.pair("Ana", "Beto", priority=3), venue.pair("Ana", "Carla"), venue.pair("Beto", "Dario")
        )
        await client.patch(venue.path, json={"phase": "published"})
        await venue.deliver()
        await venue.settle()
        yield client
