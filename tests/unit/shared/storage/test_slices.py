"""Dear decisions in slices: an entry each, the work left in the state, other editions in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter

from shared.contract.events import Event, MatchRequestChanged, RequestState
from shared.messaging.inputs import Input, Position
from shared.storage.aggregate import Decision
from shared.storage.journal import Journal
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import InMemoryJournalStore

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class Counted(BaseModel):
    type: Literal["counted"] = "counted"
    request_id: str
    revision: int
    left: int


class Counts(BaseModel):
    revisions: dict[str, int] = {}
    #: The request in work, and the steps left of it.
    in_work: str = ""
    left: int = 0


class Counting:
    """A request of priority N is N steps of work; a slice does one."""

    state_type = Counts
    change_type: TypeAdapter[Counted] = TypeAdapter(Counted)

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def empty(self, edition_id: str) -> Counts:
        return Counts()

    def decide(self, state: Counts, events: Sequence[Event], now: datetime) -> Decision[Counted, str]:
        self.threads.add(threading.get_ident())
        taken = 0
        if state.left:
            change = Counted(request_id=state.in_work, revision=state.revisions[state.in_work], left=state.left - 1)
        else:
            new = [event for event in events if isinstance(event, MatchRequestChanged)]
            event = next((e for e in new if e.revision > state.revisions.get(e.request_id, 0)), None)
            if event is None:
                return Decision()
            taken = new.index(event) + 1
            change = Counted(request_id=event.request_id, revision=event.revision, left=event.priority - 1)
        self.evolve(state, change)
        return Decision([change], [f"{change.request_id}:{change.left}"], taken, bool(state.left))

    def evolve(self, state: Counts, change: Counted) -> None:
        state.in_work, state.left = change.request_id, change.left
        state.revisions[change.request_id] = change.revision


class RecordingOutlet:
    """Collects the sent messages."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def pack(self, message: str) -> dict[str, Any]:
        return {"text": message}

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        self.sent += [message["text"] for message in packed]


class CrashingStore(InMemoryJournalStore):
    """A store that fails at an entry number, once."""

    fails_at = 0

    async def append(self, entry: Entry) -> None:
        if entry.seq == self.fails_at:
            self.fails_at = 0
            raise ConnectionError("crashed")
        await super().append(entry)


def asked(request: str, steps: int, edition_id: str = "edn") -> Input:
    event = MatchRequestChanged(
        operator_id=f"op-{edition_id}",
        edition_id=edition_id,
        revision=1,
        occurred_at=NOW,
        request_id=request,
        requester_id="prt_1",
        target_id="prt_2",
        priority=steps,
        state=RequestState.REQUESTED,
    )
    return Input(event, Position("match-request.v1", 0, steps))


async def test_dear_work_is_an_entry_for_each_slice_and_later_inputs_wait_for_its_end() -> None:
    store, outlet = InMemoryJournalStore(), RecordingOutlet()
    journal = Journal(Counting(), store, outlet, lambda: NOW)
    decision = await journal.decide("edn", [asked("a", 3), asked("b", 1)])
    assert outlet.sent == decision.outbox == ["a:2", "a:1", "a:0", "b:0"]
    assert [entry.applied for entry in await store.entries("edn", after=0)] == [
        {"match-request.v1/0": 3},
        {},
        {},
        {"match-request.v1/0": 1},
    ]


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
async def test_the_next_process_continues_the_work_left_by_a_crash(fails_at: int) -> None:
    store, outlet = CrashingStore(), RecordingOutlet()
    store.fails_at = fails_at
    inputs = [asked("a", 3), asked("b", 1)]
    with pytest.raises(ConnectionError):
        await Journal(Counting(), store, outlet, lambda: NOW).decide("edn", inputs)
    await Journal(Counting(), store, outlet, lambda: NOW).decide("edn", inputs)
    assert outlet.sent == ["a:2", "a:1", "a:0", "b:0"]


async def test_another_edition_is_decided_between_slices() -> None:
    outlet = RecordingOutlet()
    journal = Journal(Counting(), InMemoryJournalStore(), outlet, lambda: NOW, off_loop=True)
    dear = asyncio.create_task(journal.decide("dear", [asked("a", 3, "dear")]))
    while not outlet.sent:
        await asyncio.sleep(0)
    await journal.decide("quick", [asked("b", 1, "quick")])
    await dear
    assert sorted(outlet.sent) == ["a:0", "a:1", "a:2", "b:0"]


async def test_slices_are_decided_off_the_loop() -> None:
    aggregate = Counting()
    journal = Journal(aggregate, InMemoryJournalStore(), RecordingOutlet(), lambda: NOW, off_loop=True)
    await journal.decide("edn", [asked("a", 3)])
    assert threading.get_ident() not in aggregate.threads
