"""Waiting for a condition, in place of a sleep before an assertion."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_POLL_SECONDS = 0.02


async def wait_until(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Return once a condition holds. Raises `TimeoutError` after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await _holds(condition):
            await asyncio.sleep(_POLL_SECONDS)


async def stays(condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Return whether a condition holds all the time for so many seconds; return at once when it fails."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while holds := await _holds(condition):
        if loop.time() >= end:
            break
        await asyncio.sleep(_POLL_SECONDS)
    return holds


async def _holds(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> bool:
    answer = condition()
    return await answer if inspect.isawaitable(answer) else answer
