"""Long work steps aside for requests, and ends all the same."""

from __future__ import annotations

import asyncio

from shared.runtime.courtesy import Courtesy


async def test_work_waits_until_no_request_is_under_way() -> None:
    courtesy, ended = Courtesy(), False

    async def request() -> None:
        nonlocal ended
        with courtesy.request():
            await asyncio.sleep(0.001)
            ended = True

    asyncio.create_task(request())  # noqa: RUF006 - `pause` waits for it
    await asyncio.sleep(0)
    await courtesy.pause()
    assert ended


async def test_work_ends_beside_requests_without_end() -> None:
    courtesy = Courtesy()
    with courtesy.request():
        for _ in range(3):
            await courtesy.pause()


async def test_work_without_requests_has_no_pause() -> None:
    courtesy = Courtesy()
    with courtesy.request():
        pass
    for _ in range(1000):
        await courtesy.pause()
