"""Hours that encounters keep in a repair: the hour before the step, and the settled hour (ADR 0068)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial, reduce
from operator import or_

from services.scheduler.domain import timing
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.repair import settling
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.timeline import SlotSet


class KeptHours:
    """The hours that the encounters of a decision's present step keep, and the encounters that may leave them.

    Newcomers that `gave_way` to encounters that came home keep no hour.
    """

    def __init__(self, decision: DecisionInProgress, gave_way: Collection[str]) -> None:
        self._decision = decision
        self._gave_way = gave_way
        self._state = decision.state
        self._board = decision.state.board
        self._open_slots = timing.open_slots(decision.state, decision.now)

    def home(self, pair_id: str) -> SlotSet:
        """Return the slots in which the encounter has not moved: before the step, and settled."""
        return _slots(self._homes(pair_id))

    def _homes(self, pair_id: str) -> Iterator[Assignment]:
        """Yield the encounter's assignments before the step and where it is settled, if they are in a slot now."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        for place in (before.place if before else self._state.placements[pair_id], settled and settled.place):
            if place and self._state.timeline.index_of(place) is not None:
                yield self._state.assignment(place)

    def at_table(self, pair_id: str) -> SlotSet:
        """Return the slots of `home` with the table that the encounter had there, if that is still in service."""
        return _slots(filter(partial(self._has_table, pair_id), self._homes(pair_id)))

    def _has_table(self, pair_id: str, home: Assignment) -> bool:
        """Return whether the table of the assignment is in service for the encounter."""
        zone_ids = self._board.placed[pair_id][0].zone_ids
        return home.zone_id in zone_ids and home.table in self._board.tables.get(home.zone_id, {})

    def has_no_hour(self, pair_id: str) -> bool:
        """Return whether the encounter has no hour to keep: neither settled, nor before the step, or it gave way."""
        before, settled = self._decision.before.get(pair_id), self._state.unsettled.get(pair_id)
        is_new = before is not None and before.place is None and (settled is None or settled.place is None)
        return is_new or (pair_id in self._gave_way and settling.is_fresh(self._state, pair_id))

    def is_away(self, pair_id: str) -> bool:
        """Return whether the encounter is at another hour than it had to keep."""
        return not self.home(pair_id) & self._board.placed[pair_id][1].slots and not self.has_no_hour(pair_id)

    def possible_home(self, pair_id: str) -> SlotSet:
        """Return the slots of `home` that may be given and that the facts allow."""
        return self.home(pair_id) & self.possible(pair_id)

    def possible(self, pair_id: str) -> SlotSet:
        """Return the slots that may be given and that the facts allow."""
        slots = self._open_slots
        for participant_id in self._state.pairs[pair_id].people:
            slots &= self._board.possible_slots(participant_id)
        return slots

    def may_move(self, pair_id: str) -> bool:
        """Return whether the encounter may be given another place in the step."""
        state, now, before = self._state, self._decision.now, self._decision.before.get(pair_id)
        had_to_stay = before and before.place and timing.must_stay(state, pair_id, before.place, now)
        return not (
            had_to_stay
            or timing.is_history(state, pair_id, now)
            or timing.stays(state, pair_id, now)
            or self._has_come_home(pair_id)
            or state.timeline.index_of(state.placements[pair_id]) is None
        )

    def _has_come_home(self, pair_id: str) -> bool:
        """Return whether the step has brought a displaced encounter back to its settled place."""
        settled = self._state.unsettled.get(pair_id)
        is_home = settled is not None and settled.place == self._state.placements[pair_id]
        return is_home and pair_id in self._decision.before

    def moves_freely(self, pair_id: str) -> bool:
        """Return whether a further move of the encounter costs nothing."""
        return (self.has_no_hour(pair_id) or self.is_away(pair_id)) and self.may_move(pair_id)

    def former(self, pair_id: str) -> Assignment | None:
        """Return the assignment of the encounter before the step."""
        before = self._decision.before.get(pair_id)
        place = before.place if before else self._state.placements[pair_id]
        return self._state.assignment(place) if place else None


def _slots(assignments: Iterable[Assignment]) -> SlotSet:
    """Return the slots of all these assignments."""
    return reduce(or_, (assignment.slots for assignment in assignments), 0)
