"""A journal with profiles in its entries, as earlier versions wrote it: the texts move into `people`."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.matching.strip import strip
from tests.support.byte_search import found_in
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import Scene

TEXTS = {"Soldadura plantada", "Taller plantado"}


async def test_a_strip_keeps_the_state_of_an_old_journal(now: datetime, scene: Scene) -> None:
    harness = MatchingHarness(now, snapshot_every=1000)
    bob = scene.participant("bob", offers=("Taller plantado",), needs=("Soldadura plantada",))
    await harness.consume(scene.edition(), scene.organisation("org_bob"), bob)
    before = (await harness.journal.replay("ed1")).model_copy(deep=True)
    database = harness.servers.infrastructure(lambda: now).mongo.database("tertulia_matching")
    async for document in database["journal"].find({}):
        changes = orjson.loads(document["changes"])
        for change in changes:
            if change["type"] == "participant_learned":
                change["participant"]["profile"] |= {
                    "offers": list(bob.profile.offers),
                    "needs": list(bob.profile.needs),
                }
                del change["participant"]["texts"], change["participant"]["erased"]
        update = {"$set": {"changes": orjson.dumps(changes).decode()}}
        await database["journal"].update_one({"_id": document["_id"]}, update)
    await database["people"].delete_many({})
    assert found_in(harness.servers.mongo, TEXTS) == [f"{text} in journal" for text in sorted(TEXTS)]
    assert (await strip(database, "ed1"))["journal"] == 1
    assert found_in(harness.servers.mongo, TEXTS) == [f"{text} in people" for text in sorted(TEXTS)]
    assert await harness.journal.replay("ed1") == before
    assert set((await strip(database, "ed1")).values()) == {0}
