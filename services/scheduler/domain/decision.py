"""A decision in progress: its changes so far, and the repair of an agenda with as few moves as possible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Change, Locked, Placed, Removed, TakenOver, Waits
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.objective.fill_rates import fill_rate
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.objective.priority import demand_key, placement_key, smallest_key_first
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.substitutes import find_substitute, substitutes_of
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.ejection import Assignments, SearchBudget, make_room
from services.scheduler.domain.timetable.placement import find_assignment, is_well_placed
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Cause, Place, WaitingReason

#: Reasons to wait that another meeting causes, so that moving that meeting may help.
MOVING_HELPS = frozenset({WaitingReason.AGENDAS_FULL, WaitingReason.NO_TABLE, WaitingReason.NO_SLOT_IN_ORDER})


@dataclass
class _Freed:
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

    - `before`: places before the present step of the meetings that the step moves. `verify_step` clears it.
    - `by_hand`: pairs that the organiser moves, which may leave a place that they had to keep.
    """

    def __init__(self, state: AgendaState, now: datetime) -> None:
        self.state = state
        self.now = now
        self.changes: list[Change] = []
        self.before: dict[str, Place | None] = {}
        self.by_hand: set[str] = set()
        self._freed = _Freed()
        self._budget = SearchBudget()

    def record(self, change: Change) -> None:
        """Apply a change to the state and keep it for the journal."""
        if isinstance(change, Placed | Removed):
            self.before.setdefault(change.pair_id, self.state.placements.get(change.pair_id))
        evolve(self.state, change)
        self.changes.append(change)

    def wait(self, pair_id: str, reason: WaitingReason | None, cause: Cause) -> None:
        """Record the reason why a pair waits, if that is new."""
        if self.state.waiting.get(pair_id) is not reason:
            self.record(Waits(pair_id=pair_id, reason=reason, cause=cause))

    def remove(self, pair_id: str, cause: Cause) -> None:
        """Take the place of a pair's meeting away; its time and table are offered later in this step."""
        self._freed.participants.update(self.state.pairs[pair_id].people)
        self._freed.table_slots |= self.state.board.placed[pair_id][1].slots
        self._freed.pairs |= self.state.ordered_with(pair_id)
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

    def reconsider(self, pair_ids: Iterable[str], cause: Cause, *, new_tables: bool = False) -> None:
        """Make the meetings of these pairs obey the rules again, with as few moves as possible.

        1. Remove meetings that are not wanted any more.
        2. Move meetings whose place breaks a rule, to the nearest assignment.
        3. Place meetings that have no place.
        4. Offer the time and the tables that this has freed, and `new_tables`, to pairs that wait.
        """
        if self.state.is_closed:
            return
        pairs = self._by_weight(pair_id for pair_id in pair_ids if not timing.is_history(self.state, pair_id, self.now))
        self._freed = _Freed(table_slots=self.state.timeline.all_slots if new_tables else 0)
        for pair_id in pairs:
            self._drop_if_unwanted(pair_id, cause)
        previous = self._remove_misplaced(pairs, cause)
        unplaced = [pair_id for pair_id in pairs if self._is_unplaced(pair_id)]
        self._restore(previous, cause)
        for pair_id in unplaced:
            self._place(pair_id, previous.get(pair_id), cause)
        self._offer_freed(set(unplaced), cause)

    def offer(self, pair_id: str, assignment: Assignment, participant_ids: Iterable[str], cause: Cause) -> None:
        """Offer the table of a missed meeting, and the time of the participants at the venue, to pairs that wait."""
        self._freed = _Freed(set(participant_ids), self.state.ordered_with(pair_id), assignment.slots)
        self._offer_freed(set(), cause, assignment)

    def _by_weight(self, pair_ids: Iterable[str]) -> list[str]:
        """Sort pairs: meetings that stay, then by demand, then by score. The first keeps or gets a place first."""
        state = self.state

        def weight(pair_id: str) -> tuple[bool, int, bool, bool, float, str]:
            demand, encounters, own = state.demand(pair_id), state.board.assignments_of, pair_id in state.board.placed
            counts = (len(encounters[participant_id]) - own for participant_id in state.pairs[pair_id].people)
            key = demand_key(demand, counts, state.min_encounters)
            return not timing.stays(state, pair_id, self.now), *key, -demand.score, pair_id

        return sorted(pair_ids, key=weight)

    def _drop_if_unwanted(self, pair_id: str, cause: Cause) -> None:
        if self.state.is_wanted(pair_id):
            return
        if pair_id in self.state.placements:
            self.remove(pair_id, cause)
        if pair_id in self.state.locked:
            self.record(Locked(pair_id=pair_id, is_locked=False))
        self.wait(pair_id, None, cause)

    def _is_unplaced(self, pair_id: str) -> bool:
        return pair_id not in self.state.placements and self.state.is_wanted(pair_id)

    def _remove_misplaced(self, pairs: list[str], cause: Cause) -> dict[str, Assignment]:
        """Remove the meetings whose place breaks a rule; return the nearest assignment of each meeting."""
        previous: dict[str, Assignment] = {}
        # In reverse, because over a quota the meeting with the lowest demand gives way.
        for pair_id in reversed(pairs):
            if pair_id in self.state.placements and self._is_misplaced(pair_id):
                previous[pair_id] = self._nearest_assignment(pair_id)
                self.remove(pair_id, cause)
        return previous

    def _is_misplaced(self, pair_id: str) -> bool:
        is_in_slot = self.state.timeline.index_of(self.state.placements[pair_id]) is not None
        return not is_in_slot or not is_well_placed(self.state.board, pair_id)

    def _nearest_assignment(self, pair_id: str) -> Assignment:
        """Return the assignment at the same time; if the slots have moved, the slot of the same number."""
        place = self.state.placements[pair_id]
        index = self.state.timeline.index_of(place)
        return Assignment(1 << (place.slot if index is None else index), place.zone_id, place.table)

    def _restore(self, previous: dict[str, Assignment], cause: Cause) -> None:
        """Place the meetings that can keep time and table, before another meeting takes them."""
        for pair_id in self._by_weight(previous):
            allowed = self._allowed(pair_id, previous[pair_id])
            found, _ = find_assignment(self.state.board, self.state.meeting(pair_id), allowed, previous[pair_id])
            if found == previous[pair_id]:
                self.place_all({pair_id: found}, cause)

    def _place(self, pair_id: str, near: Assignment | None, cause: Cause) -> None:
        if pair_id in self.state.placements:
            return
        reason = self._unknown(pair_id)
        if reason is not None:
            self.wait(pair_id, reason, cause)
        else:
            self._place_or_wait(pair_id, self._allowed(pair_id, near), near, cause)

    def _unknown(self, pair_id: str) -> WaitingReason | None:
        if self.state.edition is None:
            return WaitingReason.EDITION_UNKNOWN
        return None if self.state.is_known(pair_id) else WaitingReason.PARTICIPANT_UNKNOWN

    def _place_or_wait(self, pair_id: str, allowed: SlotSet, near: Assignment | None, cause: Cause) -> None:
        """Place a meeting, with a substitute or by moving further meetings if need be; or record why it waits."""
        state = self.state
        found, reason = find_assignment(state.board, state.meeting(pair_id), allowed, near)
        assignments = {pair_id: found} if found else None
        # After the announcement a substitute is better than a move; before it, a move is better.
        if not assignments and state.announced:
            assignments = self._substitute(pair_id, near, cause)
        assignments = assignments or self._make_room(pair_id, reason)
        if not assignments and not state.announced:
            assignments = self._substitute(pair_id, near, cause)
        if assignments:
            self.place_all(assignments, cause)
        else:
            self.wait(pair_id, reason, cause)

    def _substitute(self, pair_id: str, near: Assignment | None, cause: Cause) -> Assignments | None:
        before = self.before.get(pair_id)
        if before is not None and timing.must_stay(self.state, pair_id, before, self.now):
            # The meeting has just lost a place that it had to keep: the organiser decides on substitutes.
            return None
        found = find_substitute(
            self.state, pair_id, lambda people: timing.slots_for(self.state, pair_id, self.now, people), near
        )
        if found is None:
            return None
        people, assignment = found
        self.record(TakenOver(pair_id=pair_id, people=people, cause=cause))
        return {pair_id: assignment}

    def _make_room(self, pair_id: str, reason: WaitingReason) -> Assignments | None:
        if reason not in MOVING_HELPS:
            return None
        state, open_slots = self.state, timing.open_slots(self.state, self.now)
        return make_room(state.board, state.meeting(pair_id), open_slots, most_moves(state), self._budget)

    def _offer_freed(self, tried: set[str], cause: Cause, near: Assignment | None = None) -> None:
        """Offer freed time and tables to waiting pairs, the smallest placement key first; not to pairs just tried."""
        for pair_id in smallest_key_first(self._freed.candidates(self.state) - tried, self._placement_key):
            if self._unknown(pair_id) is None:
                self._place_or_wait(pair_id, self._allowed(pair_id), near, cause)

    def _placement_key(self, pair_id: str) -> tuple[object, ...]:
        state = self.state
        rates = (fill_rate(state, participant_id) for participant_id in state.pairs[pair_id].people)
        return (*placement_key(state.demand(pair_id), rates, state.min_encounters), pair_id)

    def _allowed(self, pair_id: str, previous: Assignment | None = None) -> SlotSet:
        """Return the slots that a pair may be given; with `previous`, its former time too, unless that has begun."""
        allowed = timing.slots_for(self.state, pair_id, self.now)
        return allowed | (previous.slots & timing.slots_to_come(self.state, self.now)) if previous else allowed
