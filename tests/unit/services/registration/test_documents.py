"""Reading of documents leaves the event loop to waiting requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from services.registration.documents import READ_AT_ONCE, paced


async def test_requests_have_their_turn_while_many_documents_are_read() -> None:
    turns = 0

    async def cursor() -> AsyncIterator[dict[str, int]]:
        for number in range(10 * READ_AT_ONCE):
            yield {"_id": number}

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    documents = [document["_id"] async for document in paced(cursor())]
    counting.cancel()
    assert documents == list(range(10 * READ_AT_ONCE))
    assert turns >= 9
