"""Repair of an agenda after a change, with as few moves as possible, and the offer of freed room to waiting pairs."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain import timing
from services.scheduler.domain.changes import Locked, Placed, TakenOver
from services.scheduler.domain.decision import DecisionInProgress, FreedRoom
from services.scheduler.domain.objective.fill_rates import fill_rate
from services.scheduler.domain.objective.levels import most_moves
from services.scheduler.domain.objective.priority import demand_key, placement_key, smallest_key_first
from services.scheduler.domain.repair import settling
from services.scheduler.domain.repair.moves import spare_moves
from services.scheduler.domain.repair.substitutes import find_substitute
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.ejection import Assignments, make_room
from services.scheduler.domain.timetable.placement import find_assignment, is_well_placed
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Cause, WaitingReason

#: Reasons to wait that another meeting causes, so that moving that meeting may help.
MOVING_HELPS = frozenset({WaitingReason.AGENDAS_FULL, WaitingReason.NO_TABLE, WaitingReason.NO_SLOT_IN_ORDER})


class AgendaRepair:
    """A repair in a decision. All its changes have the same cause."""

    def __init__(self, decision: DecisionInProgress, cause: Cause) -> None:
        self._decision = decision
        self._cause = cause
        self._state = decision.state
        self._now = decision.now
        #: Whether displaced meetings come home in this repair.
        self._is_return = False

    def reconsider(self, pair_ids: Iterable[str], *, new_tables: bool = False, raises_quota: bool = False) -> None:
        """Make the meetings of these pairs obey the rules again, with as few moves as possible.

        1. Remove meetings that are not wanted any more.
        2. Remove meetings whose place breaks a rule.
        3. Bring displaced meetings home if a change that displaced them is undone (`settling`).
        4. Place meetings that have no place, as near as possible to their settled or former place.
        5. Offer the time and the tables that this has freed, and `new_tables`, to pairs that wait.
        """
        if self._state.is_closed:
            return
        state, now = self._state, self._now
        pairs = self._by_weight(pair_id for pair_id in pair_ids if not timing.is_history(state, pair_id, now))
        self._decision.freed = FreedRoom(table_slots=self._state.timeline.all_slots if new_tables else 0)
        unsettled = settling.assignments_of(state, pairs)
        for pair_id in pairs:
            self._drop_if_unwanted(pair_id)
        previous = self._remove_misplaced(pairs)
        left = {pair_id: assignment for pair_id, assignment in unsettled.items() if pair_id not in state.placements}
        open_now = settling.open_places(state, now)
        undone = open_now if raises_quota else open_now - self._decision.open_before | open_now & previous.keys()
        coming = settling.homecoming(state, open_now, undone, left, now)
        self._is_return = bool(coming.home)
        previous |= self._bring_home(coming)
        pairs = self._by_weight({*pairs, *previous, *coming.tried})
        unplaced = [pair_id for pair_id in pairs if self._is_unplaced(pair_id)]
        self._restore(previous)
        for pair_id in unplaced:
            self._place(pair_id, settling.settled_assignment(self._state, pair_id, self._now) or previous.get(pair_id))
        self._offer_freed(set(unplaced))
        if self._decision.spares_moves:
            spare_moves(self._decision, self._cause, coming.giving_way)

    def _bring_home(self, coming: settling.Homecoming) -> dict[str, Assignment]:
        """Place displaced meetings at their settled places; return the assignments of meetings that gave way."""
        for pair_id in sorted(coming.home.keys() | coming.giving_way.keys()):
            if pair_id in self._state.placements:
                self._decision.remove(pair_id, self._cause)
        for pair_id, assignment in coming.home.items():
            self._meet_as_settled(pair_id)
            self._decision.record(Placed(pair_id=pair_id, place=self._state.place(assignment), cause=self._cause))
        self._decision.released.update(coming.home, coming.giving_way)
        return coming.giving_way

    def _meet_as_settled(self, pair_id: str) -> None:
        """Let the people meet who met before the pair was displaced, if all of them take part."""
        settled, state = self._state.unsettled.get(pair_id), self._state
        if settled and settled.people != state.pairs[pair_id].people and state.is_wanted(pair_id, settled.people):
            self._decision.record(TakenOver(pair_id=pair_id, people=settled.people, cause=self._cause))

    def offer_missed(self, pair_id: str, assignment: Assignment, participant_ids: Iterable[str]) -> None:
        """Offer the table of a missed meeting, and the time of participants at the venue, to pairs that wait."""
        self._decision.freed = FreedRoom(set(participant_ids), self._state.ordered_with(pair_id), assignment.slots)
        self._offer_freed(set(), assignment)

    def _by_weight(self, pair_ids: Iterable[str]) -> list[str]:
        """Sort pairs; the first keeps or gets a place first.

        Meetings that stay come first. Meetings that had no settled place come last. Between them, demand decides, then
        the score.
        """
        state = self._state

        def weight(pair_id: str) -> tuple[bool, bool, int, bool, bool, float, str]:
            demand, encounters, own = state.demand(pair_id), state.board.assignments_of, pair_id in state.board.placed
            counts = (len(encounters[participant_id]) - own for participant_id in state.pairs[pair_id].people)
            key = demand_key(demand, counts, state.min_encounters)
            is_fresh = settling.is_fresh(self._state, pair_id)
            return is_fresh or not timing.stays(state, pair_id, self._now), is_fresh, *key, -demand.score, pair_id

        return sorted(pair_ids, key=weight)

    def _drop_if_unwanted(self, pair_id: str) -> None:
        if self._state.is_wanted(pair_id):
            return
        if pair_id in self._state.placements:
            self._decision.remove(pair_id, self._cause)
        if pair_id in self._state.locked:
            self._decision.record(Locked(pair_id=pair_id, is_locked=False))
        self._decision.wait(pair_id, None, self._cause)

    def _is_unplaced(self, pair_id: str) -> bool:
        return pair_id not in self._state.placements and self._state.is_wanted(pair_id)

    def _remove_misplaced(self, pairs: list[str]) -> dict[str, Assignment]:
        """Remove the meetings whose place breaks a rule; return the nearest assignment of each meeting."""
        previous: dict[str, Assignment] = {}
        # In reverse, because over a quota the meeting with the lowest demand gives way.
        for pair_id in reversed(pairs):
            if pair_id in self._state.placements and self._is_misplaced(pair_id):
                previous[pair_id] = _nearest_assignment(self._state, pair_id)
                if settling.is_fresh(self._state, pair_id):
                    self._decision.released.add(pair_id)
                self._decision.remove(pair_id, self._cause)
        return previous

    def _is_misplaced(self, pair_id: str) -> bool:
        has_no_slot = timing.has_no_slot(self._state, self._state.placements[pair_id], self._now)
        return has_no_slot or not is_well_placed(self._state.board, pair_id)

    def _restore(self, previous: dict[str, Assignment]) -> None:
        """Place the meetings that can keep time and table, before another meeting takes them."""
        for pair_id in self._by_weight(previous):
            allowed = self._allowed(pair_id, previous[pair_id])
            found, _ = find_assignment(self._state.board, self._state.meeting(pair_id), allowed, previous[pair_id])
            if found == previous[pair_id]:
                self._decision.place_all({pair_id: found}, self._cause)

    def _place(self, pair_id: str, near: Assignment | None) -> None:
        if pair_id in self._state.placements:
            return
        self._meet_as_settled(pair_id)
        reason = self._unknown(pair_id)
        if reason is not None:
            self._decision.wait(pair_id, reason, self._cause)
        else:
            self._place_or_wait(pair_id, self._allowed(pair_id, near), near)

    def _unknown(self, pair_id: str) -> WaitingReason | None:
        if self._state.edition is None:
            return WaitingReason.EDITION_UNKNOWN
        return None if self._state.is_known(pair_id) else WaitingReason.PARTICIPANT_UNKNOWN

    def _place_or_wait(self, pair_id: str, allowed: SlotSet, near: Assignment | None) -> None:
        """Place a meeting, with a substitute or by moving further meetings if need be; or record why it waits."""
        state = self._state
        found, reason = find_assignment(state.board, state.meeting(pair_id), allowed, near)
        assignments = {pair_id: found} if found else None
        # After the announcement a substitute is better than a move; before it, a move is better.
        if not assignments and state.announced:
            assignments = self._substitute(pair_id, near)
        assignments = assignments or self._make_room(pair_id, reason)
        if not assignments and not state.announced:
            assignments = self._substitute(pair_id, near)
        if assignments:
            self._decision.place_all(assignments, self._cause)
        else:
            self._decision.wait(pair_id, reason, self._cause)

    def _substitute(self, pair_id: str, near: Assignment | None) -> Assignments | None:
        before = self._decision.before.get(pair_id)
        if before and before.place and timing.must_stay(self._state, pair_id, before.place, self._now):
            # The meeting has just lost a place that it had to keep: the organiser decides on substitutes.
            return None
        found = find_substitute(
            self._state, pair_id, lambda people: timing.slots_for(self._state, pair_id, self._now, people), near
        )
        if found is None:
            return None
        people, assignment = found
        self._decision.record(TakenOver(pair_id=pair_id, people=people, cause=self._cause))
        return {pair_id: assignment}

    def _make_room(self, pair_id: str, reason: WaitingReason) -> Assignments | None:
        if reason not in MOVING_HELPS or self._moves_nobody(pair_id):
            return None
        state, open_slots = self._state, timing.open_slots(self._state, self._now)
        return make_room(state.board, state.meeting(pair_id), open_slots, most_moves(state), self._decision.budget)

    def _moves_nobody(self, pair_id: str) -> bool:
        """Return whether no meeting may move for the pair, because room that comes back is not new room.

        The pair waited before changes of facts gave it a place, or it waits while displaced meetings come home.
        """
        settled = self._state.unsettled.get(pair_id)
        return settled.waited if settled is not None else self._is_return and pair_id in self._state.waiting

    def _offer_freed(self, tried: set[str], near: Assignment | None = None) -> None:
        """Offer freed time and tables to waiting pairs, but not to pairs just tried.

        Displaced pairs come first. Among these, and among the rest, the smallest placement key comes first.
        """
        candidates = self._decision.freed.candidates(self._state) - tried
        displaced = candidates & self._state.links.unsettled.displaced
        for pairs in (displaced, candidates - displaced):
            for pair_id in smallest_key_first(pairs, self._placement_key):
                if self._unknown(pair_id) is None:
                    former = settling.settled_assignment(self._state, pair_id, self._now)
                    self._place_or_wait(pair_id, self._allowed(pair_id, former), former or near)

    def _placement_key(self, pair_id: str) -> tuple[object, ...]:
        state = self._state
        rates = (fill_rate(state, participant_id) for participant_id in state.pairs[pair_id].people)
        return (*placement_key(state.demand(pair_id), rates, state.min_encounters), pair_id)

    def _allowed(self, pair_id: str, previous: Assignment | None = None) -> SlotSet:
        """Return the slots that a pair may be given; with `previous`, its former time too, unless that has begun."""
        allowed = timing.slots_for(self._state, pair_id, self._now)
        return allowed | (previous.slots & timing.slots_to_come(self._state, self._now)) if previous else allowed


def _nearest_assignment(state: AgendaState, pair_id: str) -> Assignment:
    """Return the assignment at the same time; if the slots have moved, the slot of the same number."""
    place = state.placements[pair_id]
    index = state.timeline.index_of(place)
    return Assignment(1 << (place.slot if index is None else index), place.zone_id, place.table)
