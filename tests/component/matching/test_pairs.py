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
    assert answer["reasons"][0]["met"][0] == {
        "participant_id": "ann",
        "need": 0,
        "offer": 0,
        "fit": 1.0,
        "shown": None,
    }
    assert asked.servers.steps["journal.insert_one"] == 1


async def test_an_organiser_lists_the_proposals_best_first(scene: Scene, now: datetime) -> None:
    asked = MatchingHarness(now)
    async with asked.client() as client:
        path = "/internal/editions/ed1/proposals"
        assert (await client.get(path)).json() == {"items": []}
        directed = scene.request("r2", "eve", "ann")
        await asked.consume(*registered(scene), scene.request("r1", "ann", partners_wanted=3), directed)
        items = (await client.get(path)).json()["items"]
        assert [item["participant_ids"] for item in items] == [["ann", "bob"], ["ann", "cid"]]
        assert items[0]["score"] > items[1]["score"]
        assert items[0]["reasons"][0]["met"][0]["participant_id"] == "ann"
        assert (items[0]["request_ids"], items[0]["consent"]) == (["r1"], "pending")
        first: dict[str, str] = {"limit": "1", "after": f"{round(items[0]['score'] * 10000)}-{items[0]['pair_id']}"}
        assert (await client.get(path, params=first)).json()["items"] == items[1:]
        assert (await client.get(path, params={"participant_id": "cid"})).json()["items"] == items[1:]
        assert (await client.get(path, params={"after": "nonsense"})).status_code == 422
        pair = "/internal/editions/ed1/affinities/ann/"
        assert [(await client.get(f"{pair}{name}")).json()["proposed"] for name in ("bob", "eve")] == [True, False]
        await asked.consume(scene.participant("bob", status="cancelled", revision=2))
        assert (await client.get(path)).json()["items"] == items[1:]
