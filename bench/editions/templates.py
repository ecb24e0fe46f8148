"""Journals of many editions: a few templates, and copies of them under ids of their own."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
from pydantic import SecretStr

from bench.editions.measured import TimedJournal, input_of
from bench.instances.editions import ITECAM, synthetic
from bench.instances.renamed import edition_of, renamed
from bench.instances.stream import late_changes, published
from services.scheduler.aggregate import announcing, publishing
from services.scheduler.settings import Settings
from shared.contract.cloudevents import Record, encode
from shared.contract.events import Event
from shared.contract.ids import encounter_id, pair_id
from shared.runtime.clock import utc_now
from shared.storage.journal_entry import Entry, StateSnapshot
from shared.storage.journal_store import InMemoryJournalStore, MongoJournalStore
from shared.storage.mongo import Mongo

#: Number of templates, so that editions differ by more than their ids.
TEMPLATES = 20
#: Late changes of an edition: before the measurement, in each part of it, and in a stream over all editions.
BEFORE, PER_PART, STREAM = 10, 10, 500
_IDS = re.compile(rb"(?:edn|pair|enc|bench)_[0-9a-f]{32}")


@dataclass(frozen=True)
class _Template:
    """An edition to copy under other ids: its newest snapshot, the entries since, and its late changes.

    `pairs` maps pair ids to participant ids, from which the ids of pairs and encounters are derived.
    """

    number: int
    snapshot: StateSnapshot
    entries: tuple[Entry, ...]
    pairs: Mapping[str, tuple[str, str]]
    changes: tuple[Event, ...]


def make_journals(numbers: Sequence[int], url: str) -> dict[str, list[Record]]:
    """Write the journals of editions that differ in their ids only. Return their late changes, as records."""
    return asyncio.run(_journalled(numbers, url))


async def _journalled(numbers: Sequence[int], url: str) -> dict[str, list[Record]]:
    template = await _template(numbers[0])
    async with open_store(url) as store:
        for number in numbers:
            await _copy(template, number, store)
    return {
        edition_of(number): [encode(renamed(event, number)) for event in template.changes[: _changes_of(number)]]
        for number in numbers
    }


def _changes_of(number: int) -> int:
    """Return the number of late changes of an edition. The first editions have more: Zipf's law prefers them."""
    return 3 * PER_PART + STREAM // (2 * (number + 1))


async def _template(number: int) -> _Template:
    """Journal an edition as a scheduler does: its events in batches, then some late changes singly."""
    instance, store = synthetic(ITECAM, number), InMemoryJournalStore()
    events = [renamed(event, number) for event in (*instance.events, published(instance))]
    changes = tuple(change.event for change in late_changes(instance, BEFORE + _changes_of(0)))
    journal, edition_id, most = TimedJournal(store, in_memory=1), edition_of(number), Settings().batch_max_records
    for at in range(0, len(events), most):
        await journal.decide(edition_id, [input_of(event) for event in events[at : at + most]])
    await journal.transact(edition_id, announcing)
    while (state := await journal.read(edition_id)).unpublished_pairs or state.unpublished_participants:
        await journal.transact(edition_id, publishing)
    for event in changes[:BEFORE]:
        await journal.decide(edition_id, [input_of(renamed(event, number))])
    snapshot = await store.snapshot(edition_id)
    assert snapshot is not None  # noqa: S101 - it is large enough for one
    entries = tuple(await store.entries(edition_id, after=snapshot.seq))
    pairs = {pair_id: pair.matched for pair_id, pair in (await journal.read(edition_id)).pairs.items()}
    return _Template(number, snapshot, entries, pairs, changes[BEFORE:])


async def _copy(template: _Template, number: int, store: MongoJournalStore) -> None:
    """Write the template's journal under the ids of another edition, without the entries that no load reads."""
    edition_id = edition_of(number)
    ids = {edition_of(template.number): edition_id}
    for pair, (first_id, second_id) in template.pairs.items():
        renamed_pair = first_id[:-12] + f"{number:012x}", second_id[:-12] + f"{number:012x}"
        ids[pair] = pair_id(edition_id, *renamed_pair)
        ids[encounter_id(edition_of(template.number), first_id, second_id)] = encounter_id(edition_id, *renamed_pair)

    def copied(text: bytes) -> bytes:
        return _IDS.sub(lambda found: _other_id(found[0].decode(), ids, number).encode(), text)

    first = Entry(edition_id, 1, utc_now(), {}, [], [], published=True)
    await store.append(first)
    await store.save_snapshot(StateSnapshot(edition_id, template.snapshot.seq, copied(template.snapshot.state)))
    for entry in template.entries:
        changes = orjson.loads(copied(orjson.dumps(entry.changes)))
        await store.append(replace(entry, edition_id=edition_id, changes=changes, outbox=[], published=True))


def _other_id(known: str, ids: Mapping[str, str], number: int) -> str:
    return ids.get(known) or known[:-12] + f"{number:012x}"


@contextlib.asynccontextmanager
async def open_store(url: str) -> AsyncIterator[MongoJournalStore]:
    """Open the scheduler's journal store of the database at a URL."""
    mongo = Mongo(Settings(mongo_url=SecretStr(url)))
    store = MongoJournalStore(mongo.database(Settings().database))
    await store.prepare()
    try:
        yield store
    finally:
        await mongo.close()
