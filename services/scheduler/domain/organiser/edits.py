"""Edits by the organiser's hand: planned first, with all that they lead to; then made as planned, and taken back.

Whoever is in the way of an edit is seated elsewhere, or waits, unless locked or begun. No edit breaks a rule.
"""

from __future__ import annotations

import hashlib
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from pydantic_core import to_json

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Edited, Locked, Ordered, Placed, Removed, TakenOver, Undone, Waits
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.organiser.edit_targets import edit_targets
from services.scheduler.domain.snapshots import AppliedEdit, Arrangement
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.ejection import make_room
from services.scheduler.domain.timetable.evidence import Evidence, JudgedPair, TableOccupancy
from services.scheduler.domain.timetable.placement import find_assignment
from services.scheduler.domain.timetable.rules import out_of_order
from services.scheduler.domain.timetable.trial import Trial
from services.scheduler.domain.timetable.verifier import Violation, verify_meetings
from services.scheduler.domain.verification import evidence_of
from shared.contract.events import Cause, CauseCode, Place, WaitingReason
from shared.internal_api.edits import Edit, UndoEdit

Arrangements = Mapping[str, Arrangement]


@dataclass(frozen=True)
class EditPlan:
    """What an edit would do, by pair; or what was asked for alone, and the rules that it would break.

    `idle` is how many slots more those concerned would sit and wait between encounters; fewer if it is negative.
    """

    edit: Edit
    before: Arrangements = field(default_factory=dict)
    after: Arrangements = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    idle: int = 0

    @property
    def token(self) -> str:
        """Names this plan: another edit, or the same with other consequences, has another."""
        said = to_json([self.edit, dict(self.before), dict(self.after), self.violations])
        return hashlib.sha256(said).hexdigest()[:32]


class StalePlan(Exception):
    """The agenda has changed: the edit would not do any more what was shown. `plan` is what it would do now."""

    def __init__(self, plan: EditPlan) -> None:
        super().__init__("the agenda has changed: the edit would do something else now")
        self.plan = plan


class RulesBroken(Exception):
    """The edit would break rules that nothing may break."""

    def __init__(self, plan: EditPlan) -> None:
        super().__init__(", ".join(sorted({violation.rule for violation in plan.violations})))
        self.plan = plan


def plan_edit(state: AgendaState, edit: Edit, now: datetime) -> EditPlan:
    """What the edit would do now. The state is left as it is.

    Raises:
        NotPossible: it cannot be done at all, whatever the rest of the agenda.
    """
    targets = edit_targets(state, edit, now)
    ways = [_plan(state, edit, targets, way, now) for way in _ways(state, targets, now)]
    return min(ways, key=_harm)


def _ways(state: AgendaState, targets: Arrangements, now: datetime) -> list[list[str]]:
    """Who could give way: others; or what is not asked to be anywhere, but after others or with guests; or both."""
    anywhere = {pair for pair in targets if targets[pair].may_be_anywhere(state.arrangement(pair))}
    asked = {pair: each for pair, each in targets.items() if pair not in anywhere}
    in_the_way = (_clashing(state, asked) - asked.keys()) | _wanted_again(state, targets)
    others = (_clashing(state, targets) | _out_of_order(state, targets)) - targets.keys()
    itself = {pair for pair in anywhere if state.is_wanted(pair, targets[pair].people)}
    ways = [others, itself, others | itself] if itself else [others]
    return [_movable(state, in_the_way | way, now) for way in ways]


def _wanted_again(state: AgendaState, targets: Arrangements) -> set[str]:
    """Those that were not to be, and are once these people meet: they look for a place, or wait."""
    return {
        pair
        for pair, each in targets.items()
        if each.place is None and each.reason is None and state.is_wanted(pair, each.people)
    }


def _harm(plan: EditPlan) -> tuple[bool, int, int]:
    waiting = sum((each.place is None) - (plan.before[pair].place is None) for pair, each in plan.after.items())
    if isinstance(plan.edit, UndoEdit):
        waiting = max(waiting, 0)  # it is to be as it was, though somebody who waited then could have a place
    return bool(plan.violations), waiting, len(plan.after)


def _plan(state: AgendaState, edit: Edit, targets: Arrangements, in_the_way: list[str], now: datetime) -> EditPlan:
    """What the edit would do if these gave way."""
    stay = [pair for pair in targets if targets[pair].place and pair not in in_the_way]
    begun = {pair for pair in stay if timing.has_begun(state, pair, now)}
    violations = verify_meetings(_evidence(state, targets, in_the_way), stay, begun)
    after = {**targets, **({} if violations else _rehearsed(state, targets, in_the_way, now))}
    changed = {pair: each for pair, each in sorted(after.items()) if each != state.arrangement(pair)}
    before = {pair: state.arrangement(pair) for pair in changed}
    idle = 0 if violations else _more_idle(state, before, changed)
    return EditPlan(edit, before, changed, tuple(violations), idle)


