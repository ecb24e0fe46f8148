"""An announced edition of ten participants and five encounters, for tests of previews."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import EDITION, ApiHarness

NAMES = "Ana Beto Carla Dario Eva Fran Gema Hugo Ines Juan"
ZONE = EDITION["zones"][0]
NO_TABLES = {"zones": [ZONE | {"tables": []}]}


@asynccontextmanager
async def announced_edition(harness: ApiHarness) -> AsyncIterator[httpx.AsyncClient]:
    """Serve an announced edition of ten participants and five encounters, on two tables."""
    async with harness.client() as client:
        await harness.set_up(client, NAMES)
        names = NAMES.split()
        await harness.deliver(*(harness.pair(one, two) for one, two in zip(names[::2], names[1::2], strict=True)))
        await patch(client, harness.path, {"phase": "published"})
        await harness.deliver()
        await harness.settle()
        yield client


async def patch(api: httpx.AsyncClient, path: str, body: dict[str, Any], **query: str) -> httpx.Response:
    """Change fields of an entity at any revision."""
    return await api.patch(path, json=body, headers=ANY_REVISION, params=query)


async def places(harness: ApiHarness, api: httpx.AsyncClient) -> dict[str, Any]:
    """Return the places of the encounters, by id."""
    listed = (await api.get(f"{harness.path}/encounters")).json()["items"]
    return {encounter["encounter_id"]: encounter["place"] for encounter in listed}
