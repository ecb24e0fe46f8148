"""A journal that an earlier version began: its texts move into `people`, and an erasure then reaches them."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
import pytest
from pymongo.errors import AutoReconnect

from services.notify.strip import strip
from shared.contract.events import OrganisationErased, ParticipantErased, Status
from tests.support.byte_search import found_in
from tests.support.notify_stage import COMMON, Stage

OLD_TEXTS = {"Zoe Plantedname", "zoe@planted.example", "Laser planting", "Planted needs", "Planted Works", "Eva Ruiz"}


def old_contact(revision: int, name: str, email: str, **fields: Any) -> dict[str, Any]:
    contact = {"revision": revision, "name": name, "email": email, "language": "en", "active": True, **fields}
    return {"type": "contact", "participant_id": "prt_1", "contact": contact}


OLD_CHANGES = [
    {"type": "operator", "operator_id": "op_1"},
    {
        "type": "organisation",
        "organisation_id": "org_1",
        "organisation": {"revision": 1, "name": "Planted Works"},
    },
    old_contact(1, "Zoe Plantedname", "zoe@planted.example", offers=["Laser planting"], needs=["Planted needs"]),
    old_contact(2, "Eva Ruiz", "eva@planted.example"),
    old_contact(3, "Eva Ruiz", "eva@planted.example", links=1),
]


PERSON_ERASED = ParticipantErased(
    **COMMON, revision=9, participant_id="prt_1", organisation_id="org_1", status=Status.CANCELLED, links=1
)
ORGANISATION_ERASED = OrganisationErased(**COMMON, revision=9, organisation_id="org_1", kind="sme", country="ES")


def places_of(stage: Stage) -> set[str]:
    """Return the collections that hold an old text."""
    return {text.partition(" in ")[2] for text in found_in(stage.servers.mongo, OLD_TEXTS)}


async def old_stage() -> tuple[Stage, Any]:
    stage = Stage(snapshot_every=1000)
    database = stage.servers.infrastructure(stage.time).mongo.database("tertulia_notify")
    for seq, change in enumerate(OLD_CHANGES, start=1):
        await database["journal"].insert_one(
            {
                "_id": f"edn_1:{seq}",
                "edition_id": "edn_1",
                "seq": seq,
                "at": stage.time(),
                "applied": "{}",
                "changes": orjson.dumps([change]).decode(),
                "outbox": "[]",
                "published": True,
                "part": 1,
                "parts": 1,
            }
        )
    return stage, database


async def test_a_strip_keeps_the_state_and_lets_an_erasure_reach_old_entries() -> None:
    stage, database = await old_stage()
    before = (await stage.journal.replay("edn_1")).model_copy(deep=True)
    assert (await strip(database, "edn_1", dry_run=True))["journal"] == 4
    assert places_of(stage) == {"journal"}
    assert (await strip(database, "edn_1"))["journal"] == 4
    assert places_of(stage) == {"people"}
    stage.restart()
    assert await stage.journal.replay("edn_1") == await stage.journal.read("edn_1") == before
    assert set((await strip(database, "edn_1")).values()) == {0}
    await stage.consume(PERSON_ERASED, ORGANISATION_ERASED)
    assert places_of(stage) == set()
    assert set((await strip(database, "edn_1")).values()) == {0}
    assert places_of(stage) == set()


async def test_an_interrupted_strip_is_continued() -> None:
    stage, database = await old_stage()
    before = (await stage.journal.replay("edn_1")).model_copy(deep=True)
    stage.servers.failing["journal.update_one"] = 1
    with pytest.raises(AutoReconnect):
        await strip(database, "edn_1")
    assert (await strip(database, "edn_1"))["journal"] == 4
    for seq, change in enumerate(OLD_CHANGES[:3], start=1):
        changes = orjson.dumps([change]).decode()
        await database["journal"].update_one({"_id": f"edn_1:{seq}"}, {"$set": {"changes": changes}})
    assert await stage.journal.replay("edn_1") == before
    assert (await strip(database, "edn_1"))["journal"] == 2
    assert await stage.journal.replay("edn_1") == before
    assert places_of(stage) == {"people"}


async def test_texts_of_an_erased_person_in_old_entries_come_not_back() -> None:
    stage, database = await old_stage()
    await stage.consume(PERSON_ERASED, ORGANISATION_ERASED)
    assert places_of(stage) == {"journal"}
    await strip(database, "edn_1")
    assert places_of(stage) == set()


async def test_a_strip_rewrites_an_old_snapshot_and_keeps_the_state_that_a_process_loads() -> None:
    stage, database = await old_stage()
    contact = {"first_known": {"name": "Zoe Plantedname", "email": "zoe@planted.example"}}
    state = {
        "edition_id": "edn_1",
        "first_operator_id": "op_1",
        "organisations": {"org_1": {"revision": 1, "name": "Planted Works"}},
        "contacts": {"prt_1": old_contact(3, "Eva Ruiz", "eva@planted.example", **contact)["contact"]},
    }
    await database["snapshots"].update_one(
        {"_id": "edn_1"}, {"$set": {"seq": 5, "state": zlib.compress(orjson.dumps(state))}}, upsert=True
    )
    replayed = (await stage.journal.replay("edn_1")).model_copy(deep=True)
    before = (await stage.journal.fresh("edn_1")).model_copy(deep=True)
    assert before.contacts["prt_1"].first_person.name == "Zoe Plantedname"
    assert (await strip(database, "edn_1"))["snapshots"] == 1
    stage.restart()
    assert await stage.journal.read("edn_1") == before
    assert await stage.journal.replay("edn_1") == replayed
    assert places_of(stage) == {"people"}
    assert set((await strip(database, "edn_1")).values()) == {0}
    await stage.consume(PERSON_ERASED, ORGANISATION_ERASED)
    assert places_of(stage) == set()