def apply_edit(decision: DecisionInProgress, edit: Edit, token: str) -> EditPlan:
    """Make an edit as it was planned under this token; `*` stands for any.

    Raises:
        NotPossible: as `plan_edit`.
        PlanStale: it would do something else than what was planned.
        RulesBroken: it breaks rules.
    """
    planned = plan_edit(decision.state, edit, decision.now)
    if token not in (planned.token, "*"):
        raise StalePlan(planned)
    if planned.violations:
        raise RulesBroken(planned)
    if planned.after:
        _arrange(decision, planned)
    return planned


def mailed_participants(state: AgendaState, plan: EditPlan) -> list[str]:
    """The participants whose agendas read differently after it, and who hear of it: nobody before they are out."""
    if not state.announced:
        return []
    people: set[str] = set()
    for pair, after in plan.after.items():
        before = plan.before[pair]
        if (before.place, before.people) != (after.place, after.people) and (before.place or after.place):
            people.update(before.people if before.place else (), after.people if after.place else ())
    return sorted(people)


def _arrange(decision: DecisionInProgress, planned: EditPlan) -> None:
    cause = Cause(code=CauseCode.ORGANISER_EDITED, subject_id=decision.state.edition_id)
    decision.by_hand.update(planned.after)
    _move(decision, planned, cause)
    for pair, each in planned.after.items():
        _settle(decision, pair, each, cause)
    made = AppliedEdit(edit=planned.edit, before=dict(planned.before), after=dict(planned.after))
    decision.record(Undone() if isinstance(planned.edit, UndoEdit) else Edited(made=made))


def _move(decision: DecisionInProgress, planned: EditPlan, cause: Cause) -> None:
    """Have the encounters where they are to be, between whom they are to be."""
    moved = [pair for pair, each in planned.after.items() if each.place != planned.before[pair].place]
    for pair in moved:
        if planned.before[pair].place is not None:
            decision.record(Removed(pair_id=pair, cause=cause))
    for pair, each in planned.after.items():
        if each.people != decision.state.pairs[pair].people:
            decision.record(TakenOver(pair_id=pair, people=each.people, cause=cause))
    for pair in moved:
        if (place := planned.after[pair].place) is not None:
            decision.record(Placed(pair_id=pair, place=place, cause=cause))


def _settle(decision: DecisionInProgress, pair: str, arranged: Arrangement, cause: Cause) -> None:
    """Note what else is new of an encounter: why it waits, whether it is locked, what it comes after."""
    state = decision.state
    if arranged.reason is not state.waiting.get(pair):
        decision.record(Waits(pair_id=pair, reason=arranged.reason, cause=cause))
    if arranged.is_locked != (pair in state.locked):
        decision.record(Locked(pair_id=pair, is_locked=arranged.is_locked))
    if arranged.comes_after != state.comes_after.get(pair, ()):
        decision.record(Ordered(pair_id=pair, comes_after=arranged.comes_after))


def _clashing(state: AgendaState, targets: Arrangements) -> set[str]:
    """The encounters that are where and when others are to be."""
    board, found = state.board, set[str]()
    for pair, each in targets.items():
        if each.place is None:
            continue
        slots = state.assignment(each.place).slots
        near = {other for person in each.people for other in board.assignments_of[person]}
        near |= state.links.occupancy.near(each.place)
        found |= {other for other in near - {pair} if board.placed[other][1].slots & slots}
    return found


def _out_of_order(state: AgendaState, targets: Arrangements) -> set[str]:
    """The encounters that would be out of order with the targets, those included."""
    evidence = _evidence(state, targets, ())
    return {each for pair in targets if targets[pair].place for each in out_of_order(evidence, pair)}


def _movable(state: AgendaState, pairs: Iterable[str], now: datetime) -> list[str]:
    """Those that an edit may move, the most wanted first."""
    movable = (pair for pair in pairs if pair not in state.locked and not timing.is_history(state, pair, now))
    wishes = {pair: state.demand(pair) for pair in movable}
    return sorted(wishes, key=lambda pair: (*wishes[pair].rank, -wishes[pair].score, pair))


