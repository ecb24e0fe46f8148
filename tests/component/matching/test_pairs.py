from __future__ import annotations

from datetime import datetime

from tests.support.matching_editions import registered
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import Scene


async def test_an_organiser_gets_the_score_and_hindrances_of_a_pair(scene: Scene, now: datetime) -> None:
    asked = MatchingHarness(now)
    deciding = MatchingHarness(now, asked.servers)
    async with asked.client() as client:
        path = "/internal/editions/ed1/affinities/bob/ann"
        assert (await client.get(path)).json()["hindrances"] == ["edition_unknown"]
        await deciding.consume(*registered(scene))
        answer = (await client.get(path)).json()
    assert answer["hindrances"] == ["nobody_asked"]
    assert answer["score"] > 0
    assert answer["reasons"][0]["met"][0] == {"participant_id": "ann", "need": 0, "offer": 0, "fit": 1.0}
    assert asked.servers.steps["journal.insert_one"] == 1
