"""A large decision takes several entries, and counts with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import pytest
from pydantic import BaseModel, TypeAdapter

from shared.contract.events import Event, MatchRequestChanged, RequestState
from shared.messaging.inputs import Input, Position
from shared.storage import journal_entry
from shared.storage.aggregate import Decision
from shared.storage.journal import Journal
from shared.storage.journal_entry import Entry, whole_decisions
from shared.storage.journal_store import InMemoryJournalStore, document_of, entry_of

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class Numbered(BaseModel):
    type: Literal["numbered"] = "numbered"
    revision: int
    number: int


class Numbers(BaseModel):
    revision: int = 0
    seen: list[int] = []


class Counting:
    """An event of revision N is recorded by 10 changes."""

    state_type = Numbers
    change_type: TypeAdapter[Numbered] = TypeAdapter(Numbered)

    def empty(self, edition_id: str) -> Numbers:
        return Numbers()

    def decide(self, state: Numbers, events: Sequence[Event], now: datetime) -> Decision[Numbered, str]:
        decision = Decision[Numbered, str]()
        for event in (event for event in events if event.revision > state.revision):
            decision.changes += [Numbered(revision=event.revision, number=number) for number in range(10)]
            decision.outbox.append(f"revision {event.revision}")
        for change in decision.changes:
            self.evolve(state, change)
        return decision

    def evolve(self, state: Numbers, change: Numbered) -> None:
        state.revision = change.revision
        state.seen.append(change.number)


class Outlet:
    def __init__(self) -> None:
        self.sent: list[str] = []

    def pack(self, message: str) -> dict[str, Any]:
        return {"text": message}

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        self.sent += [message["text"] for message in packed]


class EndingStore(InMemoryJournalStore):
    """A store whose process ends after some entries."""

    def __init__(self) -> None:
        super().__init__()
        self.entries_left = 1000
        self.raw: list[Entry] = []

    async def append(self, entry: Entry) -> None:
        if not self.entries_left:
            raise SystemExit
        self.entries_left -= 1
        await super().append(entry)
        self.raw.append(entry)


def journal_on(store: InMemoryJournalStore, outlet: Outlet) -> Journal[Numbers, Numbered, str]:
    return Journal(Counting(), store, outlet, lambda: NOW)


def inputs(revision: int) -> list[Input]:
    event = MatchRequestChanged(
        operator_id="op",
        edition_id="ed",
        revision=revision,
        occurred_at=NOW,
        request_id="r",
        requester_id="a",
        partner_id="b",
        priority=2,
        state=RequestState.REQUESTED,
    )
    return [Input(event, Position("match_request.v1", 0, revision))]


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_entry, "PART_BYTES", 150)


def test_a_large_decision_takes_several_entries_of_bounded_size() -> None:
    store, outlet = EndingStore(), Outlet()
    asyncio.run(journal_on(store, outlet).decide("ed", inputs(1)))
    assert [(entry.seq, entry.part, entry.parts) for entry in store.raw] == [(n, n, 4) for n in range(1, 5)]
    assert max(len(orjson.dumps(entry.changes)) for entry in store.raw) <= 160
    assert store.raw[-1].applied == {"match_request.v1/0": 1}
    assert outlet.sent == ["revision 1"]


def test_the_parts_are_read_as_one_decision() -> None:
    store, outlet = EndingStore(), Outlet()
    asyncio.run(journal_on(store, outlet).decide("ed", inputs(1)))
    (decision,) = asyncio.run(store.entries("ed", after=0))
    assert (decision.seq, decision.part, decision.parts, len(decision.changes)) == (4, 1, 1, 10)
    state = asyncio.run(journal_on(store, outlet).read("ed"))
    assert (state.revision, state.seen) == (1, list(range(10)))


@pytest.mark.parametrize("written", [1, 2, 3])
def test_a_decision_whose_writer_ends_in_between_has_no_effect_and_is_made_again(written: int) -> None:
    store, outlet = EndingStore(), Outlet()
    asyncio.run(journal_on(store, outlet).decide("ed", inputs(1)))
    store.entries_left = written
    with pytest.raises(SystemExit):
        asyncio.run(journal_on(store, outlet).decide("ed", inputs(2)))
    assert asyncio.run(journal_on(store, outlet).read("ed")).revision == 1
    store.entries_left = 1000
    asyncio.run(journal_on(store, outlet).decide("ed", inputs(2)))
    state = asyncio.run(journal_on(store, outlet).replay("ed"))
    assert (state.revision, state.seen) == (2, [*range(10)] * 2)
    assert [entry.seq for entry in store.raw] == list(range(1, 9 + written))
    assert outlet.sent == ["revision 1", "revision 2"]


def test_a_writer_that_was_overtaken_between_two_parts_decides_again() -> None:
    store, outlet = EndingStore(), Outlet()

    async def overtaken() -> None:
        slow, fast = journal_on(store, outlet), journal_on(store, outlet)
        await slow.read("ed")
        append = store.append

        async def append_after_a_rival(entry: Entry) -> None:
            if entry.part == 2 and entry.applied == {} and not any(e.parts == 1 for e in store.raw):
                await append(replace(entry, changes=[], part=1, parts=1, applied={}))
            await append(entry)

        store.append = append_after_a_rival  # type: ignore[method-assign]
        await slow.decide("ed", inputs(1))
        assert (await fast.read("ed")).seen == [*range(10)]

    asyncio.run(overtaken())
    assert outlet.sent == ["revision 1"]


def test_entries_stored_before_there_were_parts_are_read() -> None:
    document = document_of(Entry("ed", 1, NOW, {}, [{"type": "numbered"}], [], published=True))
    del document["part"], document["parts"]
    assert list(whole_decisions([entry_of(document)])) == [entry_of(document)]
