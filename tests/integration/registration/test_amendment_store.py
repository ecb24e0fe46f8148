"""Amendments in memory, and in Mongo with both drivers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.registration.amendment_store import AmendmentStore, InMemoryAmendmentStore, MongoAmendmentStore
from services.registration.amendments import KEPT, AmendedEntity, Amendment
from services.registration.settings import Settings
from shared.storage.mongo import Mongo
from tests.support.in_memory.mongo import InMemoryMongo

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def amendment(number: int, operator_id: str = "itecam", edition_id: str = "edn_1") -> Amendment:
    at = NOW + timedelta(days=number)
    return Amendment(
        amendment_id=f"amd_{number}",
        operator_id=operator_id,
        edition_id=edition_id,
        kind="edition",
        entity_id=edition_id,
        revision=number,
        amended_at=at,
        expires_at=at + KEPT,
        before={"zones": [{"zone_id": "w", "tables": ["1"]}]},
        after={"zones": []},
    )


@pytest.fixture
async def amendments(backend: Settings | str) -> AsyncIterator[AmendmentStore]:
    if backend == "memory":
        yield InMemoryAmendmentStore()
        return
    mongo = InMemoryMongo() if isinstance(backend, str) else Mongo(backend)
    store = MongoAmendmentStore(mongo.database("test" if isinstance(backend, str) else backend.database))
    await store.prepare()
    await store.prepare()
    yield store
    if isinstance(mongo, Mongo):
        await mongo.close()


async def test_amendments_are_listed_by_id_until_they_expire(amendments: AmendmentStore) -> None:
    own = amendments.of("itecam")
    for number in (2, 1, 3):
        await own.add(amendment(number))
    await own.add(amendment(2))
    await own.add(amendment(4, edition_id="edn_2"))
    await amendments.of("rival").add(amendment(5, operator_id="rival"))
    assert await own.page("edn_1", "", 10, NOW) == [amendment(1), amendment(2), amendment(3)]
    assert await own.page("edn_1", "amd_1", 1, NOW) == [amendment(2)]
    assert await own.find("edn_1", "amd_3", NOW) == amendment(3)
    assert await own.find("edn_2", "amd_3", NOW) is None
    assert await amendments.of("rival").find("edn_1", "amd_3", NOW) is None
    later = NOW + KEPT + timedelta(days=1)
    assert await own.page("edn_1", "", 10, later) == [amendment(2), amendment(3)]
    assert await own.find("edn_1", "amd_1", later) is None


async def test_members_of_a_list_are_kept_in_order_and_forgotten_with_their_person(amendments: AmendmentStore) -> None:
    own, made = amendments.of("itecam"), amendment(1)
    members = [
        AmendedEntity(kind="participant", entity_id=f"prt_{number % 3}", before={"name": "Ana"}, after={"name": "Eva"})
        for number in range(5)
    ]
    await own.add_members(made, 1, members[3:])
    await own.add_members(made, 0, members[:3])
    await own.add_members(made, 0, members[:3])
    assert await own.members(made) == members
    await own.forget("edn_2", "prt_1")
    await amendments.of("rival").forget("edn_1", "prt_1")
    assert await own.members(made) == members
    await own.forget("edn_1", "prt_1")
    assert await own.members(made) == [member for member in members if member.entity_id != "prt_1"]
