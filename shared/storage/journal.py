"""The journal: a service's state per edition, as an append-only list of entries (ADR 0002).

An entry holds the positions of its inputs, the changes of state and the outgoing messages. A single insert writes it,
under the id `<edition>:<seq>`. A large decision takes several entries, and counts with the last of them (ADR 0073). If
the id exists, another process owns the edition now: this insert is the fence. The state is the fold of the changes.
Messages are sent after the write, in order. Loading an edition first sends the messages that its journal holds
unpublished.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

from shared.contract.cloudevents import pack, unpack
from shared.contract.events import Event
from shared.messaging.broker import KafkaPublisher
from shared.messaging.inputs import ForeignOperator, Input, Owns
from shared.runtime.clock import Clock, utc_now
from shared.runtime.fair_turns import FairTurns
from shared.runtime.log import get_logger
from shared.runtime.metrics import FENCE_REJECTIONS, JOURNAL_ENTRIES, REPEATS, SWEPT
from shared.storage.aggregate import Aggregate, Change, Decision, Message, State, fold
from shared.storage.edition_cache import EditionCache, LoadedEdition
from shared.storage.journal_entry import Entry, JournalStore, SequenceTaken, in_parts
from shared.storage.people import People
from shared.storage.unsent import Unsent

_log = get_logger(__name__)

Message_contra = TypeVar("Message_contra", contravariant=True)

#: Lost fences in a row that mean that two processes fight for an edition.
_FENCE_ATTEMPTS = 20
#: Decisions at once in threads, of all operators and of an operator.
_THREADS, _THREADS_EACH = 4, 2
#: The writer of a younger entry may still be sending its messages: the sweeper leaves them.
_SWEEP_AGE = timedelta(seconds=10)


class Outlet(Protocol[Message_contra]):
    """The destination of a journal's messages."""

    def pack(self, message: Message_contra) -> dict[str, Any]:
        """Return the message as JSON values, for its entry."""

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Send messages in order and return once all have arrived. The same messages may be sent again."""


class KafkaOutlet:
    """Sends a journal's events to their topics."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self._publisher = publisher

    def pack(self, message: Event) -> dict[str, Any]:
        """Return the event with its type and its trace."""
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        """Publish events in order and return once all are acknowledged."""
        await self._publisher.send([unpack(event) for event in packed])


