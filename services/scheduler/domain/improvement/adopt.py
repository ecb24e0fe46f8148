"""Adoption of an improved agenda that is still valid and no worse, and the announcement of published agendas."""

from __future__ import annotations

from collections.abc import Mapping

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Announced, Improved
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.improvement.problem import Solution
from services.scheduler.domain.improvement.rebase import rebased
from services.scheduler.domain.objective.levels import objective_value, results
from services.scheduler.domain.repair import settling
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.verifier import AgendaBroken
from services.scheduler.domain.verification import violations_of
from shared.contract.events import Cause, CauseCode, Certificate, Place


class SolutionStale(Exception):
    """The edition has changed too much since the solver started: the edition is improved again."""


def adopt(decision: DecisionInProgress, solution: Solution) -> bool:
    """Replace the agenda by a solution if that is better; return whether a meeting moved.

    Before the announcement a solution of equal value is adopted too. A solution for an older version is re-based
    first. In all cases the improvement of the solution's version is recorded.

    Raises:
        SolutionStale: agendas were announced or the edition was closed meanwhile, or the edition has fewer slots.
        AgendaBroken: the solution breaks a rule.
    """
    state = decision.state
    if state.is_closed or state.announced != solution.announced:
        raise SolutionStale(f"the phase of edition {state.edition_id} changed during the improvement")
    if any(assignment.slots > state.timeline.all_slots for assignment in solution.assignments.values()):
        raise SolutionStale(f"edition {state.edition_id} has fewer slots now than when the improvement started")
    assignments = _present_assignments(decision, solution)
    is_better = _is_better(state, assignments)
    if is_better:
        _check(decision, assignments)
    moved = is_better and _replace(decision, assignments)
    decision.record(Improved(version=solution.version, certificate=_certificate(state, solution)))
    return moved


def announce(decision: DecisionInProgress) -> None:
    """Make the agendas of a published edition final. They are published with this entry and the entries after it."""
    if decision.state.awaits_announcement:
        cause = Cause(code=CauseCode.EDITION_PUBLISHED, subject_id=decision.state.edition_id)
        decision.record(Announced(cause=cause))


def _present_assignments(decision: DecisionInProgress, solution: Solution) -> Mapping[str, Assignment]:
    """Return the solution's assignments unchanged while the problem is the same, so that its mistakes are found.

    Otherwise return them re-based on the inputs that have arrived since.
    """
    state = decision.state
    is_same_problem = solution.version == state.version and solution.open_slots == timing.open_slots(
        state, decision.now
    )
    return solution.assignments if is_same_problem else rebased(state, solution, decision.now)


def _certificate(state: AgendaState, solution: Solution) -> Certificate:
    """Return the quality of the agenda. The bounds of a solution count only for its own version."""
    placed, is_bound = len(state.placements), solution.version == state.version
    bound = max(solution.bound, placed) if is_bound else placed + len(state.waiting)
    return Certificate(
        placed=placed,
        bound=bound,
        levels=results(state, bound, solution.fewest_breaks if is_bound else 0),
        seconds=solution.seconds,
    )


def _is_better(state: AgendaState, assignments: Mapping[str, Assignment]) -> bool:
    present = objective_value(state, {pair_id: placed for pair_id, (_, placed) in state.board.placed.items()}).ranks
    offered = objective_value(state, assignments).ranks
    return offered < present if state.announced else offered <= present


def _check(decision: DecisionInProgress, assignments: Mapping[str, Assignment]) -> None:
    places = {pair_id: _place(decision.state, pair_id, assignment) for pair_id, assignment in assignments.items()}
    violations = violations_of(decision.state, places, decision.now)
    if violations:
        raise AgendaBroken(violations)


def _place(state: AgendaState, pair_id: str, assignment: Assignment) -> Place:
    placed = state.board.placed.get(pair_id)
    return state.placements[pair_id] if placed is not None and placed[1] == assignment else state.place(assignment)


def _replace(decision: DecisionInProgress, assignments: Mapping[str, Assignment]) -> bool:
    state = decision.state
    cause = Cause(code=CauseCode.IMPROVED, subject_id=state.edition_id)
    changes_before = len(decision.changes)
    for pair_id in sorted(set(state.placements) - set(assignments)):
        decision.remove(pair_id, cause)
    decision.place_all(dict(assignments), cause)
    allowed = timing.open_slots(state, decision.now)
    for pair_id in sorted(state.pairs):
        if pair_id not in state.placements and state.is_wanted(pair_id) and state.is_known(pair_id):
            _, reason = find_assignment(state.board, state.meeting(pair_id), allowed)
            decision.wait(pair_id, reason, cause)
    # The change of facts that the improvement answers may still be undone, and the improvement with it.
    decision.record_displacements(settling.answered_step(state))
    return len(decision.changes) > changes_before
