"""What all rebuilding has in common.

A service that decides cannot decide again: revisions count its history, and time has passed. So what it *heard* gives
what it knows, as far as it had committed (what came later is delivered to it again, and decided then); and what it
*said* gives what it decided. Both become changes of its own journal, which says nothing by itself: nobody's agenda
moves, and nobody is mailed.
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

State = TypeVar("State", bound=BaseModel)
Change = TypeVar("Change", bound=BaseModel)
#: What of a state is promised to be the same after a rebuild: JSON values by part and id.
View = Mapping[str, Mapping[str, Any]]
#: Changes of one entry: the largest of them take some kilobytes, and a document holds 16 MB.
_CHANGES_AN_ENTRY = 500
_WRITES_AT_ONCE = 16


class CannotRebuild(Exception):
    """What the topics say does not make a state; the message says where, and what to do."""


@dataclass
class Rebuilt:
    """What came of an edition: the things written, and what an operator should know of it."""

    things: int = 0
    notes: list[str] = field(default_factory=list)


class Rebuilder(Protocol):
    """How one service's state is made, and seen."""

    settings: ServiceSettings
    #: The topics it consumes, and those it writes.
    consumed: tuple[Topic, ...]
    published: tuple[Topic, ...]

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's state into an empty database. Raises `CannotRebuild`."""

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """What of the edition's state is promised to be the same; empty where the database has none."""


class JournalDraft(Generic[State, Change]):
    """A state in the making, and the changes that make it."""

    def __init__(self, aggregate: Aggregate[State, Change, Any], edition_id: str) -> None:
        self.edition_id = edition_id
        self.state = aggregate.empty(edition_id)
        self.changes: list[Change] = []
        self._aggregate = aggregate

    def record(self, change: Change) -> None:
        """Apply a change and keep it."""
        self._aggregate.evolve(self.state, change)
        self.changes.append(change)


async def write_journal(
    database: MongoDatabase,
    aggregate: Aggregate[Any, Change, Any],
    draft: JournalDraft[Any, Change],
    consumed: EditionEvents,
) -> None:
    """Write the changes made as the first entries of an edition's journal, with nothing to send."""
    store = MongoJournalStore(database)
    await store.prepare()
    edition_id, changes, applied = draft.edition_id, draft.changes, dict(consumed.last_offsets)
    for seq, at in enumerate(range(0, len(changes), _CHANGES_AN_ENTRY), start=1):
        some = [aggregate.change_type.dump_python(one, mode="json") for one in changes[at : at + _CHANGES_AN_ENTRY]]
        await store.append(Entry(edition_id, seq, utc_now(), applied, some, [], published=True))


async def read_journal(database: MongoDatabase, aggregate: Aggregate[State, Any, Any], edition_id: str) -> State | None:
    """The state of an edition, folded from its first entry; None where there is no journal of it."""
    entries = await MongoJournalStore(database).entries(edition_id, after=0)
    return fold(aggregate, aggregate.empty(edition_id), entries) if entries else None


async def side_by_side(writes: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Make writes that do not depend on each other, a few at a time."""
    limit = asyncio.Semaphore(_WRITES_AT_ONCE)

    async def one(write: Coroutine[Any, Any, object]) -> None:
        async with limit:
            await write

    await asyncio.gather(*map(one, writes))


def as_json(parts: Mapping[str, BaseModel], **options: Any) -> dict[str, Any]:  # noqa: ANN401 - pydantic's own
    """Models by id, as JSON values by id."""
    return {key: one.model_dump(mode="json", **options) for key, one in parts.items()}


def digest(view: View) -> str:
    """The SHA-256 of a view's canonical JSON: keys sorted, no blanks."""
    canonical = json.dumps(view, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def differences(rebuilt: View, live: View) -> Iterator[tuple[str, str, str, str]]:
    """Where two views differ: part, id, and what each has there (`-` for nothing)."""
    for part in sorted({*rebuilt, *live}):
        ours, theirs = rebuilt.get(part, {}), live.get(part, {})
        for key in sorted({*ours, *theirs}):
            if ours.get(key) != theirs.get(key):
                yield part, key, _short(ours.get(key)), _short(theirs.get(key))


def _short(value: object) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)[:400]