class Journal(Generic[State, Change, Message]):
    """The editions of a service: loaded on demand, decided by its aggregate, journalled, published."""

    def __init__(
        self,
        aggregate: Aggregate[State, Change, Message],
        store: JournalStore,
        outlet: Outlet[Message],
        clock: Clock = utc_now,
        *,
        people: People[State, Change] | None = None,
        snapshot_every: int = 200,
        editions_in_memory: int = 500,
        off_loop: bool = False,
    ) -> None:
        """Create a journal, with `people` for texts. With `off_loop`, decide in a thread, off the event loop."""
        self._aggregate = aggregate
        self._store = store
        self._outlet = outlet
        self._clock = clock
        self._snapshot_every = snapshot_every
        self._off_loop = off_loop
        #: Decisions in threads share the interpreter: more at once would only make all of them later.
        self._turns = FairTurns(_THREADS, most_each=_THREADS_EACH)
        self._people = people
        self._cache = EditionCache(aggregate, store, editions_in_memory, people)
        self._unsent = Unsent("journal", clock)
        #: A lock exists for as long as a task holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Message]:
        """Decide on a batch of inputs, write an entry, send its messages. Repeated inputs write nothing.

        Dear work takes several entries, with further editions in between. After a crash the next process continues.
        """
        rest, whole = list(inputs), Decision[Change, Message]()
        while True:
            decision = await self._write(edition_id, partial(self._decide, rest), rest)
            whole.changes += decision.changes
            whole.outbox += decision.outbox
            rest = [] if decision.taken is None else rest[decision.taken :]
            if not (rest or decision.is_unfinished):
                REPEATS.inc(0 if whole.changes or whole.outbox else len(inputs))
                return whole

    async def transact(
        self, edition_id: str, decide: Callable[[State, datetime], Decision[Change, Message]]
    ) -> Decision[Change, Message]:
        """Write and send a decision of the caller on an edition's state, under the same fence.

        If another process was faster, `decide` is called again on the reloaded state.
        """
        return await self._write(edition_id, decide, ())

    async def read(self, edition_id: str) -> State:
        """Return the state as this process knows it. Do not change it, nor use it after the next `await`."""
        async with self._lock(edition_id):
            return (await self._load(edition_id)).state

    async def current(self, edition_id: str) -> State:
        """Return the state including entries of foreign processes, for a process that may not own the edition."""
        async with self._lock(edition_id):
            loaded = await self._load(edition_id)
            if await self._store.entries(edition_id, after=loaded.seq):
                self._cache.discard(edition_id)
                loaded = await self._load(edition_id)
            return loaded.state

    async def fresh(self, edition_id: str) -> State:
        """Return a copy of the stored state that belongs to the caller, whichever process owns the edition."""
        return (await self._cache.fetch(edition_id)).state

    async def replay(self, edition_id: str) -> State:
        """Return the state folded from the first entry, without snapshots."""
        entries = await self._store.entries(edition_id, after=0)
        state = fold(self._aggregate, self._aggregate.empty(edition_id), entries)
        if self._people:
            self._people.join(state, await self._people.load(edition_id))
        return state

    async def editions(self) -> list[str]:
        """Return the ids of all editions that have a journal."""
        return await self._store.editions()

    def evict_unowned(self, owns: Owns) -> None:
        """Remove the editions that this process lost from memory. A write in progress goes on, under the fence."""
        self._cache.evict_unowned(owns)

    async def measure(self) -> None:
        """Note how many entries wait with unsent messages, and since when."""
        self._unsent.note(*await self._store.waiting())

    async def sweep(self) -> None:
        """Send the messages of entries that stayed unpublished, for editions that no process loads."""
        for entry in await self._store.unpublished(self._clock() - _SWEEP_AGE, limit=100):
            async with self._lock(entry.edition_id):
                loaded = self._cache.get(entry.edition_id)
                if loaded is None:
                    await self._publish(entry)
                    SWEPT.inc()
                else:
                    await self._publish_pending(loaded)

    async def _write(
        self,
        edition_id: str,
        decide: Callable[[State, datetime], Decision[Change, Message]],
        inputs: Sequence[Input],
    ) -> Decision[Change, Message]:
        async with self._lock(edition_id):
            for _ in range(_FENCE_ATTEMPTS):
                loaded = await self._load(edition_id)
                try:
                    decision, entries = await self._run(edition_id, loaded, decide, inputs)
                    if not entries:
                        return decision
                    if self._people:
                        await self._people.record(edition_id, loaded.state, decision.changes)
                    for entry in entries:
                        await self._store.append(entry)
                except SequenceTaken:
                    self._cache.discard(edition_id)
                    FENCE_REJECTIONS.inc()
                    _log.info("fenced", edition=edition_id)
                    continue
                except ForeignOperator:
                    raise  # before any change: a flood of such events does not load the edition again and again
                except BaseException:
                    # The state may be half changed, and the entry may have been written: read both again.
                    self._cache.discard(edition_id)
                    raise
                await self._written(loaded, entries)
                return decision
        raise SequenceTaken(
            f"edition {edition_id}: another process wrote its journal {_FENCE_ATTEMPTS} times in a row; see whether "
            "two consumer groups or two installations use this database"
        )

    def _decide(self, inputs: Sequence[Input], state: State, now: datetime) -> Decision[Change, Message]:
        return self._aggregate.decide(state, [received.event for received in inputs], now)

    async def _run(
        self,
        edition_id: str,
        loaded: LoadedEdition[State],
        decide: Callable[[State, datetime], Decision[Change, Message]],
        inputs: Sequence[Input],
    ) -> tuple[Decision[Change, Message], list[Entry]]:
        """Decide under the edition's lock: no concurrent task reads or changes the state meanwhile.

        A thread cannot be cancelled. After a cancellation it goes on with a state that is no longer in memory.
        """

        def run() -> tuple[Decision[Change, Message], list[Entry]]:
            decision = decide(loaded.state, self._clock())
            if not decision.changes and not decision.outbox:
                return decision, []
            return decision, in_parts(self._entry(edition_id, loaded.seq + 1, decision, inputs[: decision.taken]))

        if not self._off_loop:
            return run()
        async with self._turns.turn(getattr(loaded.state, "operator_id", None) or edition_id):
            return await asyncio.to_thread(run)

    def _entry(self, edition_id: str, seq: int, decision: Decision[Change, Message], inputs: Sequence[Input]) -> Entry:
        return Entry(
            edition_id=edition_id,
            seq=seq,
            at=self._clock(),
            applied={f"{i.position.topic}/{i.position.partition}": i.position.offset for i in inputs},
            changes=[self._aggregate.change_type.dump_python(change, mode="json") for change in decision.changes],
            outbox=[self._outlet.pack(message) for message in decision.outbox],
            published=not decision.outbox,
        )

    async def _written(self, loaded: LoadedEdition[State], entries: Sequence[Entry]) -> None:
        JOURNAL_ENTRIES.inc(len(entries))
        for entry in entries:
            loaded.append(entry)
        await self._publish_pending(loaded)
        if loaded.needs_snapshot or any(entry.seq % self._snapshot_every == 0 for entry in entries):
            await loaded.save_snapshot(entries[-1].edition_id, self._store)

    async def _load(self, edition_id: str) -> LoadedEdition[State]:
        loaded = await self._cache.load(edition_id)
        await self._publish_pending(loaded)
        return loaded

    async def _publish_pending(self, loaded: LoadedEdition[State]) -> None:
        while loaded.unpublished:
            await self._publish(loaded.unpublished[0])
            loaded.unpublished.pop(0)

    async def _publish(self, entry: Entry) -> None:
        await self._outlet.send(entry.outbox)
        await self._store.mark_published(entry)
        entry.published = True

    def _lock(self, edition_id: str) -> asyncio.Lock:
        return self._locks.setdefault(edition_id, asyncio.Lock())
