from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from services.matching.aggregate import MatchingAggregate
from services.matching.api import pair_routes
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore
from tests.component.matching.test_matching import InMemoryOutlet, batch
from tests.support.matching_editions import matchmaker, registered


async def test_an_organiser_can_ask_why_two_do_not_meet(scene: Any, now: datetime) -> None:
    store, makers = InMemoryJournalStore(), (matchmaker(), matchmaker())
    ours, theirs = (
        Journal(MatchingAggregate(maker), store, InMemoryOutlet(), lambda: now, off_loop=True) for maker in makers
    )
    transport = httpx.ASGITransport(Starlette(routes=pair_routes(ours, makers[0])))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as client:
        path = "/editions/ed1/affinities/bob/ann"
        assert (await client.get(path)).json()["hindrances"] == ["edition_unknown"]
        await theirs.decide("ed1", batch(*registered(scene)))
        answer = (await client.get(path)).json()
    assert answer["hindrances"] == ["nobody_asked"]
    assert answer["score"] > 0
    assert answer["reasons"][0]["met"][0] == {"participant_id": "ann", "need": 0, "offer": 0, "fit": 1.0}
    assert len(await store.entries("ed1", after=0)) == 1
