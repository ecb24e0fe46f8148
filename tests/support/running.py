"""A wired service that runs with its lifespan, and a client of its HTTP routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from starlette.applications import Starlette

from tests.support.waiting import wait_until


@asynccontextmanager
async def running(app: Starlette, token: str = "t0ken") -> AsyncIterator[httpx.AsyncClient]:  # noqa: S107 - made up
    """Run a service from its readiness to its graceful end. The client presents the internal token, or a key."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", headers=headers) as client,
    ):

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == HTTPStatus.OK

        await wait_until(is_ready)
        yield client
