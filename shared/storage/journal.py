"""The journal: a service's state per edition, as an append-only list of entries (ADR 0002).

One entry holds the positions of the inputs, the changes of state and the outgoing messages, written with one
insert at `<edition>:<seq>`. A taken seq means that another process owns the edition now: that is the fence.
State is the fold of the changes. Messages are sent after the write, in order; whoever loads an edition sends
first what its journal holds unsent.
"""

from __future__ import annotations

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared.contract.cloudevents import pack, unpack
from shared.contract.events import Event
from shared.messaging.broker import KafkaPublisher
from shared.messaging.consumer import Input, Owns
from shared.runtime.clock import Clock, utc_now
from shared.runtime.log import get_logger
from shared.runtime.metrics import FENCE_REJECTIONS, JOURNAL_ENTRIES, SWEPT
from shared.runtime.retry import Unready

_log = get_logger(__name__)

State = TypeVar("State", bound=BaseModel)
Change = TypeVar("Change", bound=BaseModel)
Message = TypeVar("Message")
Message_contra = TypeVar("Message_contra", contravariant=True)

#: Losing the fence this often in a row means that two processes fight for an edition.
_FENCE_ATTEMPTS = 20
#: Bytes of JSON from which a state is worth a snapshot, and its reading worth a thread: a tenth of a second's work.
LARGE = 1 << 18
#: Entries younger than this are still in their writer's hands: the sweeper leaves them.
_SWEEP_AGE = timedelta(seconds=10)


class SequenceTaken(Exception):
    """Another process has written this entry of the edition's journal."""


@dataclass
class Decision(Generic[Change, Message]):
    """What came of inputs: the changes of state, already applied with `evolve`, and the messages to send."""

    changes: list[Change] = field(default_factory=list)
    outbox: list[Message] = field(default_factory=list)


class Aggregate(Protocol[State, Change, Message]):
    """The pure core of a service: how inputs change an edition's state, and what is said about it."""

    @property
    def state_type(self) -> type[State]:
        """The model of the state, for snapshots."""

    @property
    def change_type(self) -> TypeAdapter[Change]:
        """The union of the changes, for entries."""

    def empty(self, edition_id: str) -> State:
        """The state of an edition nothing is known of."""

    def decide(self, state: State, events: Sequence[Event], now: datetime) -> Decision[Change, Message]:
        """Work through events in order; change `state` only by calling `evolve` with each change as it is made."""

    def evolve(self, state: State, change: Change) -> None:
        """Apply one change: the only function that changes a state, so that replay gives the same state."""


def fold(aggregate: Aggregate[State, Change, Message], state: State, entries: Sequence[Entry]) -> State:
    """The state after these entries, which are those that follow it.

    Raises:
        Unready: an entry holds what this version does not know: a newer one wrote it, and has to own the edition.
    """
    for entry in entries:
        for change in entry.changes:
            aggregate.evolve(state, _known(aggregate, entry, change))
    return state


def _known(aggregate: Aggregate[State, Change, Message], entry: Entry, change: dict[str, Any]) -> Change:
    try:
        return aggregate.change_type.validate_python(change)
    except ValidationError as error:
        raise Unready(
            f"entry {entry.edition_id}:{entry.seq} of the journal holds {change.get('type')!r}, which this version "
            f"cannot read: run the version that wrote it, or a newer one"
        ) from error


class Outlet(Protocol[Message_contra]):
    """Where a journal's messages go."""

    def pack(self, message: Message_contra) -> dict[str, Any]:
        """The message as the entry keeps it: JSON values."""

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Send in order; return once all have arrived. May be called again with the same messages."""


class KafkaOutlet:
    """Sends a journal's events to their topics."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self._publisher = publisher

    def pack(self, message: Event) -> dict[str, Any]:
        """The event with its type and its trace."""
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Publish in order; return once all are acknowledged."""
        await self._publisher.send([unpack(event) for event in packed])


@dataclass
class Entry:
    """One line of a journal."""

    edition_id: str
    seq: int
    at: datetime
    #: `"<topic>/<partition>": offset`, the last input of each: for audits. What is a repeat is told by revisions.
    applied: dict[str, int]
    changes: list[dict[str, Any]]
    outbox: list[dict[str, Any]]
    published: bool


@dataclass(frozen=True)
class StateSnapshot:
    """A state as of an entry, so that loading need not fold from the first."""

    edition_id: str
    seq: int
    state: bytes


class JournalStore(Protocol):
    """Keeps entries and snapshots. `MongoJournalStore` and `InMemoryJournalStore` pass the same contract tests."""

    async def append(self, entry: Entry) -> None:
        """Insert; raise `SequenceTaken` where the edition has an entry of that seq."""

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        """The entries with a higher seq than `after`, in order."""

    async def unpublished(self, before: datetime, limit: int) -> list[Entry]:
        """The oldest entries written before a moment whose messages are not known to be sent, in order of seq."""

    async def mark_published(self, entry: Entry) -> None:
        """Note that an entry's messages are sent."""

    async def snapshot(self, edition_id: str) -> StateSnapshot | None:
        """The newest snapshot."""

    async def save_snapshot(self, snapshot: StateSnapshot) -> None:
        """Keep a snapshot in place of an older one."""

    async def editions(self) -> list[str]:
        """Every edition that has a journal."""


