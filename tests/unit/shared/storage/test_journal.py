from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.contract.events import Event, MatchRequestChanged, RequestState
from shared.messaging.inputs import Input, Position
from shared.runtime.metrics import FENCE_REJECTIONS, JOURNAL_ENTRIES, SWEPT
from shared.runtime.retry import Unready, is_transient
from shared.storage import journal_entry
from shared.storage.aggregate import Decision
from shared.storage.journal import Journal
from shared.storage.journal_entry import Entry, SequenceTaken
from shared.storage.journal_store import InMemoryJournalStore
from tests.support.metrics import MetricDelta

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class RequestSeen(BaseModel):
    request_id: str
    revision: int


class Requests(BaseModel):
    newest: dict[str, int] = {}


class NewestRevisions:
    """An aggregate that keeps the newest revision of a request, and publishes a message for it."""

    state_type = Requests
    change_type: TypeAdapter[RequestSeen] = TypeAdapter(RequestSeen)

    def empty(self, edition_id: str) -> Requests:
        return Requests()

    def decide(self, state: Requests, events: Sequence[Event], now: datetime) -> Decision[RequestSeen, str]:
        decision = Decision[RequestSeen, str]()
        for event in events:
            assert isinstance(event, MatchRequestChanged)
            if event.priority == 1:
                raise ValueError("nobody asks with priority 1 here")
            if state.newest.get(event.request_id, 0) < event.revision:
                change = RequestSeen(request_id=event.request_id, revision=event.revision)
                self.evolve(state, change)
                decision.changes.append(change)
                decision.outbox.append(f"{event.request_id}@{event.revision}")
        return decision

    def evolve(self, state: Requests, change: RequestSeen) -> None:
        state.newest[change.request_id] = change.revision


