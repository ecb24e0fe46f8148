"""A decision in progress: its changes so far, and the room that these have freed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.scheduler.domain.changes import Change, Placed, Removed, TakenOver, Waits
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.repair.settling import Standing, displacements, open_places, settled_by_time, standing
from services.scheduler.domain.repair.substitutes import substitutes_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.ejection import Assignments, SearchBudget
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Cause, WaitingReason


@dataclass
class FreedRoom:
    """Time and tables that a step has freed, to be offered to pairs that wait.

    `pairs` had to come before or after a meeting that was removed. `table_slots` are the slots of freed tables.
    """

    participants: set[str] = field(default_factory=set)
    pairs: set[str] = field(default_factory=set)
    table_slots: SlotSet = 0

    def candidates(self, state: AgendaState) -> set[str]:
        """Return the waiting pairs that may gain: by a participant, a substitute, an order or a table."""
        colleagues = (substitutes_of(state, participant_id) for participant_id in self.participants)
        participants = self.participants.union(*colleagues)
        linked = {pair_id for participant_id in participants for pair_id in state.links.pairs_of[participant_id]}
        candidates = (linked | self.pairs) & state.waiting.keys()
        if self.table_slots:
            for pair_id in state.links.waiting_for_table:
                if self.table_slots & ~state.board.busy_slots(state.meeting(pair_id)):
                    candidates.add(pair_id)
        return candidates


class DecisionInProgress:
    """Changes of a decision so far. All changes of the state go through `record`.

    - `before`: standings before the present step of the pairs that it changes.
    - `by_hand`: pairs that the organiser moves, which may leave a place that they had to keep.
    - `released`: unsettled pairs that the present step moves for displaced meetings to come home, frozen places too.
    - `freed`: room that the present repair has freed. `budget`: effort left to make room, for the whole decision.
    - `open_before`: displaced pairs whose settled places the facts allowed before the present step.
    - `spares_moves`: whether needless moves are taken back. Who has a place does not depend on it.

    - `actor`: the author of an edit or of a report, as registration names it.

    A step is an event, an edit, a report or an improvement. `verify_step` ends it.
    """

    def __init__(self, state: AgendaState, now: datetime) -> None:
        self.state = state
        self.now = now
        self.changes: list[Change] = []
        self.before: dict[str, Standing] = {}
        self.by_hand: set[str] = set()
        self.released: set[str] = set()
        self.open_before = open_places(state, now)
        self.freed = FreedRoom()
        self.budget = SearchBudget()
        self.actor: str | None = None
        self.spares_moves = True

    def record(self, change: Change) -> None:
        """Apply a change to the state and keep it for the journal."""
        if isinstance(change, Placed | Removed | TakenOver | Waits):
            self.before.setdefault(change.pair_id, standing(self.state, change.pair_id))
        evolve(self.state, change)
        self.changes.append(change)

    def record_settled_by_time(self) -> None:
        """Record the encounters that are settled by now."""
        for change in settled_by_time(self.state, self.now):
            self.record(change)

    def record_displacements(self, step: int) -> None:
        """Record the encounters that the present step has displaced, and those that are home again."""
        for change in displacements(self.state, self.before, step, self.now):
            self.record(change)

    def end_step(self) -> None:
        """Begin the next step of the decision."""
        self.before.clear()
        self.released.clear()
        self.open_before = open_places(self.state, self.now)

    def wait(self, pair_id: str, reason: WaitingReason | None, cause: Cause) -> None:
        """Record the reason why a pair waits, if that is new."""
        if self.state.waiting.get(pair_id) is not reason:
            self.record(Waits(pair_id=pair_id, reason=reason, cause=cause))

    def remove(self, pair_id: str, cause: Cause) -> None:
        """Take the place of a pair's meeting away; its time and table are offered later in this step."""
        self.freed.participants.update(self.state.pairs[pair_id].people)
        self.freed.table_slots |= self.state.board.placed[pair_id][1].slots
        self.freed.pairs |= self.state.ordered_with(pair_id)
        self.record(Removed(pair_id=pair_id, cause=cause))

    def place_all(self, assignments: Assignments, cause: Cause) -> None:
        """Give meetings these assignments. Meetings that move are removed first, so that two may swap."""
        board = self.state.board
        moves = {
            pair_id: assignment
            for pair_id, assignment in sorted(assignments.items())
            if pair_id not in board.placed or board.placed[pair_id][1] != assignment
        }
        for pair_id in moves:
            if pair_id in board.placed:
                self.record(Removed(pair_id=pair_id, cause=cause))
        for pair_id, assignment in moves.items():
            self.record(Placed(pair_id=pair_id, place=self.state.place(assignment), cause=cause))
