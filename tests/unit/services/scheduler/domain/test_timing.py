"""Times of an edition in every phase: slots that can be given, and encounters that have begun."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Placed
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.organiser.edit_targets import edit_targets
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.timeline import SlotSet
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.domain.verification import verify_step, violations_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import Cause, CauseCode, Place, WaitingReason
from shared.internal_api.edit_errors import EditErrorCode
from shared.internal_api.edits import PlaceEncounter
from tests.support.scheduler_editions import Edition, affinity, at, edition, pair, people
from tests.support.scheduler_live_edition import here, meeting

CAUSE = Cause(code=CauseCode.IMPROVED, subject_id="ed")
EFFORT = Effort(rounds=1, round_effort=0.01, steps=100)
PHASES = ["open", "published", "live", "closed"]


def in_phase(phase: str, *events: Any, **fields: Any) -> Edition:
    """An edition of four slots in a phase, announced unless it is open, with no freeze horizon."""
    fields = {"freeze_minutes": 0, **fields}
    subject = Edition(edition(**fields), *people("a", "b", "c"), *events)
    if phase != "open":
        subject.consume(edition(revision=2, phase=phase, **fields))
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    return subject


def only(*slots: int) -> SlotSet:
    return sum(1 << slot for slot in slots)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("now", "slots"), [(-9, (0, 1, 2, 3)), (-0.1, (0, 1, 2, 3)), (0, (1, 2, 3)), (2.9, (3,)), (3, ()), (99, ())]
)
def test_a_slot_that_has_begun_is_closed_in_every_phase(phase: str, now: float, slots: tuple[int, ...]) -> None:
    state = in_phase(phase).state
    assert timing.open_slots(state, at(now)) == only(*slots)
    assert timing.slots_to_come(state, at(now)) == only(*slots)


@pytest.mark.parametrize(
    ("phase", "given", "by_hand"),
    [
        ("open", (2, 3), (2, 3)),
        ("published", (2, 3), (2, 3)),
        ("live", (1, 2, 3), (1, 2, 3)),
        ("closed", (2, 3), (2, 3)),
    ],
)
def test_a_running_slot_is_given_in_a_live_edition_only(
    phase: str, given: tuple[int, ...], by_hand: tuple[int, ...]
) -> None:
    state = in_phase(phase, affinity("a", "b"), *here("a", "b")).state
    assert timing.slots_for(state, pair("a", "b"), at(1.5)) == only(*given)
    assert timing.slots_by_hand(state, at(1.5)) == only(*by_hand)


@pytest.mark.parametrize(
    ("phase", "frozen"), [("open", False), ("published", False), ("live", True), ("closed", False)]
)
def test_the_freeze_horizon_holds_in_a_live_edition_only(phase: str, frozen: bool) -> None:
    subject = in_phase(phase, affinity("a", "b"), freeze_minutes=30)
    assert timing.stays(subject.state, pair("a", "b"), at(-1)) == frozen
    assert timing.open_slots(subject.state, at(-1)) == only(*((2, 3) if frozen else (0, 1, 2, 3)))


@pytest.mark.parametrize(("phase", "begun"), [("open", False), ("published", True), ("live", True), ("closed", True)])
def test_an_encounter_begins_once_agendas_count(phase: str, begun: bool) -> None:
    state, at_nine = in_phase(phase, affinity("a", "b")).state, pair("a", "b")
    assert not timing.has_begun(state, at_nine, at(-0.1))
    assert timing.has_begun(state, at_nine, at(0)) == begun
    assert timing.is_history(state, at_nine, at(0)) == begun
    assert timing.stays(state, at_nine, at(0)) == begun
    assert timing.has_no_slot(state, state.placements[at_nine], at(0)) != begun


@pytest.mark.parametrize("phase", PHASES)
def test_no_displaced_encounter_returns_to_a_place_that_has_begun(phase: str) -> None:
    subject = in_phase(phase, affinity("a", "b"))
    place = subject.state.placements[pair("a", "b")]
    assert [timing.may_return(subject.state, place, at(-9), at(now)) for now in (-8, 0)] == [True, False]


@pytest.mark.parametrize("phase", PHASES[:3])
def test_no_pair_is_placed_in_the_past(phase: str) -> None:
    subject = in_phase(phase)
    subject.now = at(1.1)
    subject.consume(affinity("a", "b"))
    assert subject.slot("a", "b") == 2
    subject.now = at(99)
    subject.consume(affinity("a", "c"))
    assert subject.slot("a", "c") is None
    assert subject.state.waiting[pair("a", "c")] is WaitingReason.NO_COMMON_SLOT


@pytest.mark.parametrize("phase", PHASES[:3])
def test_no_improvement_places_in_the_past(phase: str) -> None:
    subject = in_phase(phase, affinity("a", "b"), affinity("a", "c"), affinity("b", "c"))
    solution = improve(problem_of(subject.state, subject.now, 3), EFFORT)
    subject.now = at(1.1)  # the solution is older than the slots that have begun
    decision = subject.decision()
    moved = {pair_id: place.starts_at for pair_id, place in subject.state.placements.items()}
    adopt(decision, solution)
    subject.finish(decision)
    for pair_id, place in subject.state.placements.items():
        assert place.starts_at > subject.now or place.starts_at == moved[pair_id]
    problem = problem_of(subject.state, subject.now, 3)
    assert problem.open_slots == only(2, 3)
    assert all(seat.slots & problem.open_slots for seat in problem.incumbent.values())


@pytest.mark.parametrize("phase", PHASES[:3])
def test_no_edit_places_in_the_past(phase: str) -> None:
    subject = in_phase(phase, affinity("a", "b"))
    subject.now = at(-0.5)
    with pytest.raises(EditRejected, match="no slot 9"):
        edit_targets(subject.state, PlaceEncounter(encounter_id=meeting("a", "b"), slot=9, zone_id="work"), subject.now)
    subject.consume(affinity("a", "c"))
    subject.now = at(2.6)
    with pytest.raises(EditRejected) as refused:
        edit_targets(subject.state, PlaceEncounter(encounter_id=meeting("a", "c"), slot=2, zone_id="work"), subject.now)
    assert refused.value.code in {EditErrorCode.NO_SUCH_SLOT, EditErrorCode.BEGUN}


@pytest.mark.parametrize("is_locked", [False, True])
def test_a_provisional_encounter_whose_slot_has_begun_gets_a_later_one(is_locked: bool) -> None:
    subject = in_phase("open", affinity("a", "b"))
    if is_locked:
        subject.state.locked.add(pair("a", "b"))
        subject.state.board.pinned.add(pair("a", "b"))
    subject.now = at(0.1)
    subject.consume(edition(revision=2, phase="published"))
    assert subject.slot("a", "b") == 1


def test_an_announced_encounter_whose_slot_has_begun_stays() -> None:
    subject = in_phase("published", affinity("a", "b"))
    subject.now = at(0.1)
    subject.consume(edition(revision=3, phase="published", quotas={"max_encounters": 5}))
    assert subject.slot("a", "b") == 0


@pytest.mark.parametrize(
    ("phase", "now", "checked_in", "is_allowed"),
    [
        ("open", 0, True, False),
        ("published", 0, True, False),
        ("live", 0, True, True),
        ("live", 0.5, True, True),
        ("live", 0.6, True, False),
        ("live", 0, False, False),
        ("live", -0.1, False, True),
        ("published", -0.1, False, True),
    ],
)
def test_the_verifier_finds_a_place_in_the_past(phase: str, now: float, checked_in: bool, is_allowed: bool) -> None:
    subject = in_phase(phase, affinity("a", "b", consent="pending"))
    subject.consume(*(here("a", "b") if checked_in else ()))
    subject.now = at(9)
    subject.consume(affinity("a", "b", revision=2))  # it waits: every slot has begun
    subject.now = at(now)
    place = subject.state.place(Assignment(1, "work", "W1"))
    decision = subject.decision()
    decision.record(Placed(pair_id=pair("a", "b"), place=place, cause=CAUSE))
    if is_allowed:
        verify_step(decision)
    else:
        with pytest.raises(AgendaBroken, match="in_the_past"):
            verify_step(decision)


@pytest.mark.parametrize("phase", ["open", "published"])
def test_the_verifier_finds_a_whole_agenda_in_the_past(phase: str) -> None:
    subject = in_phase(phase, affinity("a", "b"))
    assert subject.slot("a", "b") == 0
    kept: dict[str, Place] = dict(subject.state.placements)
    moved = {pair("a", "b"): subject.state.place(Assignment(2, "work", "W1"))}
    assert violations_of(subject.state, kept, at(3)) == []  # an old journal may have it there
    assert [violation.rule for violation in violations_of(subject.state, moved, at(3))] == ["in_the_past"]
