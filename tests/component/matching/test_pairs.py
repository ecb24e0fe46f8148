from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from services.matching.aggregate import MatchingAggregate
from services.matching.api import pair_routes
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.matching_editions import matchmaker, registered
from tests.support.matching_journal import RecordingOutlet, inputs_of


async def test_an_organiser_gets_the_score_and_hindrances_of_a_pair(scene: Any, now: datetime) -> None:
    store, makers = InMemoryJournalStore(), (matchmaker(), matchmaker())
    ours, theirs = (
        Journal(MatchingAggregate(maker), store, RecordingOutlet(), lambda: now, off_loop=True) for maker in makers
    )
    transport = httpx.ASGITransport(Starlette(routes=pair_routes(ours, makers[0])))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as client:
        path = "/editions/ed1/affinities/bob/ann"
        assert (await client.get(path)).json()["hindrances"] == ["edition_unknown"]
        await theirs.decide("ed1", inputs_of(*registered(scene)))
        answer = (await client.get(path)).json()
    assert answer["hindrances"] == ["nobody_asked"]
    assert answer["score"] > 0
    assert answer["reasons"][0]["met"][0] == {"participant_id": "ann", "need": 0, "offer": 0, "fit": 1.0}
    assert len(await store.entries("ed1", after=0)) == 1
