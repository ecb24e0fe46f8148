"""Removal of a protection from the services' own code: some seed notices it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.notify.delivery_worker import DeliveryWorker
from services.notify.domain import decide as notify_decide
from services.notify.domain.delivery import Delivery
from shared.messaging.lanes import Lanes
from shared.messaging.offsets import PartitionOffsets
from shared.storage.edition_cache import EditionCache
from shared.storage.journal import Journal
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import MongoJournalStore, document_of
from shared.storage.outbox import OutboxRelay
from tests.simulation.world import run_seed

Patch = pytest.MonkeyPatch
#: Number of seeds to try.
MOST_SEEDS = 500
#: The first seed to try, where a fault that matters is rare: an unconfirmed mail that matters occurs in one of 500.
FIRST_SEEDS = {"send_doubts_again": 550}


def no_fence(patch: Patch) -> None:
    """Overwrite an existing entry."""

    async def append(self: MongoJournalStore, entry: Entry) -> None:
        written = document_of(entry)
        await self._entries.update_one({"_id": written["_id"]}, {"$set": written}, upsert=True)

    patch.setattr(MongoJournalStore, "append", append)


def no_dedupe(patch: Patch) -> None:
    """Apply repeated and older revisions as if they were new."""
    patch.setattr(notify_decide, "_is_newer", lambda *_: True)


def commit_first(patch: Patch) -> None:
    """Commit the offset of a record before the record is handled."""
    patch.setattr(PartitionOffsets, "lowest_unfinished", property(lambda offsets: offsets.position))
    take = Lanes.take

    def take_committed(self: Lanes, *records: Any) -> int:
        taken = take(self, *records)
        self._on_turn_ended([])
        return taken

    patch.setattr(Lanes, "take", take_committed)


def mark_before_sending(patch: Patch) -> None:
    """Mark an entry as sent before it is sent."""

    async def send(self: Journal[Any, Any, Any], entry: Entry) -> None:
        await self._store.mark_published(entry)
        entry.published = True
        await self._outlet.send(entry.outbox)

    patch.setattr(Journal, "_publish", send)


def send_doubts_again(patch: Patch) -> None:
    """Send an unconfirmed mail again."""

    async def deliver(self: DeliveryWorker, delivery: Delivery, line: Any) -> None:
        anew = delivery.model_copy(update={"mailing": None})
        await _deliver(self, anew, line)

    _deliver = DeliveryWorker.deliver
    patch.setattr(DeliveryWorker, "deliver", deliver)


def leave_the_unsent(patch: Patch) -> None:
    """Never send the unsent entries of a dead process, neither on loading the edition nor in the sweep."""
    fetch = EditionCache.fetch

    async def fetch_without(self: EditionCache[Any, Any, Any], edition_id: str) -> Any:
        return replace(await fetch(self, edition_id), unpublished=[])

    async def nothing(self: Journal[Any, Any, Any]) -> None:
        return None

    patch.setattr(EditionCache, "fetch", fetch_without)
    patch.setattr(Journal, "sweep", nothing)


def no_outbox_sweep(patch: Patch) -> None:
    """Never send the outboxes of a dead process."""

    async def nothing(self: OutboxRelay) -> None:
        return None

    patch.setattr(OutboxRelay, "sweep", nothing)


def empty_what_came_meanwhile(patch: Patch) -> None:
    """Empty an outbox with the messages added since it was read."""

    async def empty(self: OutboxRelay, ids: list[str], length: int, newest: int) -> None:
        await self._collection.update_many({"_id": {"$in": ids}}, {"$set": {"outbox": [], "pending_since": None}})

    patch.setattr(OutboxRelay, "_empty", empty)


@pytest.mark.parametrize(
    "take_away",
    [
        no_fence,
        no_dedupe,
        commit_first,
        mark_before_sending,
        send_doubts_again,
        leave_the_unsent,
        no_outbox_sweep,
        empty_what_came_meanwhile,
    ],
)
def test_some_seed_notices_a_removed_protection(take_away: Callable[[Patch], None], monkeypatch: Patch) -> None:
    take_away(monkeypatch)
    first = FIRST_SEEDS.get(take_away.__name__, 0)
    noticed = next((seed for seed in range(first, first + MOST_SEEDS) if _is_wrong(seed)), None)
    assert noticed is not None, f"{MOST_SEEDS} seeds do not notice it"


def _is_wrong(seed: int) -> bool:
    try:
        return bool(run_seed(seed).violations)
    except KeyError:  # a journal that two processes have overwritten cannot be folded
        return True
