"""The store of the read model, on MongoDB with both drivers and in the database of the simulation."""

from __future__ import annotations

import pytest

from services.portal.ports import Head, ThingStore
from services.portal.store import MongoThings
from shared.storage.mongo import MongoDatabase
from tests.support.notify_stage import agenda, edition, participant

HEAD = Head(0, "op_1", is_edition_known=True)


@pytest.fixture
async def store(database: MongoDatabase) -> ThingStore:
    subject = MongoThings(database)
    await subject.prepare()
    return subject


async def test_a_newer_revision_replaces_and_an_older_one_does_not(store: ThingStore) -> None:
    head = await store.upsert("edn_1", HEAD, [participant(1, 2, name="B"), agenda(1, number=1), edition()])
    head = await store.upsert("edn_1", head, [participant(1, 3, name="C")])
    await store.upsert("edn_1", head, [participant(1, 1, name="A"), participant(2)])
    names = {event.key: getattr(event, "name", "") for event in await store.newer("edn_1", 0)}
    assert names["edn_1/participant/prt_1"] in {"C", ""}
    assert {getattr(event, "name", "") for event in await store.newer("edn_1", 0)} == {
        "C",
        "Person 2",
        "",
        "Encuentro B2B 2018",
    }


async def test_a_reader_finds_the_things_since_its_number(store: ThingStore) -> None:
    head = await store.upsert("edn_1", HEAD, [participant(1), participant(2)])
    assert (await store.head("edn_1")).number == head.number == 1
    await store.upsert("edn_1", head, [participant(2, 2), participant(3)])
    found = sorted(event.thing_id for event in await store.newer("edn_1", head.number))
    assert found == ["prt_2", "prt_3"]
    assert await store.heads(["edn_1", "edn_2"]) == {"edn_1": 2}


async def test_an_equal_revision_gets_the_new_number(store: ThingStore) -> None:
    head = await store.upsert("edn_1", HEAD, [participant(1)])
    await store.upsert("edn_1", head, [participant(1)])
    assert [event.thing_id for event in await store.newer("edn_1", head.number)] == ["prt_1"]


async def test_editions_are_apart(store: ThingStore) -> None:
    await store.upsert("edn_1", HEAD, [participant(1)])
    assert await store.newer("edn_2", 0) == []
    assert await store.head("edn_2") == Head()
