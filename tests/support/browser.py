"""A real browser for the tests: Debian's chromium, driven by Playwright, and a server for the pages of a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette

from tests.support.outside import outside
from tests.support.waiting import wait_until

_SWITCHES = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none")


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start chromium. Without it the test is skipped with the reason; with `CI=true` it fails."""
    (program,) = outside("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_SWITCHES))
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[str]:
    """Serve an application whose lifespan runs already, on a free port. Yields its address."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_level="error", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:

        async def has_started() -> bool:
            return server.started

        await wait_until(has_started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await running
