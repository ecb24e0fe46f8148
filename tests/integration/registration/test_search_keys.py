"""Searches by keys, for the store in memory and for Mongo with both drivers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.registration.domain.organisation import Organisation
from services.registration.ports import KeyBeginning
from services.registration.store import MongoStore
from shared.contract.events import OrganisationKind

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def organisation(number: int = 1, name: str = "Empresa", edition_id: str = "edn_1") -> Organisation:
    return Organisation(
        operator_id="itecam",
        edition_id=edition_id,
        created_at=NOW,
        changed_at=NOW,
        organisation_id=f"org_{number}",
        name=name,
        kind=OrganisationKind.SME,
        country="ES",
    )


async def test_finds_entities_by_the_beginning_of_a_key(store: Any) -> None:
    repository = store.of("itecam")
    for number, edition_id in ((1, "edn_1"), (2, "edn_1"), (3, "edn_2")):
        named = organisation(number, name=f"Forja Ñandú {number}", edition_id=edition_id)
        await repository.insert(named, "f")

    async def found(edition_id: str | None, beginning: str, after: str = "") -> list[str]:
        where = {"search_keys": KeyBeginning(beginning)}
        return [entity.id for entity in await repository.page(Organisation, edition_id, after, 10, where)]

    # No key begins with `n:g`, although one is above it and another below the next: both bounds are for the same key.
    assert await found("edn_1", "n:g") == []
    assert await found("edn_1", "n:nan") == ["org_1", "org_2"]
    assert await found(None, "n:forja\n") == ["org_1", "org_2", "org_3"]
    assert await found(None, "n:forja\n", "edn_1/org_1") == ["org_2", "org_3"]


async def test_documents_of_earlier_versions_are_found_too(store: Any) -> None:
    await store.of("itecam").insert(organisation(), "f")
    if isinstance(store, MongoStore):  # a store in memory holds no documents of earlier versions
        documents = store._database["organisations"]
        await documents.update_one({"_id": "itecam/edn_1/org_1"}, {"$set": {"search_keys": None}})
        await store.prepare()
    where = {"search_keys": KeyBeginning("n:empresa")}
    assert len(await store.of("itecam").page(Organisation, "edn_1", "", 10, where)) == 1
