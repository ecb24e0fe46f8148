"""Edits by the organiser's hand: planned with all their effects, applied as planned, and undone.

Meetings in the way of an edit move or wait, unless they are locked or begun. No edit breaks a rule.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import cast

from services.scheduler.domain import timing
from services.scheduler.domain.changes import (
    Edited,
    Locked,
    Ordered,
    Placed,
    Removed,
    Settled,
    TakenOver,
    Undone,
    Waits,
)
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.organiser.edit_plan import Arrangements, EditPlan, RulesBroken, StalePlan
from services.scheduler.domain.organiser.edit_targets import arrangement_of, edit_targets
from services.scheduler.domain.snapshots import AppliedEdit, Arrangement
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.ejection import make_room
from services.scheduler.domain.timetable.evidence import Evidence, JudgedPair, TableOccupancy
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.rules import out_of_order
from services.scheduler.domain.timetable.trial import Trial
from services.scheduler.domain.timetable.verifier import verify_meetings
from services.scheduler.domain.verification import evidence_of
from shared.contract.events import Cause, CauseCode, Place, WaitingReason
from shared.internal_api.edits import Edit, UndoEdit


def plan_edit(state: AgendaState, edit: Edit, now: datetime) -> EditPlan:
    """Return the effects that the edit would have now. The state is not changed.

    Raises:
        EditRejected: the edit is impossible, whatever the rest of the agenda.
    """
    targets = edit_targets(state, edit, now)
    plans = [_plan(state, edit, targets, in_the_way, now) for in_the_way in _ways(state, targets, now)]
    return min(plans, key=_harm)


def apply_edit(decision: DecisionInProgress, edit: Edit, token: str) -> EditPlan:
    """Apply an edit with the effects that the token names; `*` accepts any effects.

    Raises:
        EditRejected: as `plan_edit`.
        StalePlan: the effects would differ by now.
        RulesBroken: the edit would break rules.
    """
    plan = plan_edit(decision.state, edit, decision.now)
    if token not in (plan.token, "*"):
        raise StalePlan(plan)
    if plan.violations:
        raise RulesBroken(plan)
    if plan.after:
        _record(decision, plan)
    return plan


def mailed_participants(state: AgendaState, plan: EditPlan) -> list[str]:
    """List the participants whose agendas differ after the edit; none before agendas are announced."""
    if not state.announced:
        return []
    participant_ids: set[str] = set()
    for pair_id, after in plan.after.items():
        before = plan.before[pair_id]
        if (before.place, before.people) != (after.place, after.people) and (before.place or after.place):
            participant_ids.update(before.people if before.place else (), after.people if after.place else ())
    return sorted(participant_ids)


def _ways(state: AgendaState, targets: Arrangements, now: datetime) -> list[list[str]]:
    """List the sets of meetings that may be moved for the edit, in the order in which they are tried.

    1. Meetings at the targets' places, and meetings out of order with the targets.
    2. Targets that only have a new order or new guests, because the edit asks for no particular place.
    3. Both.
    """
    flexible = {pair_id for pair_id in targets if targets[pair_id].may_be_anywhere(arrangement_of(state, pair_id))}
    fixed = {pair_id: target for pair_id, target in targets.items() if pair_id not in flexible}
    always = (_clashing(state, fixed) - fixed.keys()) | _wanted_again(state, targets)
    others = (_clashing(state, targets) | _out_of_order(state, targets)) - targets.keys()
    itself = {pair_id for pair_id in flexible if state.is_wanted(pair_id, targets[pair_id].people)}
    ways = [others, itself, others | itself] if itself else [others]
    return [_movable(state, always | way, now) for way in ways]


def _wanted_again(state: AgendaState, targets: Arrangements) -> set[str]:
    """Return the targets without place or reason to wait that are wanted with their new people: they need a place."""
    return {
        pair_id
        for pair_id, target in targets.items()
        if target.place is None and target.reason is None and state.is_wanted(pair_id, target.people)
    }


def _harm(plan: EditPlan) -> tuple[bool, int, int]:
    """Sort key of plans, the best first: no broken rule, few encounters that lose their place, few changes."""
    lost = sum((after.place is None) - (plan.before[pair_id].place is None) for pair_id, after in plan.after.items())
    if isinstance(plan.edit, UndoEdit):
        lost = max(lost, 0)  # an undo restores waits as well: a place gained is no merit
    return bool(plan.violations), lost, len(plan.after)


def _plan(state: AgendaState, edit: Edit, targets: Arrangements, in_the_way: list[str], now: datetime) -> EditPlan:
    """Return the effects of the edit if the meetings `in_the_way` move."""
    staying = [pair_id for pair_id in targets if targets[pair_id].place and pair_id not in in_the_way]

    def has_begun(pair_id: str) -> bool:
        return timing.has_begun(state, pair_id, now)

    violations = verify_meetings(_evidence(state, targets, in_the_way), staying, has_begun)
    after = {**targets, **({} if violations else _outcome(state, targets, in_the_way, now))}
    changed = {pair_id: target for pair_id, target in sorted(after.items()) if target != arrangement_of(state, pair_id)}
    before = {pair_id: arrangement_of(state, pair_id) for pair_id in changed}
    idle = 0 if violations else _more_idle(state, before, changed)
    return EditPlan(edit, before, changed, tuple(violations), idle)


def _record(decision: DecisionInProgress, plan: EditPlan) -> None:
    cause = Cause(code=CauseCode.ORGANISER_EDITED, subject_id=decision.state.edition_id, actor=decision.actor)
    decision.by_hand.update(plan.after)
    _record_places(decision, plan, cause)
    for pair_id, arrangement in plan.after.items():
        _record_rest(decision, pair_id, arrangement, cause)
        if pair_id in decision.state.unsettled:
            decision.record(Settled(pair_id=pair_id))
    made = AppliedEdit(edit=plan.edit, before=dict(plan.before), after=dict(plan.after))
    is_undone = isinstance(plan.edit, UndoEdit)
    decision.record(Undone(actor=decision.actor) if is_undone else Edited(made=made, actor=decision.actor))


def _record_places(decision: DecisionInProgress, plan: EditPlan, cause: Cause) -> None:
    """Record the new places and people. All removals come first, so that two encounters may swap."""
    moved = [pair_id for pair_id, after in plan.after.items() if after.place != plan.before[pair_id].place]
    for pair_id in moved:
        if plan.before[pair_id].place is not None:
            decision.record(Removed(pair_id=pair_id, cause=cause))
    for pair_id, after in plan.after.items():
        if after.people != decision.state.pairs[pair_id].people:
            decision.record(TakenOver(pair_id=pair_id, people=after.people, cause=cause))
    for pair_id in moved:
        if (place := plan.after[pair_id].place) is not None:
            decision.record(Placed(pair_id=pair_id, place=place, cause=cause))


def _record_rest(decision: DecisionInProgress, pair_id: str, arrangement: Arrangement, cause: Cause) -> None:
    """Record the reason to wait, the lock and the order, as far as they are new."""
    state = decision.state
    if arrangement.reason is not state.waiting.get(pair_id):
        decision.record(Waits(pair_id=pair_id, reason=arrangement.reason, cause=cause))
    if arrangement.is_locked != (pair_id in state.locked):
        decision.record(Locked(pair_id=pair_id, is_locked=arrangement.is_locked))
    if arrangement.comes_after != state.comes_after.get(pair_id, ()):
        decision.record(Ordered(pair_id=pair_id, comes_after=arrangement.comes_after))


def _clashing(state: AgendaState, targets: Arrangements) -> set[str]:
    """Return the pairs whose meetings share a participant or the table with a target, in the same slots."""
    board, clashing = state.board, set[str]()
    for pair_id, target in targets.items():
        if target.place is None:
            continue
        slots = state.assignment(target.place).slots
        near = {near_id for person_id in target.people for near_id in board.assignments_of[person_id]}
        near |= state.links.occupancy.near(target.place)
        clashing |= {near_id for near_id in near - {pair_id} if board.placed[near_id][1].slots & slots}
    return clashing


def _out_of_order(state: AgendaState, targets: Arrangements) -> set[str]:
    """Return the pairs out of order once the targets have their places, targets included."""
    evidence = _evidence(state, targets, ())
    placed = (pair_id for pair_id in targets if targets[pair_id].place)
    return {culprit for pair_id in placed for culprit in out_of_order(evidence, pair_id)}


def _movable(state: AgendaState, pair_ids: Iterable[str], now: datetime) -> list[str]:
    """List the pairs that an edit may move, the highest demand first."""
    movable = (pair_id for pair_id in pair_ids if pair_id not in state.locked)
    demands = {pair_id: state.demand(pair_id) for pair_id in movable if not timing.is_history(state, pair_id, now)}
    return sorted(demands, key=lambda pair_id: (*demands[pair_id].rank, -demands[pair_id].score, pair_id))


def _evidence(state: AgendaState, targets: Arrangements, in_the_way: Iterable[str]) -> Evidence:
    """Return evidence of the agenda with the targets at their places and without the meetings in their way."""
    present, moved = evidence_of(state), set(in_the_way)
    gone = {*moved, *targets}
    placed = {
        pair_id: target.place
        for pair_id, target in targets.items()
        if target.place is not None and pair_id not in moved
    }
    occupancy = TableOccupancy(placed)
    pairs = {pair_id: state.pairs[pair_id].with_people(targets[pair_id].people) for pair_id in targets}

    def pairs_of_participant(participant_id: str) -> set[str]:
        staying = {pair_id for pair_id in present.pairs_of_participant(participant_id) if pair_id not in gone}
        return staying | {pair_id for pair_id in placed if participant_id in targets[pair_id].people}

    def pairs_near_table(place: Place) -> set[str]:
        return present.pairs_near_table(place) - gone | occupancy.near(place)

    def is_placed(pair_id: str) -> bool:
        return pair_id in placed or (pair_id in state.placements and pair_id not in gone)

    def predecessors(pair_id: str) -> Iterable[str]:
        comes_after = targets[pair_id].comes_after if pair_id in targets else state.comes_after.get(pair_id, ())
        return filter(is_placed, comes_after)

    def successors(pair_id: str) -> Iterable[str]:
        staying = {later for later in present.successors(pair_id) if later not in gone}
        return staying | {later for later in placed if pair_id in targets[later].comes_after}

    inputs = present.inputs._replace(
        pairs=ChainMap(cast("dict[str, JudgedPair]", pairs), cast("dict[str, JudgedPair]", state.pairs))
    )
    return replace(
        present,
        inputs=inputs,
        places=ChainMap(placed, state.placements),
        pairs_of_participant=pairs_of_participant,
        pairs_near_table=pairs_near_table,
        predecessors=predecessors,
        successors=successors,
    )


def _outcome(state: AgendaState, targets: Arrangements, in_the_way: list[str], now: datetime) -> dict[str, Arrangement]:
    """Return the arrangements of the meetings that move, tried on the board; targets at their places are left out."""
    fixed = {pair_id: target for pair_id, target in targets.items() if pair_id not in in_the_way}
    with Trial(state.board) as trial:
        pinned = {pair_id for pair_id, target in fixed.items() if target.place} - trial.board.pinned
        for pair_id, target in targets.items():
            trial.set_predecessors(pair_id, target.comes_after)
        for pair_id in in_the_way:
            trial.remove(pair_id)
        _place_targets(state, trial, fixed)
        trial.board.pinned |= pinned
        reasons = {
            pair_id: _place_again(state, trial, _wanted(state, targets, pair_id), pair_id, now)
            for pair_id in in_the_way
        }
        trial.board.pinned -= pinned
        moved = {*in_the_way, *trial.before} - fixed.keys()
        return {
            pair_id: _arranged(state, trial, pair_id, _wanted(state, targets, pair_id), reasons.get(pair_id))
            for pair_id in moved
        }


def _place_targets(state: AgendaState, trial: Trial, arrangements: Arrangements) -> None:
    """Put meetings on the board that have a new place or new people."""
    moved = {
        pair_id: arrangement
        for pair_id, arrangement in arrangements.items()
        if (arrangement.place, arrangement.people) != (state.placements.get(pair_id), state.pairs[pair_id].people)
    }
    for pair_id in moved:
        trial.remove(pair_id)
    for pair_id, arrangement in moved.items():
        if arrangement.place is not None:
            trial.place(state.meeting(pair_id, arrangement.people), state.assignment(arrangement.place))


def _wanted(state: AgendaState, targets: Arrangements, pair_id: str) -> Arrangement:
    return targets[pair_id] if pair_id in targets else arrangement_of(state, pair_id)


def _place_again(
    state: AgendaState, trial: Trial, wanted: Arrangement, pair_id: str, now: datetime
) -> WaitingReason | None:
    """Place a meeting that gave way near its former place, moving few meetings; or return the reason to wait."""
    board, meeting = trial.board, state.meeting(pair_id, wanted.people)
    before, allowed = trial.before.get(pair_id), timing.slots_for(state, pair_id, now, wanted.people)
    near = before[1] if before else None
    if near is not None:
        allowed |= near.slots & timing.slots_to_come(state, now)
    found, reason = find_assignment(board, meeting, allowed, near)
    open_slots = timing.open_slots(state, now)
    assignments = {pair_id: found} if found else make_room(board, meeting, open_slots, most_moves(state))
    if not assignments:
        return reason
    for moved_id in assignments:
        trial.remove(moved_id)
    for moved_id, assignment in assignments.items():
        trial.place(meeting if moved_id == pair_id else state.meeting(moved_id), assignment)
    return None


def _arranged(
    state: AgendaState, trial: Trial, pair_id: str, wanted: Arrangement, reason: WaitingReason | None
) -> Arrangement:
    """Return the arrangement that a meeting has on the board of the trial."""
    on_board = trial.board.placed.get(pair_id)
    place: Place | None = None
    if on_board is not None:
        before = trial.before.get(pair_id)
        place = state.placements[pair_id] if before and before[1] == on_board[1] else state.place(on_board[1])
    return wanted.model_copy(update={"place": place, "reason": None if place else reason})


def _more_idle(state: AgendaState, before: Arrangements, after: Arrangements) -> int:
    """Return the slots that the people concerned would wait between encounters more than now."""
    arrangements = (*before.values(), *after.values())
    participant_ids = {person_id for arrangement in arrangements for person_id in arrangement.people}
    idle = sum(map(state.board.idle_count, participant_ids))
    with Trial(state.board) as trial:
        _place_targets(state, trial, after)
        return sum(map(state.board.idle_count, participant_ids)) - idle