def _evidence(state: AgendaState, targets: Arrangements, in_the_way: Iterable[str]) -> Evidence:
    """The agenda with the targets where they are to be, and nobody movable in their way."""
    known, moved = evidence_of(state), set(in_the_way)
    gone = {*moved, *targets}
    placed = {pair: each.place for pair, each in targets.items() if each.place is not None and pair not in moved}
    occupancy = TableOccupancy(placed)
    pairs = {pair: state.pairs[pair].with_people(targets[pair].people) for pair in targets}

    def pairs_of_participant(person: str) -> set[str]:
        return {pair for pair in known.pairs_of_participant(person) if pair not in gone} | {
            pair for pair in placed if person in targets[pair].people
        }

    def pairs_near_table(place: Place) -> set[str]:
        return known.pairs_near_table(place) - gone | occupancy.near(place)

    def predecessors(pair: str) -> Iterable[str]:
        comes_after = targets[pair].comes_after if pair in targets else state.comes_after.get(pair, ())
        return [each for each in comes_after if each in placed or (each in state.placements and each not in gone)]

    def successors(pair: str) -> Iterable[str]:
        return {each for each in known.successors(pair) if each not in gone} | {
            each for each in placed if pair in targets[each].comes_after
        }

    inputs = known.inputs._replace(
        pairs=ChainMap(cast("dict[str, JudgedPair]", pairs), cast("dict[str, JudgedPair]", state.pairs))
    )
    return replace(
        known,
        inputs=inputs,
        places=ChainMap(placed, state.placements),
        pairs_of_participant=pairs_of_participant,
        pairs_near_table=pairs_near_table,
        predecessors=predecessors,
        successors=successors,
    )


def _rehearsed(
    state: AgendaState, targets: Arrangements, in_the_way: list[str], now: datetime
) -> dict[str, Arrangement]:
    """Where everybody ends who has to move, but for the targets that have their place."""
    fixed = {pair: each for pair, each in targets.items() if pair not in in_the_way}
    with Trial(state.board) as stage:
        pinned = {pair for pair, each in fixed.items() if each.place} - stage.board.pinned
        for pair, each in targets.items():
            stage.set_predecessors(pair, each.comes_after)
        for pair in in_the_way:
            stage.remove(pair)
        _seat_elsewhere(state, stage, fixed)
        stage.board.pinned |= pinned
        reasons = {pair: _reseat(state, stage, _asked(state, targets, pair), pair, now) for pair in in_the_way}
        stage.board.pinned -= pinned
        moved = {*in_the_way, *stage.before} - fixed.keys()
        asked = {pair: _asked(state, targets, pair) for pair in moved}
        return {pair: _arranged(state, stage, pair, each, reasons.get(pair)) for pair, each in asked.items()}


def _seat_elsewhere(state: AgendaState, stage: Trial, arrangements: Arrangements) -> None:
    """Put on the board where they are to be those who are not there already, or meet others."""
    moved = {
        pair: each
        for pair, each in arrangements.items()
        if (each.place, each.people) != (state.placements.get(pair), state.pairs[pair].people)
    }
    for pair in moved:
        stage.remove(pair)
    for pair, each in moved.items():
        if each.place is not None:
            stage.place(state.meeting(pair, each.people), state.assignment(each.place))


def _asked(state: AgendaState, targets: Arrangements, pair: str) -> Arrangement:
    return targets[pair] if pair in targets else state.arrangement(pair)


def _reseat(state: AgendaState, stage: Trial, asked: Arrangement, pair: str, now: datetime) -> WaitingReason | None:
    """Seat an encounter that had to give way as near as can be, moving few others if need be; or say why not."""
    board, wanted = stage.board, state.meeting(pair, asked.people)
    before, allowed = stage.before.get(pair), timing.slots_for(state, pair, now, asked.people)
    near = before[1] if before else None
    if near is not None:
        allowed |= near.slots & timing.slots_to_come(state, now)
    seat, reason = find_assignment(board, wanted, allowed, near)
    seating = {pair: seat} if seat else make_room(board, wanted, timing.open_slots(state, now), most_moves(state))
    if not seating:
        return reason
    for each in seating:
        stage.remove(each)
    for each, place in seating.items():
        stage.place(wanted if each == pair else state.meeting(each), place)
    return None


def _arranged(
    state: AgendaState, stage: Trial, pair: str, asked: Arrangement, reason: WaitingReason | None
) -> Arrangement:
    on_board = stage.board.placed.get(pair)
    place: Place | None = None
    if on_board is not None:
        before = stage.before.get(pair)
        place = state.placements[pair] if before and before[1] == on_board[1] else state.place(on_board[1])
    return asked.model_copy(update={"place": place, "reason": None if place else reason})


def _more_idle(state: AgendaState, before: Arrangements, after: Arrangements) -> int:
    """How many slots more, or fewer, those concerned sit and wait between encounters."""
    people = {person for each in (*before.values(), *after.values()) for person in each.people}
    idle = sum(map(state.board.idle_count, people))
    with Trial(state.board) as stage:
        _seat_elsewhere(state, stage, after)
        return sum(map(state.board.idle_count, people)) - idle