@dataclass
class _Loaded(Generic[State]):
    """An edition in memory; how large its snapshot is, and the changes since, in bytes of JSON."""

    state: State
    seq: int
    unsent: list[Entry]
    snapshot_bytes: int = 0
    bytes_since: int = 0

    @property
    def is_worth_a_snapshot(self) -> bool:
        """Whether it takes longer to fold the changes than to read the state: then there is one for every doubling."""
        return self.bytes_since >= max(self.snapshot_bytes, LARGE)


class Journal(Generic[State, Change, Message]):
    """The editions of one service: loaded on demand, decided by its aggregate, journalled, sent."""

    def __init__(
        self,
        aggregate: Aggregate[State, Change, Message],
        store: JournalStore,
        outlet: Outlet[Message],
        clock: Clock = utc_now,
        *,
        snapshot_every: int = 200,
        editions_in_memory: int = 500,
        off_loop: bool = False,
    ) -> None:
        """`off_loop`: decide in a thread, for an aggregate that is busy for longer than the event loop may be."""
        self._aggregate = aggregate
        self._store = store
        self._outlet = outlet
        self._clock = clock
        self._snapshot_every = snapshot_every
        self._editions_in_memory = editions_in_memory
        self._off_loop = off_loop
        self._loaded: OrderedDict[str, _Loaded[State]] = OrderedDict()
        #: Kept for as long as somebody holds one, or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Message]:
        """Decide on a batch of inputs, write one entry, send. Repeats change nothing and write nothing."""
        applied = {f"{i.position.topic}/{i.position.partition}": i.position.offset for i in inputs}
        events = [i.event for i in inputs]
        return await self._write(edition_id, lambda state, now: self._aggregate.decide(state, events, now), applied)

    async def transact(
        self, edition_id: str, decide: Callable[[State, datetime], Decision[Change, Message]]
    ) -> Decision[Change, Message]:
        """Write and send any other decision on an edition's state, under the same fence.

        `decide` is called again on the reloaded state when another process was faster.
        """
        return await self._write(edition_id, decide, {})

    async def read(self, edition_id: str) -> State:
        """The current state as this process knows it. Not to be changed, nor kept beyond the next `await`."""
        async with self._lock(edition_id):
            return (await self._load(edition_id)).state

    async def current(self, edition_id: str) -> State:
        """The state with what other processes have written: for who asks one that may not own the edition."""
        async with self._lock(edition_id):
            loaded = await self._load(edition_id)
            entries = await self._store.entries(edition_id, after=loaded.seq)
            if entries:
                self._loaded.pop(edition_id)
                loaded = await self._load(edition_id)
            return loaded.state

    async def fresh(self, edition_id: str) -> State:
        """The state as it is stored now, whichever process owns the edition: read anew, and the caller's own."""
        return (await self._fetch(edition_id)).state

    async def replay(self, edition_id: str) -> State:
        """The state folded from the first entry, whatever the snapshots say."""
        entries = await self._store.entries(edition_id, after=0)
        return fold(self._aggregate, self._aggregate.empty(edition_id), entries)

    async def editions(self) -> list[str]:
        """Every edition that has a journal."""
        return await self._store.editions()

    def evict_unowned(self, owns: Owns) -> None:
        """Drop from memory what is not this process's any more. What is being written goes on, under the fence."""
        for edition_id in [each for each in self._loaded if not owns(each)]:
            del self._loaded[edition_id]

    async def sweep(self) -> None:
        """Send what entries have held unsent for a while, for editions that nobody loads."""
        for entry in await self._store.unpublished(self._clock() - _SWEEP_AGE, limit=100):
            async with self._lock(entry.edition_id):
                loaded = self._loaded.get(entry.edition_id)
                if loaded is None:
                    await self._send(entry)
                    SWEPT.inc()
                else:
                    await self._send_unsent(loaded)

    async def _write(
        self,
        edition_id: str,
        decide: Callable[[State, datetime], Decision[Change, Message]],
        applied: dict[str, int],
    ) -> Decision[Change, Message]:
        async with self._lock(edition_id):
            for _ in range(_FENCE_ATTEMPTS):
                loaded = await self._load(edition_id)
                try:
                    decision = await self._decide(decide, loaded.state)
                    if not decision.changes and not decision.outbox:
                        return decision
                    entry = self._entry(loaded, edition_id, decision, applied)
                    await self._store.append(entry)
                except SequenceTaken:
                    self._loaded.pop(edition_id, None)
                    FENCE_REJECTIONS.inc()
                    _log.info("fenced", edition=edition_id)
                    continue
                except BaseException:
                    # The state may be half changed, and the entry may have been written: read both again.
                    self._loaded.pop(edition_id, None)
                    raise
                await self._written(loaded, entry)
                return decision
        raise SequenceTaken(f"edition {edition_id}: another process keeps writing its journal")

    async def _decide(
        self, decide: Callable[[State, datetime], Decision[Change, Message]], state: State
    ) -> Decision[Change, Message]:
        """Under the edition's lock: nobody else reads or changes the state meanwhile.

        A thread cannot be cancelled: whoever is leaves it a state that nobody knows any more.
        """
        if self._off_loop:
            return await asyncio.to_thread(decide, state, self._clock())
        return decide(state, self._clock())

    def _entry(
        self, loaded: _Loaded[State], edition_id: str, decision: Decision[Change, Message], applied: dict[str, int]
    ) -> Entry:
        return Entry(
            edition_id=edition_id,
            seq=loaded.seq + 1,
            at=self._clock(),
            applied=applied,
            changes=[self._aggregate.change_type.dump_python(change, mode="json") for change in decision.changes],
            outbox=[self._outlet.pack(message) for message in decision.outbox],
            published=not decision.outbox,
        )

    async def _written(self, loaded: _Loaded[State], entry: Entry) -> None:
        JOURNAL_ENTRIES.inc()
        loaded.seq = entry.seq
        loaded.bytes_since += _size(entry)
        if not entry.published:
            loaded.unsent.append(entry)
        await self._send_unsent(loaded)
        if entry.seq % self._snapshot_every == 0 or loaded.is_worth_a_snapshot:
            state = loaded.state.model_dump_json().encode()
            await self._store.save_snapshot(StateSnapshot(entry.edition_id, entry.seq, state))
            loaded.snapshot_bytes, loaded.bytes_since = len(state), 0

    async def _load(self, edition_id: str) -> _Loaded[State]:
        loaded = self._loaded.get(edition_id)
        if loaded is None:
            loaded = await self._fetch(edition_id)
            self._loaded[edition_id] = loaded
        self._loaded.move_to_end(edition_id)
        while len(self._loaded) > self._editions_in_memory:
            self._loaded.popitem(last=False)
        await self._send_unsent(loaded)
        return loaded

    async def _fetch(self, edition_id: str) -> _Loaded[State]:
        snapshot = await self._store.snapshot(edition_id)
        entries = await self._store.entries(edition_id, after=snapshot.seq if snapshot else 0)
        snapshot_bytes, bytes_since = len(snapshot.state) if snapshot else 0, sum(map(_size, entries))
        unsent = [entry for entry in entries if not entry.published]
        if snapshot_bytes + bytes_since < LARGE:
            state, seq = self._restored(edition_id, snapshot, entries)
        else:
            state, seq = await asyncio.to_thread(self._restored, edition_id, snapshot, entries)
            # It holds no cycles: to look through a thousand such for some at each full collection takes seconds.
            gc.collect(1)
            gc.freeze()
        return _Loaded(state, seq, unsent, snapshot_bytes, bytes_since)

    def _restored(self, edition_id: str, snapshot: StateSnapshot | None, entries: Sequence[Entry]) -> tuple[State, int]:
        if snapshot is None:
            state, seq = self._aggregate.empty(edition_id), 0
        else:
            state, seq = self._aggregate.state_type.model_validate_json(snapshot.state), snapshot.seq
        return fold(self._aggregate, state, entries), entries[-1].seq if entries else seq

    async def _send_unsent(self, loaded: _Loaded[State]) -> None:
        while loaded.unsent:
            await self._send(loaded.unsent[0])
            loaded.unsent.pop(0)

    async def _send(self, entry: Entry) -> None:
        await self._outlet.send(entry.outbox)
        await self._store.mark_published(entry)
        entry.published = True

    def _lock(self, edition_id: str) -> asyncio.Lock:
        return self._locks.setdefault(edition_id, asyncio.Lock())


def _size(entry: Entry) -> int:
    return len(orjson.dumps(entry.changes))
