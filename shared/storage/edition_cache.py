"""The editions of a journalled service that are loaded in memory."""

from __future__ import annotations

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic

from shared.messaging.inputs import Owns
from shared.storage import journal_entry
from shared.storage.aggregate import Aggregate, Change, Message, State, fold
from shared.storage.journal_entry import Entry, JournalStore, StateSnapshot
from shared.storage.people import EditionTexts, People, Texts
from shared.storage.state_json import dump_in_pieces, load_in_pieces


@dataclass
class LoadedEdition(Generic[State]):
    """The state of an edition after entry `seq`, and its unpublished entries.

    `snapshot_bytes` is the size of the newest snapshot, `bytes_since` that of the changes after it, in bytes of JSON.
    """

    state: State
    seq: int
    unpublished: list[Entry]
    snapshot_bytes: int = 0
    bytes_since: int = 0

    @property
    def needs_snapshot(self) -> bool:
        """True if folding the changes since the last snapshot costs more than reading a state of that size."""
        return self.bytes_since >= max(self.snapshot_bytes, journal_entry.LARGE)

    def append(self, entry: Entry) -> None:
        """Advance to an entry that was written and whose changes are already applied."""
        self.seq = entry.seq
        self.bytes_since += entry.size
        if not entry.published:
            self.unpublished.append(entry)

    async def save_snapshot(self, edition_id: str, store: JournalStore) -> None:
        """Save the state as the edition's snapshot, then count changes from it."""
        size = max(self.snapshot_bytes, self.bytes_since)
        dump = partial(dump_in_pieces, self.state)
        state = dump() if size < journal_entry.LARGE else await asyncio.to_thread(dump)
        await store.save_snapshot(StateSnapshot(edition_id, self.seq, state))
        self.snapshot_bytes, self.bytes_since = len(state), 0


class EditionCache(Generic[State, Change, Message]):
    """Loads editions from a journal store, and keeps the most recently used editions in memory."""

    def __init__(
        self,
        aggregate: Aggregate[State, Change, Message],
        store: JournalStore,
        capacity: int,
        people: People[State, Change] | None = None,
    ) -> None:
        self._aggregate = aggregate
        self._store = store
        self._people = people
        self._capacity = capacity
        self._loaded: OrderedDict[str, LoadedEdition[State]] = OrderedDict()

    @property
    def edition_ids(self) -> list[str]:
        """The editions in memory, the least recently used first."""
        return list(self._loaded)

    def get(self, edition_id: str) -> LoadedEdition[State] | None:
        """Return an edition that is in memory, else None. Does not count as a use."""
        return self._loaded.get(edition_id)

    async def load(self, edition_id: str) -> LoadedEdition[State]:
        """Return an edition from memory, or fetch it into memory and evict the least recently used edition."""
        loaded = self._loaded.get(edition_id)
        if loaded is None:
            loaded = await self.fetch(edition_id)
            self._loaded[edition_id] = loaded
        self._loaded.move_to_end(edition_id)
        while len(self._loaded) > self._capacity:
            self._loaded.popitem(last=False)
        return loaded

    async def fetch(self, edition_id: str) -> LoadedEdition[State]:
        """Read an edition from the store, without a change of the edition in memory."""
        snapshot = await self._store.snapshot(edition_id)
        entries = await self._store.entries(edition_id, after=snapshot.seq if snapshot else 0)
        snapshot_bytes = len(snapshot.state) if snapshot else 0
        bytes_since = sum(entry.size for entry in entries)
        unpublished = [entry for entry in entries if not entry.published]
        # The texts are read after the entries, so that no entry is without its texts.
        texts = await self._people.load(edition_id) if self._people else {}
        if snapshot_bytes + bytes_since < journal_entry.LARGE:
            state, seq, carried = self._restore(edition_id, snapshot, entries, texts)
        else:
            state, seq, carried = await asyncio.to_thread(self._restore, edition_id, snapshot, entries, texts)
            # Exclude loaded editions from the garbage collector: they contain no reference cycles, and scanning a
            # thousand of them takes seconds.
            gc.collect(1)
            gc.freeze()
        if self._people and carried:
            await self._people.carry_over(edition_id, carried)
        return LoadedEdition(state, seq, unpublished, snapshot_bytes, bytes_since)

    def discard(self, edition_id: str) -> None:
        """Remove an edition from memory, so that its next use reads the store."""
        self._loaded.pop(edition_id, None)

    def evict_unowned(self, owns: Owns) -> None:
        """Remove the editions that this process does not own from memory."""
        for edition_id in self.edition_ids:
            if not owns(edition_id):
                del self._loaded[edition_id]

    def _restore(
        self, edition_id: str, snapshot: StateSnapshot | None, entries: Sequence[Entry], texts: EditionTexts
    ) -> tuple[State, int, dict[str, Texts]]:
        """Return the state with its texts, the last sequence number, and the texts that only older entries have."""
        if snapshot is None:
            state, seq = self._aggregate.empty(edition_id), 0
        else:
            state, seq = load_in_pieces(self._aggregate.state_type, snapshot.state), snapshot.seq
        state = fold(self._aggregate, state, entries)
        carried = self._people.join(state, texts) if self._people else {}
        return state, entries[-1].seq if entries else seq, carried
