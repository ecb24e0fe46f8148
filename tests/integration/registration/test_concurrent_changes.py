"""Concurrent changes of two processes to the same edition, over the Mongo protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from services.registration.domain import members
from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.errors import Stale
from services.registration.service import OperatorService
from services.registration.settings import Settings
from services.registration.store import MongoStore
from shared.storage.mongo import Mongo
from tests.support.registration_api import edition_body

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
ORGANISERS = 16


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[list[OperatorService]]:
    """The use cases of an operator in two processes, which share only the database."""
    clients = [Mongo(settings), Mongo(settings)]
    stores = [MongoStore(client.database(settings.database), lambda _kind, _ids: None) for client in clients]
    await stores[0].prepare()
    yield [OperatorService(store.of("itecam"), lambda: NOW) for store in stores]
    for client in clients:
        await client.close()


def tables_of(edition: Edition) -> set[str]:
    return set(edition.zones[0].tables)


def with_table(edition: Edition, table: str) -> dict[str, Any]:
    first, *rest = edition.facts(EditionFacts)["zones"]
    return {"zones": [first | {"tables": [*first["tables"], table]}, *rest]}


async def test_tables_put_by_two_processes_at_once_are_all_there(services: list[OperatorService]) -> None:
    edition = await services[0].editions.create(EditionFacts.model_validate(edition_body()), None)
    labels = [f"T{number}" for number in range(ORGANISERS)]
    await asyncio.gather(
        *(
            services[number % 2].editions.change(edition.edition_id, members.put_table("workspace", label), ())
            for number, label in enumerate(labels)
        )
    )
    assert tables_of(await services[0].editions.get(edition.edition_id)) == {"1", "2", *labels}


async def test_of_patches_made_from_the_same_revision_a_single_patch_wins(services: list[OperatorService]) -> None:
    edition = await services[0].editions.create(EditionFacts.model_validate(edition_body()), None)
    labels = [f"T{number}" for number in range(ORGANISERS)]
    outcomes = await asyncio.gather(
        *(
            services[number % 2].editions.amend(edition.edition_id, with_table(edition, label), [edition.revision])
            for number, label in enumerate(labels)
        ),
        return_exceptions=True,
    )
    won = [label for label, outcome in zip(labels, outcomes, strict=True) if isinstance(outcome, Edition)]
    assert sum(isinstance(outcome, Stale) for outcome in outcomes) == ORGANISERS - 1
    assert tables_of(await services[0].editions.get(edition.edition_id)) == {"1", "2", *won}
