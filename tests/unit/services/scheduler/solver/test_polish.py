from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
from services.scheduler.domain.timetable.breaks import breaks_of
from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.construct import construct
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.fewest_breaks import fewest_breaks
from services.scheduler.solver.polish import polish
from shared.contract.events import Event
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    innova,
    organisation,
    participant,
    people,
    session,
    window,
    workspace,
)


def problem(seed: int, pairs: int = 50, slots: int = 10, **fields: Any) -> SolverProblem:
    chance = random.Random(seed)  # noqa: S311 - an example
    names = [f"p{n:02}" for n in range(20)]
    zones, sessions = (workspace(4), innova(2), HALL), (session("k1", 4, 5),)
    events: list[Event] = [edition(slots=slots, zones=zones, sessions=sessions, **fields)]
    for name in names:
        events.append(organisation(f"org-{name}", chance.choice(["sme", "research_group"])))
        hours = (window(0, 5),) if chance.random() < 0.2 else ()
        attends = ("k1",) if chance.random() < 0.3 else ()
        events.append(participant(name, available=hours, session_ids=attends))
    events += [affinity(*chance.sample(names, 2)) for _ in range(pairs)]
    return problem_of(Edition(*events).state, NOW, 0)


def draft_of(subject: SolverProblem, *, leave_out: int = 0) -> Draft:
    draft, board = Draft(subject), construct(subject, 0, 1)
    for number, meeting in enumerate(draft.pairs):
        if meeting.pair_id in board.placed and number >= leave_out:
            draft.place(number, board.placed[meeting.pair_id][1].slots)
    return draft


def breaks(draft: Draft) -> int:
    return sum(
        len(list(breaks_of(busy, attending, draft.days)))
        for busy, attending in zip(draft.busy, draft.attending, strict=True)
    )


def check(draft: Draft) -> None:
    """Assert that the draft keeps availability, clashes, tables and quota, and its own indexes."""
    met: Counter[tuple[int, SlotSet]] = Counter()
    for pair, slot in enumerate(draft.slot):
        if slot:
            assert slot & draft.common(pair)
            met.update((person, slot) for person in draft.sides[pair])
    assert max(met.values()) == 1
    assert all(tables >= 0 for room in draft.free_tables for tables in room.values())
    assert draft.quota is None or max(draft.count) <= draft.quota
    for person, busy in enumerate(draft.busy):
        assert set(bits(busy)) == {slot for who, slot in met if who == person}


@pytest.mark.parametrize("seed", range(4))
def test_polishing_lessens_breaks_and_keeps_the_rules(seed: int) -> None:
    draft = draft_of(problem(seed))
    placed, before = draft.placed_count(), breaks(draft)
    polish(draft, 1, 60_000)
    check(draft)
    assert draft.placed_count() >= placed
    assert fewest_breaks(draft) <= breaks(draft) < before


def test_the_seed_alone_decides_the_agenda() -> None:
    drafts = [draft_of(problem(5)) for _ in range(3)]
    for draft, seed in zip(drafts, (1, 1, 2), strict=True):
        polish(draft, seed, 20_000)
    assert drafts[0].slot == drafts[1].slot != drafts[2].slot


def test_every_better_draft_is_reported() -> None:
    draft, reported = draft_of(problem(6)), []
    polish(draft, 1, 2_000_000, lambda: reported.append(breaks(draft)))
    assert reported
    assert reported[-1] == breaks(draft)


def test_waiting_pairs_are_placed_by_moves_within_the_quota() -> None:
    draft = draft_of(problem(7, quotas={"max_encounters": 6}), leave_out=12)
    before = draft.placed_count()
    polish(draft, 1, 60_000)
    check(draft)
    assert draft.placed_count() > before


@pytest.mark.parametrize("budget", [0, 1, 3])
def test_published_slots_change_within_the_budget_and_only_to_place_more(budget: int) -> None:
    draft = draft_of(problem(8, pairs=70), leave_out=10)
    published = {pair: slot for pair, slot in enumerate(draft.slot) if slot}
    polish(draft, 1, 100_000, published=published, budget=budget)
    check(draft)
    moved = [pair for pair, slot in published.items() if draft.slot[pair] != slot]
    assert len(moved) <= budget
    settled = draft_of(problem(9))
    published = {pair: slot for pair, slot in enumerate(settled.slot) if slot}
    if len(published) == len(settled.pairs):
        polish(settled, 1, 20_000, published=published, budget=budget)
        assert all(settled.slot[pair] == slot for pair, slot in published.items())


def test_an_edition_without_slots_or_pairs_is_left_alone() -> None:
    for subject in (Edition(edition(slots=0), *people("a", "b"), affinity("a", "b")), Edition(edition(slots=2))):
        draft = Draft(problem_of(subject.state, NOW, 0))
        polish(draft, 1, 100)
        assert draft.placed_count() == 0
        assert fewest_breaks(draft) == 0


def test_the_fewest_breaks_of_a_participant_who_must_wait() -> None:
    """b is present early and c late, so a waits between them; d and e are present all day."""
    subject = Edition(
        edition(slots=6),
        *people("a", "d", "e"),
        participant("b", available=(window(0, 1),)),
        participant("c", available=(window(5, 6),)),
        affinity("a", "b"),
        affinity("a", "c"),
        affinity("d", "e"),
    )
    draft = draft_of(problem_of(subject.state, NOW, 0))
    assert fewest_breaks(draft) == breaks(draft) == 1
    attending = Edition(
        edition(slots=6, sessions=(session("k1", 1, 5),)),
        participant("a", session_ids=("k1",)),
        participant("b", available=(window(0, 1),)),
        participant("c", available=(window(5, 6),)),
        affinity("a", "b"),
        affinity("a", "c"),
    )
    assert fewest_breaks(draft_of(problem_of(attending.state, NOW, 0))) == 0
