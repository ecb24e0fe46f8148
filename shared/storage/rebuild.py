"""The common part of rebuilding a service's state from the topics.

A service cannot decide its past again: revisions count its history, and time has passed. Therefore the events that it
*consumed*, up to its committed offsets, restore its inputs; later events are delivered again after the rebuild. The
events that it *published* restore its decisions. Both become changes of a new journal without messages: no agenda
moves, and no mail is sent.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from shared.contract.topics import Topic
from shared.messaging.topic_log import EditionEvents
from shared.runtime.clock import utc_now
from shared.runtime.settings import ServiceSettings
from shared.storage.aggregate import Aggregate, fold
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import MongoDatabase
from shared.storage.people import MongoPeople, TextJoin

State = TypeVar("State", bound=BaseModel)
Change = TypeVar("Change", bound=BaseModel)
#: The part of a state that a rebuild restores exactly: JSON values by part and id.
View = Mapping[str, Mapping[str, Any]]
#: Changes of one entry: a large change takes some kilobytes, and a document holds 16 MB.
_CHANGES_AN_ENTRY = 500
_WRITES_AT_ONCE = 16


class CannotRebuild(Exception):
    """The events on the topics do not form a state. The message says which events, and what to do."""


@dataclass
class Rebuilt:
    """The result for an edition: the number of things written, and notes for the operator."""

    things: int = 0
    notes: list[str] = field(default_factory=list)


class Rebuilder(Protocol):
    """Rebuilds the state of a service, and shows the part of it that a rebuild restores."""

    settings: ServiceSettings
    #: The topics that the service consumes, and the topics that it publishes.
    consumed: tuple[Topic, ...]
    published: tuple[Topic, ...]

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's state into an empty database. Raises `CannotRebuild`."""

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the part of an edition's state that a rebuild restores; empty if the database has no such edition."""


class JournalDraft(Generic[State, Change]):
    """The changes that will become a rebuilt journal, and the state after them."""

    def __init__(self, aggregate: Aggregate[State, Change, Any], edition_id: str) -> None:
        self.edition_id = edition_id
        self.state = aggregate.empty(edition_id)
        self.changes: list[Change] = []
        self._aggregate = aggregate

    def record(self, change: Change) -> None:
        """Apply a change and append it."""
        self._aggregate.evolve(self.state, change)
        self.changes.append(change)


async def write_journal(
    database: MongoDatabase,
    aggregate: Aggregate[Any, Change, Any],
    draft: JournalDraft[Any, Change],
    consumed: EditionEvents,
    texts: TextJoin[Any, Change] | None = None,
) -> None:
    """Write a draft as the first entries of an edition's journal, without messages. Its texts are written first."""
    store, people = MongoJournalStore(database), MongoPeople(database)
    await store.prepare()
    if texts:
        await people.prepare()
        await people.save(draft.edition_id, texts.texts_of(draft.state))
    edition_id, changes, applied = draft.edition_id, draft.changes, dict(consumed.last_offsets)
    for seq, at in enumerate(range(0, len(changes), _CHANGES_AN_ENTRY), start=1):
        some = [
            aggregate.change_type.dump_python(change, mode="json") for change in changes[at : at + _CHANGES_AN_ENTRY]
        ]
        await store.append(Entry(edition_id, seq, utc_now(), applied, some, [], published=True))


async def read_journal(
    database: MongoDatabase,
    aggregate: Aggregate[State, Change, Any],
    edition_id: str,
    texts: TextJoin[State, Change] | None = None,
) -> State | None:
    """Return an edition's state, folded from the first entry; None if the edition has no journal."""
    entries = await MongoJournalStore(database).entries(edition_id, after=0)
    if not entries:
        return None
    state = fold(aggregate, aggregate.empty(edition_id), entries)
    if texts:
        texts.join(state, await MongoPeople(database).load(edition_id))
    return state


async def side_by_side(writes: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Await independent writes, a few at a time."""
    limit = asyncio.Semaphore(_WRITES_AT_ONCE)

    async def write_within_limit(write: Coroutine[Any, Any, object]) -> None:
        async with limit:
            await write

    await asyncio.gather(*map(write_within_limit, writes))


def as_json(parts: Mapping[str, BaseModel], **options: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own
    """Return models by id as JSON values by id."""
    return {key: model.model_dump(mode="json", **options) for key, model in parts.items()}


def digest(view: View) -> str:
    """Return the SHA-256 of a view's canonical JSON: sorted keys, no blanks."""
    canonical = json.dumps(view, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(rebuilt: View, live: View) -> Iterator[tuple[str, str, str, str]]:
    """Yield the differences of two views: part, id, rebuilt value and live value (`-` for no value)."""
    for part in sorted({*rebuilt, *live}):
        ours, theirs = rebuilt.get(part, {}), live.get(part, {})
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key):
                yield part, key, _short(ours.get(key)), _short(theirs.get(key))


def _short(value: object) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)[:400]
