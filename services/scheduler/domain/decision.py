"""One decision in the making: its changes, and the one place where encounters are placed, repaired and set waiting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.scheduler.domain.changes import Change, Locked, Placed, Removed, TakenOver, Waits
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.objective.priority import demand_key, placement_key, smallest_key_first
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.substitutes import find_substitute
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.ejection import Assignments, SearchBudget, make_room
from services.scheduler.domain.timetable.placement import find_assignment, is_well_placed
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Cause, Place, WaitingReason

#: What keeps a slot from somebody may go elsewhere.
_MOVING_HELPS = frozenset({WaitingReason.AGENDAS_FULL, WaitingReason.NO_TABLE, WaitingReason.NO_SLOT_IN_ORDER})


class DecisionInProgress:
    """What a decision has changed so far. Every change of the state goes through `record`."""

    def __init__(self, state: AgendaState, now: datetime) -> None:
        self.state = state
        self.now = now
        self.changes: list[Change] = []
        #: Where the encounters that this step moves were before it; and those it moves by the organiser's hand.
        self.before: dict[str, Place | None] = {}
        self.by_hand: set[str] = set()
        self._freed_people: set[str] = set()
        self._freed_seats: SlotSet = 0
        #: Those that had to come before or after what was lifted.
        self._freed_pairs: set[str] = set()
        self._budget = SearchBudget()

    def record(self, change: Change) -> None:
        """Apply a change and keep it for the journal."""
        if isinstance(change, Placed | Removed):
            self.before.setdefault(change.pair_id, self.state.placements.get(change.pair_id))
        evolve(self.state, change)
        self.changes.append(change)

    def reconsider(self, pair_ids: Iterable[str], cause: Cause, *, new_tables: bool = False) -> None:
        """Bring these pairs' encounters in line with the rules again, moving as few as possible.

        Those not wanted any more go; those whose place breaks a rule look for another, the nearest first; those
        without a place look for one; and what is freed on the way, and `new_tables`, are offered to those who wait.
        """
        if self.state.is_closed:
            return
        pairs = self._by_weight(pair for pair in pair_ids if not self.state.is_history(pair, self.now))
        self._freed_people, self._freed_seats = set(), self.state.timeline.all_slots if new_tables else 0
        self._freed_pairs = set()
        for pair in pairs:
            self._drop_if_unwanted(pair, cause)
        wishes = self._lift_misplaced(pairs, cause)
        unplaced = [pair for pair in pairs if self._is_unplaced(pair)]
        self._place_where_wished(wishes, cause)
        for pair in unplaced:
            self._place(pair, wishes.get(pair), cause)
        self._offer_what_is_free(set(unplaced), cause)

    def seat_all(self, seating: Assignments, cause: Cause) -> None:
        """Give encounters these seats at once: those that move are lifted first, so that they can swap."""
        board = self.state.board
        moves = {
            pair: seat
            for pair, seat in sorted(seating.items())
            if pair not in board.placed or board.placed[pair][1] != seat
        }
        for pair in moves:
            if pair in board.placed:
                self.record(Removed(pair_id=pair, cause=cause))
        for pair, seat in moves.items():
            self.record(Placed(pair_id=pair, place=self.state.place(seat), cause=cause))

    def offer(self, pair_id: str, seat: Assignment, people: Iterable[str], cause: Cause) -> None:
        """Offer a pair's seat, at which nobody sits after all, and the time of who came for nothing, to who waits."""
        self._freed_people, self._freed_seats = set(people), seat.slots
        self._freed_pairs = self.state.ordered_with(pair_id)
        self._offer_what_is_free(set(), cause, seat)

    def wait(self, pair_id: str, reason: WaitingReason | None, cause: Cause) -> None:
        """Note why a pair has no place, if that is new."""
        if self.state.waiting.get(pair_id) is not reason:
            self.record(Waits(pair_id=pair_id, reason=reason, cause=cause))

    def lift(self, pair_id: str, cause: Cause) -> None:
        """Take an encounter's place away."""
        self._freed_people.update(self.state.pairs[pair_id].people)
        self._freed_seats |= self.state.board.placed[pair_id][1].slots
        self._freed_pairs |= self.state.ordered_with(pair_id)
        self.record(Removed(pair_id=pair_id, cause=cause))

    def _by_weight(self, pair_ids: Iterable[str]) -> list[str]:
        """Who keeps a place or is given one first: what stays, then as `placement_key` says, and who fits better."""
        state = self.state

        def weight(pair: str) -> tuple[bool, int, bool, bool, float, str]:
            wish, encounters, itself = state.demand(pair), state.board.assignments_of, pair in state.board.placed
            others = (len(encounters[each]) - itself for each in state.pairs[pair].people)
            return not state.stays(pair, self.now), *demand_key(wish, others, state.least), -wish.score, pair

        return sorted(pair_ids, key=weight)

    def _drop_if_unwanted(self, pair_id: str, cause: Cause) -> None:
        if self.state.is_wanted(pair_id):
            return
        if pair_id in self.state.placements:
            self.lift(pair_id, cause)
        if pair_id in self.state.locked:
            self.record(Locked(pair_id=pair_id, is_locked=False))
        self.wait(pair_id, None, cause)

    def _is_unplaced(self, pair_id: str) -> bool:
        return pair_id not in self.state.placements and self.state.is_wanted(pair_id)

    def _lift_misplaced(self, pairs: list[str], cause: Cause) -> dict[str, Assignment]:
        """Lift the encounters whose place breaks a rule; returns where each would best go instead."""
        wishes: dict[str, Assignment] = {}
        for pair in reversed(pairs):  # the least wanted first: it is they who give way to a quota
            if pair in self.state.placements and self._is_misplaced(pair):
                wishes[pair] = self._wish(pair)
                self.lift(pair, cause)
        return wishes

    def _is_misplaced(self, pair_id: str) -> bool:
        return self.state.timeline.index_of(self.state.placements[pair_id]) is None or not is_well_placed(
            self.state.board, pair_id
        )

    def _wish(self, pair_id: str) -> Assignment:
        """The seat that is least of a move: the same time, or the same slot where the slots were moved in time."""
        place = self.state.placements[pair_id]
        index = self.state.timeline.index_of(place)
        return Assignment(1 << (place.slot if index is None else index), place.zone_id, place.table)

    def _place_where_wished(self, wishes: dict[str, Assignment], cause: Cause) -> None:
        """First those who can keep time and table, so that nobody else takes them."""
        for pair in self._by_weight(wishes):
            allowed = self._allowed(pair, wishes[pair])
            seat, _ = find_assignment(self.state.board, self.state.meeting(pair), allowed, wishes[pair])
            if seat == wishes[pair]:
                self.seat_all({pair: seat}, cause)

    def _place(self, pair_id: str, wish: Assignment | None, cause: Cause) -> None:
        if pair_id in self.state.placements:
            return
        reason = self._unknown(pair_id)
        if reason is not None:
            self.wait(pair_id, reason, cause)
        else:
            self._seat_or_wait(pair_id, self._allowed(pair_id, wish), wish, cause)

    def _unknown(self, pair_id: str) -> WaitingReason | None:
        if self.state.edition is None:
            return WaitingReason.EDITION_UNKNOWN
        return None if self.state.is_known(pair_id) else WaitingReason.PARTICIPANT_UNKNOWN

    def _seat_or_wait(self, pair_id: str, allowed: SlotSet, near: Assignment | None, cause: Cause) -> None:
        """Seat the pair; or others of its organisations in its stead, or with others moved aside; or note why not."""
        state = self.state
        seat, reason = find_assignment(state.board, state.meeting(pair_id), allowed, near)
        seating = {pair_id: seat} if seat else None
        # Once agendas are out it is better that another comes than that somebody is moved.
        if not seating and state.announced:
            seating = self._stand_in(pair_id, near, cause)
        seating = seating or self._make_room(pair_id, reason)
        if not seating and not state.announced:
            seating = self._stand_in(pair_id, near, cause)
        if seating:
            self.seat_all(seating, cause)
        else:
            self.wait(pair_id, reason, cause)

    def _stand_in(self, pair_id: str, near: Assignment | None, cause: Cause) -> Assignments | None:
        before = self.before.get(pair_id)
        if before is not None and self.state.must_stay(pair_id, before, self.now):
            # It has just lost a place that was to be kept: who could meet there is for the organiser to say.
            return None
        found = find_substitute(
            self.state, pair_id, lambda people: self.state.slots_for(pair_id, self.now, people), near
        )
        if found is None:
            return None
        people, seat = found
        self.record(TakenOver(pair_id=pair_id, people=people, cause=cause))
        return {pair_id: seat}

    def _make_room(self, pair_id: str, reason: WaitingReason) -> Assignments | None:
        if reason not in _MOVING_HELPS:
            return None
        state, open_slots = self.state, self.state.open_slots(self.now)
        return make_room(state.board, state.meeting(pair_id), open_slots, most_moves(state), self._budget)

    def _offer_what_is_free(self, tried: set[str], cause: Cause, near: Assignment | None = None) -> None:
        """Offer what was freed to those who wait: the time of these participants, and the tables of these slots."""
        for pair in smallest_key_first(self._who_may_gain() - tried, self._need):
            if self._unknown(pair) is None:
                self._seat_or_wait(pair, self._allowed(pair), near, cause)

    def _who_may_gain(self) -> set[str]:
        """Those that wait for a freed participant or for their turn; or for a table, if all are free then."""
        links, board, waiting = self.state.links, self.state.board, self.state.waiting
        people = self._freed_people.union(*map(self.state.substitutes_of, self._freed_people))
        pairs = {pair for each in people for pair in links.pairs_of[each] if pair in waiting}
        pairs |= self._freed_pairs & waiting.keys()
        if self._freed_seats:
            pairs |= {
                pair
                for pair in links.waiting_for_table
                if self._freed_seats & ~board.busy_slots(self.state.meeting(pair))
            }
        return pairs

    def _need(self, pair_id: str) -> tuple[object, ...]:
        state = self.state
        served = map(state.served, state.pairs[pair_id].people)
        return (*placement_key(state.demand(pair_id), served, state.least), pair_id)

    def _allowed(self, pair_id: str, wish: Assignment | None = None) -> SlotSet:
        """The slots the pair may be given; and, where its own place is lost, the time it had: others stay at theirs."""
        allowed = self.state.slots_for(pair_id, self.now)
        return allowed | (wish.slots & self.state.slots_to_come(self.now)) if wish else allowed
