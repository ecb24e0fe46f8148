"""Dear requests of one operator: proposal rounds, and a new affinity version for every pair."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.matching.domain.rescoring import pairs_left
from shared.contract.events import EditionChanged, Event, Filling
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import MongoJournalStore
from tests.support.matching_editions import WELDING
from tests.support.matching_journal import MatchingHarness
from tests.support.matching_scene import NOW, Scene

SCENE = Scene("opr", "ed1", NOW)
PEOPLE = 16
_AT_ONCE = 8


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs_left, "SCORED_AT_ONCE", _AT_ONCE)
    monkeypatch.setattr(pairs_left, "KEPT_AT_ONCE", _AT_ONCE)


async def test_an_entry_holds_a_slice_of_the_affinities_of_a_round() -> None:
    harness = MatchingHarness(NOW)
    await harness.consume(*registered())
    await harness.consume(round_of(revision=2))
    assert len(harness.sent) > 4 * _AT_ONCE
    assert max(scored_by_entry(await harness.journal._store.entries("ed1", after=0))) <= _AT_ONCE
    await harness.consume(round_of(revision=3, affinity_version="1"))
    assert max(scored_by_entry(await harness.journal._store.entries("ed1", after=0))) <= _AT_ONCE
    assert {affinity.configuration for affinity in newest(harness).values()} == {"1"}


async def test_a_neighbour_is_served_between_the_slices() -> None:
    harness = MatchingHarness(NOW)
    await harness.consume(*registered())
    quiet = [event.model_copy(update={"edition_id": "ed2", "operator_id": "quiet"}) for event in registered()]
    dear = asyncio.create_task(harness.consume(round_of(revision=2)))
    while not harness.sent:
        await asyncio.sleep(0)
    await harness.consume(*quiet, edition_id="ed2")
    assert len(harness.sent) < PEOPLE * (PEOPLE - 1) // 2
    await dear


@pytest.mark.parametrize("slices", [1, 2, 4])
async def test_a_crash_between_slices_loses_and_repeats_nothing(slices: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = MatchingHarness(NOW)
    crashed = MatchingHarness(NOW)
    for harness in (whole, crashed):
        await harness.consume(*registered())
    await whole.consume(round_of(revision=2))
    append, written = MongoJournalStore.append, 0

    async def append_some(store: MongoJournalStore, entry: Entry) -> None:
        nonlocal written
        written += 1
        if written > slices:
            raise ConnectionError("crashed")
        await append(store, entry)

    monkeypatch.setattr(MongoJournalStore, "append", append_some)
    with pytest.raises(ConnectionError):
        await crashed.consume(round_of(revision=2))
    monkeypatch.undo()
    assert 0 < len(crashed.sent) < len(whole.sent)
    successor = MatchingHarness(NOW, crashed.servers)
    await successor.consume(round_of(revision=2))
    assert successor.sent == whole.sent
    assert (await successor.journal.fresh("ed1")).left is None


def registered() -> list[Event]:
    """Return an edition of people who need what all of them offer."""
    names = [f"p{number:02}" for number in range(PEOPLE)]
    return [
        SCENE.edition(affinity_version="2"),
        *(SCENE.organisation(f"org_{name}") for name in names),
        *(SCENE.participant(name, needs=WELDING, offers=WELDING) for name in names),
    ]


def round_of(revision: int, **fields: Any) -> EditionChanged:
    event: EditionChanged = SCENE.edition(
        **{"revision": revision, "affinity_version": "2", "filling": Filling(round=1, encounters=8), **fields}
    )
    return event


def scored_by_entry(entries: list[Entry]) -> list[int]:
    return [sum(change["type"] == "pair_scored" for change in entry.changes) for entry in entries]


def newest(harness: MatchingHarness) -> dict[str, Any]:
    return {affinity.pair_id: affinity for affinity in harness.sent}