class RecordingOutlet:
    """Collects the sent messages; the first `failures` sends fail before sending."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.failures = 0

    def pack(self, message: str) -> dict[str, Any]:
        return {"text": message}

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the broker is away")
        self.sent += [message["text"] for message in packed]


class LostAck(InMemoryJournalStore):
    """A store that can write an entry and then lose the answer."""

    lose_next = False

    async def append(self, entry: Entry) -> None:
        await super().append(entry)
        if self.lose_next:
            self.lose_next = False
            raise ConnectionError("no answer")


def asked(request: str, revision: int = 1, priority: int = 2) -> Input:
    event = MatchRequestChanged(
        operator_id="op",
        edition_id="edn",
        revision=revision,
        occurred_at=NOW,
        request_id=request,
        requester_id="prt_1",
        target_id="prt_2",
        priority=priority,
        state=RequestState.REQUESTED,
    )
    return Input(event, Position("match-request.v1", 0, revision))


@pytest.fixture
def store() -> LostAck:
    return LostAck()


@pytest.fixture
def outlet() -> RecordingOutlet:
    return RecordingOutlet()


def journal(
    store: InMemoryJournalStore, outlet: RecordingOutlet, **options: Any
) -> Journal[Requests, RequestSeen, str]:
    return Journal(NewestRevisions(), store, outlet, **({"clock": lambda: NOW} | options))


async def test_a_batch_is_one_entry_with_inputs_changes_and_messages(store: LostAck, outlet: RecordingOutlet) -> None:
    written = MetricDelta(JOURNAL_ENTRIES)
    await journal(store, outlet).decide("edn", [asked("a"), asked("b")])
    (entry,) = await store.entries("edn", after=0)
    assert written.value == 1
    assert (entry.seq, entry.applied, entry.published) == (1, {"match-request.v1/0": 1}, True)
    assert [change["request_id"] for change in entry.changes] == ["a", "b"]
    assert outlet.sent == ["a@1", "b@1"]


async def test_repeats_and_older_revisions_write_and_publish_nothing(store: LostAck, outlet: RecordingOutlet) -> None:
    subject = journal(store, outlet)
    await subject.decide("edn", [asked("a", 2)])
    await subject.decide("edn", [asked("a", 2), asked("a", 1)])
    assert len(await store.entries("edn", after=0)) == 1
    assert outlet.sent == ["a@2"]


async def test_unpublished_messages_are_sent_before_new_ones(store: LostAck, outlet: RecordingOutlet) -> None:
    subject = journal(store, outlet)
    outlet.failures = 1
    with pytest.raises(ConnectionError):
        await subject.decide("edn", [asked("a")])
    await subject.decide("edn", [asked("a"), asked("b")])
    assert outlet.sent == ["a@1", "b@1"]


async def test_messages_that_a_dead_process_left_are_sent_by_the_next(store: LostAck, outlet: RecordingOutlet) -> None:
    dead = RecordingOutlet()
    dead.failures = 1
    with pytest.raises(ConnectionError):
        await journal(store, dead).decide("edn", [asked("a")])
    await journal(store, outlet).decide("edn", [asked("b")])
    assert outlet.sent == ["a@1", "b@1"]


async def test_a_lost_database_answer_neither_loses_nor_doubles_the_entry(
    store: LostAck, outlet: RecordingOutlet
) -> None:
    subject = journal(store, outlet)
    store.lose_next = True
    with pytest.raises(ConnectionError):
        await subject.decide("edn", [asked("a")])
    await subject.decide("edn", [asked("a")])
    assert len(await store.entries("edn", after=0)) == 1
    assert outlet.sent == ["a@1"]


async def test_a_zombie_is_fenced_and_decides_again_on_the_new_state(store: LostAck, outlet: RecordingOutlet) -> None:
    zombie, owner = journal(store, outlet), journal(store, outlet)
    rejections = MetricDelta(FENCE_REJECTIONS)
    await zombie.decide("edn", [asked("a")])
    await owner.decide("edn", [asked("b"), asked("c")])
    await zombie.decide("edn", [asked("b"), asked("d")])
    assert [entry.seq for entry in await store.entries("edn", after=0)] == [1, 2, 3]
    assert outlet.sent == ["a@1", "b@1", "c@1", "d@1"]
    assert rejections.value == 1


async def test_a_fight_of_two_processes_over_an_edition_ends_in_an_error(
    store: LostAck, outlet: RecordingOutlet
) -> None:
    class AlwaysTaken(InMemoryJournalStore):
        async def append(self, entry: Entry) -> None:
            raise SequenceTaken("edn:1")

    with pytest.raises(SequenceTaken, match="another process"):
        await journal(AlwaysTaken(), outlet).decide("edn", [asked("a")])


async def test_a_decision_that_fails_leaves_no_trace(store: LostAck, outlet: RecordingOutlet) -> None:
    subject = journal(store, outlet)
    with pytest.raises(ValueError, match="priority 1"):
        await subject.decide("edn", [asked("a"), asked("b", priority=1)])
    assert (await subject.read("edn")).newest == {}
    await subject.decide("edn", [asked("a")])
    assert outlet.sent == ["a@1"]


async def test_memory_snapshot_and_replay_give_the_same_state(store: LostAck, outlet: RecordingOutlet) -> None:
    subject = journal(store, outlet, snapshot_every=3)
    for number in range(1, 8):
        await subject.decide("edn", [asked(f"r{number % 4}", number)])
    fresh = journal(store, outlet)
    assert (await store.snapshot("edn")) is not None
    assert (await subject.read("edn")) == (await fresh.read("edn")) == (await fresh.replay("edn"))


async def test_a_snapshot_follows_once_new_entries_outgrow_the_last_one(
    store: LostAck, outlet: RecordingOutlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_entry, "LARGE", 100)
    subject, made = journal(store, outlet), list[int]()
    for number in range(200):
        await subject.decide("edn", [asked(f"r{number}")])
        if number == 50:
            subject.evict_unowned(lambda _: False)
        snapshot = await store.snapshot("edn")
        if snapshot and snapshot.seq not in made:
            made.append(snapshot.seq)
            read = await journal(store, outlet).read("edn")
            assert read == await subject.read("edn")
    gaps = [later - earlier for earlier, later in pairwise([0, *made])]
    assert gaps == sorted(gaps)
    assert 5 < len(made) < 30


async def test_a_large_edition_is_excluded_from_the_garbage_collector(
    store: LostAck, outlet: RecordingOutlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal(store, outlet).decide("edn", [asked("a")])
    frozen = gc.get_freeze_count()
    await journal(store, outlet).read("edn")
    assert gc.get_freeze_count() == frozen
    monkeypatch.setattr(journal_entry, "LARGE", 1)
    try:
        await journal(store, outlet).read("edn")
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()


async def test_the_least_recently_used_edition_is_evicted_and_loaded_again(
    store: LostAck, outlet: RecordingOutlet
) -> None:
    subject = journal(store, outlet, editions_in_memory=1)
    await subject.decide("edn", [asked("a")])
    await subject.read("other")
    await subject.decide("edn", [asked("a"), asked("b")])
    assert outlet.sent == ["a@1", "b@1"]


async def test_unowned_editions_are_evicted_while_their_write_in_progress_ends(
    store: LostAck, outlet: RecordingOutlet
) -> None:
    subject = journal(store, outlet)
    for edition in ("ours", "theirs"):
        await subject.decide(edition, [asked("a")])
    taking = asyncio.create_task(subject.decide("theirs", [asked("b")]))
    await asyncio.sleep(0)
    subject.evict_unowned(lambda edition: edition == "ours")
    assert subject._cache.edition_ids == ["ours"]
    await taking
    assert (await journal(store, outlet).read("theirs")).newest.keys() == {"a", "b"}


async def test_an_evicted_edition_leaves_nothing_in_memory(store: LostAck, outlet: RecordingOutlet) -> None:
    subject = journal(store, outlet, editions_in_memory=1)
    for number in range(20):
        await subject.decide(f"edn{number}", [asked("a")])
    assert len(subject._cache.edition_ids) == 1
    assert len(subject._locks) <= 1


async def test_the_sweeper_sends_old_entries_of_editions_that_are_not_loaded(
    store: LostAck, outlet: RecordingOutlet
) -> None:
    dead = RecordingOutlet()
    dead.failures = 1
    with pytest.raises(ConnectionError):
        await journal(store, dead).decide("edn", [asked("a")])
    swept = MetricDelta(SWEPT)
    await journal(store, outlet).sweep()
    assert (outlet.sent, swept.value) == ([], 0)
    await journal(store, outlet, clock=lambda: NOW + timedelta(minutes=1)).sweep()
    assert (outlet.sent, swept.value) == (["a@1"], 1)


async def test_transact_writes_any_decision_under_the_same_fence(store: LostAck, outlet: RecordingOutlet) -> None:
    subject, other = journal(store, outlet), journal(store, outlet)
    await subject.read("edn")
    await other.decide("edn", [asked("a")])

    def note(state: Requests, now: datetime) -> Decision[RequestSeen, str]:
        change = RequestSeen(request_id="noted", revision=len(state.newest))
        NewestRevisions().evolve(state, change)
        return Decision([change], ["noted"])

    await subject.transact("edn", note)
    assert (await other.replay("edn")).newest == {"a": 1, "noted": 1}


async def test_a_decision_off_the_loop_blocks_only_its_own_edition(store: LostAck, outlet: RecordingOutlet) -> None:
    subject, others_ran = journal(store, outlet, off_loop=True), threading.Event()

    def wait(state: Requests, now: datetime) -> Decision[RequestSeen, str]:
        assert others_ran.wait(timeout=10)
        change = RequestSeen(request_id="noted", revision=1)
        NewestRevisions().evolve(state, change)
        return Decision([change], ["noted"])

    async def run() -> None:
        others_ran.set()

    await asyncio.gather(subject.transact("edn", wait), subject.decide("edn", [asked("a")]), run())
    assert outlet.sent == ["noted", "a@1"]
    assert await subject.read("edn") == await subject.replay("edn")


async def test_a_cancelled_decision_off_the_loop_leaves_no_trace(store: LostAck, outlet: RecordingOutlet) -> None:
    subject, may_end, began = journal(store, outlet, off_loop=True), threading.Event(), threading.Event()

    def linger(state: Requests, now: datetime) -> Decision[RequestSeen, str]:
        began.set()
        may_end.wait(timeout=10)
        NewestRevisions().evolve(state, RequestSeen(request_id="never", revision=1))
        return Decision([], [])

    deciding = asyncio.create_task(subject.transact("edn", linger))
    await asyncio.to_thread(began.wait, 10)
    deciding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deciding
    await subject.decide("edn", [asked("a")])
    may_end.set()
    assert (await subject.read("edn")).newest == {"a": 1}


async def test_an_entry_of_a_newer_version_blocks_and_loses_no_input(store: LostAck, outlet: RecordingOutlet) -> None:
    await journal(store, outlet).decide("edn", [asked("r1")])
    [entry] = await store.entries("edn", after=0)
    newer = replace(entry, seq=2, changes=[{"type": "of_next_year"}])
    await store.append(newer)
    with pytest.raises(Unready, match="edn:2") as caught:
        await journal(store, outlet).decide("edn", [asked("r2")])
    assert is_transient(caught.value)
    assert len(await store.entries("edn", after=0)) == 2
