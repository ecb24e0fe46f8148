"""Take over an improved agenda, if it is still right and no worse; and announce agendas once published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache

from services.scheduler.domain.changes import (
    Announced,
    AttendanceRecorded,
    Change,
    Improved,
    Ordered,
    PairRecorded,
    ParticipantRecorded,
    Placed,
    TakenOver,
)
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.improvement.problem import Solution
from services.scheduler.domain.improvement.rebase import rebased
from services.scheduler.domain.objective.levels import objective_value, results
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.evidence import Evidence, Inputs
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.verifier import AgendaBroken, Violation, verify, verify_kept, verify_meetings
from shared.contract.events import Cause, CauseCode, Certificate, Place


class SolutionStale(Exception):
    """The edition became another while the agenda was improved: it is improved again."""


def inputs_of(state: AgendaState) -> Inputs:
    """What the state's agenda is judged by."""
    return Inputs(state.edition, state.organisations, state.participants, state.pairs, state.comes_after)


def violations_of(state: AgendaState, places: Mapping[str, Place], now: datetime) -> list[Violation]:
    """What is wrong with an agenda of the state, as a whole; what has begun is history."""
    return verify(inputs_of(state), places, {pair for pair in places if state.has_begun(pair, now)})


def evidence_of(state: AgendaState) -> Evidence:
    """The state's agenda, with look-ups that are kept up to date: what changed is judged without a look at the rest.

    They are not those of the board, so that the verifier does not believe what it checks. It is of use until the state
    changes.
    """
    links, placed, comes_after = state.links, state.placements, state.comes_after
    return Evidence(
        inputs_of(state),
        placed,
        pairs_of_participant=cache(lambda person: links.pairs_of[person] & placed.keys()),
        pairs_near_table=links.sittings.near,
        predecessors=lambda pair: [each for each in comes_after.get(pair, ()) if each in placed],
        successors=lambda pair: [each for each in links.followers.get(pair, ()) if each in placed],
    )


def verify_touched(decision: DecisionInProgress) -> None:
    """Raise `AgendaBroken` if an encounter that the batch placed, or that its news is about, breaks a rule."""
    verify_step(decision)
    state = decision.state
    touched = {pair for change in decision.changes for pair in _about(state, change) if pair in state.placements}
    if state.is_closed or not touched:
        return
    begun = {pair for pair in touched if state.has_begun(pair, decision.now)}
    violations = verify_meetings(evidence_of(state), sorted(touched), begun)
    if violations:
        raise AgendaBroken(violations)


def _about(state: AgendaState, change: Change) -> Iterable[str]:
    """The pairs a change is about."""
    if isinstance(change, Placed | PairRecorded | TakenOver | Ordered | AttendanceRecorded):
        return (change.pair_id,)
    return state.links.pairs_of[change.participant_id] if isinstance(change, ParticipantRecorded) else ()


def verify_step(decision: DecisionInProgress) -> None:
    """Raise `AgendaBroken` if the step just taken moved what was to stay, or put somebody wrongly where it is now.

    Asked after each event, for the next one may change what is to be kept; and what has begun is history from then on.
    """
    state, now = decision.state, decision.now
    kept = {
        pair: place
        for pair, place in decision.before.items()
        if place is not None and pair not in decision.by_hand and state.must_stay(pair, place, now)
    }
    at_once = [pair for pair in decision.before if state.has_begun(pair, now)]
    if kept or at_once:
        evidence = evidence_of(state)
        violations = verify_meetings(evidence, at_once) + verify_kept(evidence, kept)
        if violations:
            raise AgendaBroken(violations)
    decision.before.clear()


def adopt(decision: DecisionInProgress, solution: Solution) -> bool:
    """Replace the agenda by the solution, re-based if anything came in meanwhile; returns whether anything moved.

    What is worse by the edition's levels is not taken, nor, once agendas are announced, what is no better; it counts as
    the improvement of its version all the same.

    Raises:
        SolutionStale: it is for an agenda that is told in another way by now, or for slots that are gone.
        AgendaBroken: it breaks a rule.
    """
    state = decision.state
    if state.is_closed or state.announced != solution.announced:
        raise SolutionStale("the edition's phase has changed")
    if any(seat.slots > state.timeline.all_slots for seat in solution.assignments.values()):
        raise SolutionStale("the edition has fewer slots now")
    seats = _seats_now(decision, solution)
    is_better = _is_better(state, seats)
    if is_better:
        _check(decision, seats)
    moved = is_better and _replace(decision, seats)
    decision.record(Improved(version=solution.version, certificate=_certificate(state, solution)))
    return moved


def _seats_now(decision: DecisionInProgress, solution: Solution) -> Mapping[str, Assignment]:
    """The solution's seats as they are, so that the engine's mistakes are found; or re-based on what is new."""
    state = decision.state
    is_as_asked = solution.version == state.version and solution.open_slots == state.open_slots(decision.now)
    return solution.assignments if is_as_asked else rebased(state, solution, decision.now)


def _certificate(state: AgendaState, solution: Solution) -> Certificate:
    """How good the agenda is. The bounds of a solution say nothing of an edition that has changed since."""
    placed, is_bound = len(state.placements), solution.version == state.version
    most = max(solution.bound, placed) if is_bound else placed + len(state.waiting)
    return Certificate(
        placed=placed,
        bound=most,
        levels=results(state, most, solution.fewest_breaks if is_bound else 0),
        seconds=solution.seconds,
    )


def _is_better(state: AgendaState, seats: Mapping[str, Assignment]) -> bool:
    has = objective_value(state, {pair: seat for pair, (_, seat) in state.board.placed.items()}).ranks
    offered = objective_value(state, seats).ranks
    return offered < has if state.announced else offered <= has


def announce(decision: DecisionInProgress) -> None:
    """Make the agendas final: whoever has one is told, now or in the entries that follow."""
    if decision.state.awaits_announcement:
        cause = Cause(code=CauseCode.EDITION_PUBLISHED, subject_id=decision.state.edition_id)
        decision.record(Announced(cause=cause))


def _check(decision: DecisionInProgress, seats: Mapping[str, Assignment]) -> None:
    state = decision.state
    violations = violations_of(state, {pair: _place(state, pair, seat) for pair, seat in seats.items()}, decision.now)
    if violations:
        raise AgendaBroken(violations)


def _place(state: AgendaState, pair_id: str, seat: Assignment) -> Place:
    placed = state.board.placed.get(pair_id)
    return state.placements[pair_id] if placed is not None and placed[1] == seat else state.place(seat)


def _replace(decision: DecisionInProgress, seats: Mapping[str, Assignment]) -> bool:
    state = decision.state
    cause = Cause(code=CauseCode.IMPROVED, subject_id=state.edition_id)
    before = len(decision.changes)
    for pair in sorted(set(state.placements) - set(seats)):
        decision.lift(pair, cause)
    decision.seat_all(dict(seats), cause)
    allowed = state.open_slots(decision.now)
    for pair in sorted(state.pairs):
        if pair not in state.placements and state.is_wanted(pair) and state.is_known(pair):
            decision.wait(pair, find_assignment(state.board, state.meeting(pair), allowed)[1], cause)
    return len(decision.changes) > before
