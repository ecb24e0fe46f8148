from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from demo.changes import Effect, compare
from demo.observer import Observed
from demo.summary import Summary, idle_slots, jain, measure_quality, percentile, summarise
from shared.contract.events import AgendaChanged, Certificate


def summary_of(seen: Observed) -> Summary:
    return summarise(
        seen,
        Certificate(placed=60, bound=61),
        effects=[Effect("a table is lost", 3, 0, 0, 6, 1.5), Effect("a company comes", 0, 0, 2, 4, 1.0)],
        mails=70,
        seconds=12.345,
        violations=0,
        faults=(),
        seed=7,
        scale=0.1,
    )


def test_the_figures_of_a_run(seen_small: Observed, tmp_path: Path) -> None:
    summary = summary_of(seen_small)
    summary.write(tmp_path / "summary.json")
    written = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert {
        "companies": 21,
        "participants": 35,
        "mails": 70,
        "bound": 61,
        "moves_per_change": 1.5,
        "verifier_violations": 0,
        "faults": [],
        "seed": 7,
    }.items() <= written.items()
    assert written["encounters"] == len(seen_small.placed())
    assert written["gap"] == pytest.approx(1 / 61, abs=1e-4)
    assert written["accepted_to_published_p99_seconds"] >= written["accepted_to_published_p50_seconds"] > 0
    assert {"requests", "seconds"} <= set(written)
    assert written["late_changes"][0]["moved"] == 3


def test_the_table_shows_every_figure(seen_small: Observed) -> None:
    console = Console(record=True, width=100)
    summary = summary_of(seen_small)
    console.print(summary.table())
    text = console.export_text()
    assert all(name in text and figure in text for name, figure in summary.figures())


def test_a_fully_served_edition_is_fair(seen_small: Observed) -> None:
    quality = measure_quality(seen_small)
    assert quality.fairness == 1.0
    assert quality.least_served == 1.0
    assert 0 < quality.fill <= 1


def test_an_edition_without_agendas_has_figures_too(seen_small: Observed) -> None:
    seen = Observed()
    seen.record(seen_small.edition, 0)
    summary = summary_of(seen)
    assert (summary.encounters, summary.idle_slots, summary.accepted_to_published_p99_seconds) == (0, 0.0, 0.0)


def test_idle_slots_lie_between_the_first_and_the_last_entry(seen_small: Observed) -> None:
    slots = seen_small.edition.slots
    agenda = max(seen_small.all(AgendaChanged).values(), key=lambda one: len(one.entries))
    entry = agenda.entries[0]

    def at(*indices: int) -> AgendaChanged:
        times = [{"starts_at": slots[index].starts_at, "ends_at": slots[index].ends_at} for index in indices]
        return agenda.model_copy(update={"entries": tuple(entry.model_copy(update=time) for time in times)})

    assert idle_slots(at(), slots) == 0
    assert idle_slots(at(3), slots) == 0
    assert idle_slots(at(3, 4), slots) == 0
    assert idle_slots(at(3, 6, 8), slots) == 3


@settings(deadline=None)  # its work is tiny: a deadline would measure the machine
@given(st.lists(st.floats(0, 1), max_size=50))
def test_jains_index_is_a_share(shares: list[float]) -> None:
    assert -1e-9 <= jain(shares) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("shares", "index"), [([], 1.0), ([0.0, 0.0], 1.0), ([0.5, 0.5], 1.0), ([1.0, 0.0], 0.5), ([6e-161] * 3, 1.0)]
)
def test_jains_index(shares: list[float], index: float) -> None:
    assert jain(shares) == pytest.approx(index)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0.0), ([4.0], 0.99, 4.0), ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0), ([1.0, 2.0], 0.99, 2.0)],
)
def test_percentiles_by_nearest_rank(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_moved_cancelled_and_added_encounters_are_counted(seen_small: Observed) -> None:
    before = seen_small.placed()
    first, second, third = list(before)[:3]
    after = dict(before)
    del after[first]
    place = before[second].place
    assert place is not None
    after[second] = before[second].model_copy(update={"place": place.model_copy(update={"table": "elsewhere"})})
    after["enc_new"] = before[third]
    assert compare(before, after) == (1, 1, 1)
    assert compare(before, before) == (0, 0, 0)
