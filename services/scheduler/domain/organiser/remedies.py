"""Remedies: the smallest change that gives a waiting encounter a place, found by trying changes on a copy of the state.

The obstacles of a slot suggest the changes: a participant is absent, a table is missing, another encounter is in the
way. A suggestion counts once its trial has placed the encounter.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import NamedTuple

from services.scheduler.domain import timing
from services.scheduler.domain.organiser.remedy_suggestions import Steps, Suggestions
from services.scheduler.domain.organiser.remedy_trial import (
    Outcome,
    carry_out,
    outcome_of,
    try_place,
)
from services.scheduler.domain.publication import RELAXABLE
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.rules import slots_left
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Interval, Remedy, RemedyKind

#: Trials for an encounter. A trial takes about as long as the decision on the change that it tries.
_MOST_TRIALS = 24
#: Tables of a remedy.
_MOST_TABLES = 64
#: The costs of steps. Among remedies with equally many steps the cheapest is named.
_COST = {
    RemedyKind.PLACE: 1,
    RemedyKind.ORDER: 2,
    RemedyKind.UNLOCK: 3,
    RemedyKind.GUEST: 3,
    RemedyKind.TABLE: 4,
    RemedyKind.HOURS: 5,
    RemedyKind.SESSION: 6,
    RemedyKind.QUOTA: 7,
    RemedyKind.SLOT: 30,
}
#: The cost of each encounter that would wait instead.
_COST_OF_LOSS = 10


class SearchStopped(Exception):
    """The search for a remedy was stopped before it had found one."""


def find_remedy(
    state: AgendaState, pair_id: str, now: datetime, may_go_on: Callable[[], bool] = lambda: True
) -> Remedy | None:
    """Return the smallest remedy found for a waiting encounter; `None` if there is none. The state is not changed.

    The fewest changes and the fewest encounters that would wait instead come first, then the cheapest kinds of changes.
    The search ends once `may_go_on` is false: with the best remedy so far.

    Raises:
        SearchStopped: the search has ended, and has found none so far.
    """
    if state.is_closed or state.waiting.get(pair_id) not in RELAXABLE or not state.is_known(pair_id):
        return None
    return _RemedySearch(state, pair_id, now).smallest(may_go_on)


class _Candidate(NamedTuple):
    """A remedy to be tried, or tried: its rank among candidates, its steps, and the slot that these aim at.

    `harm` counts the changes of facts, orders and locks, and the encounters that would wait instead.
    """

    harm: int
    cost: int
    number: int
    steps: Steps
    slot: SlotSet
    outcome: Outcome | None


class _RemedySearch:
    """The search for a waiting pair's remedy. Candidates are tried in the order of their costs."""

    def __init__(self, state: AgendaState, pair_id: str, now: datetime) -> None:
        self._state, self._pair_id, self._now = state, pair_id, now
        self._suggestions = Suggestions(state, pair_id, now)
        self._numbers = count()
        self._candidates: list[_Candidate] = []
        self._known: set[Steps] = set()

    def smallest(self, may_go_on: Callable[[], bool]) -> Remedy | None:
        """Return the remedy of the cheapest candidate that places the encounter."""
        for steps, slot in self._suggestions.all():
            if steps:
                self._add(steps, slot)
        trials = 0
        while self._is_open(trials) and may_go_on():
            trials += 1
            self._try(heapq.heappop(self._candidates))
        placed = min((candidate for candidate in self._candidates if candidate.outcome is not None), default=None)
        if placed is not None:
            return self._remedy(placed)
        if self._is_open(trials):
            raise SearchStopped(self._pair_id)
        return None

    def _is_open(self, trials: int) -> bool:
        """Return whether the cheapest candidate is still to be tried."""
        return bool(self._candidates) and self._candidates[0].outcome is None and trials < _MOST_TRIALS

    def _try(self, candidate: _Candidate) -> None:
        """Try a candidate and add it with its outcome; without an outcome, add a place by hand to its changes."""
        if candidate.steps[0].kind is RemedyKind.PLACE:
            outcome = try_place(self._state, self._pair_id, candidate.steps[0], self._now)
        elif (after := self._after(candidate.steps, spares_moves=False)) is None:
            return
        else:
            outcome = outcome_of(self._state, after, self._pair_id)
            if outcome is not None:
                carried_out = self._after(candidate.steps, spares_moves=True)
                outcome = outcome_of(self._state, carried_out, self._pair_id) if carried_out else None
            elif candidate.steps[-1].kind is not RemedyKind.PLACE:
                self._add_by_hand(candidate, after)
                self._add_tables(candidate)
        if outcome is not None:
            self._add(candidate.steps, candidate.slot, outcome)

    def _after(self, steps: Steps, *, spares_moves: bool) -> AgendaState | None:
        """Return the state after the steps. A trial that spares no moves is short, and places the same encounters."""
        return carry_out(self._state, self._pair_id, steps, self._now, spares_moves=spares_moves)

    def _add_by_hand(self, candidate: _Candidate, after: AgendaState) -> None:
        """Add that the encounter is placed by hand as well: in the first slot that is open after the changes."""
        meeting, by_hand = after.meeting(self._pair_id), timing.slots_by_hand(after, self._now)
        left = slots_left(after.board, meeting, by_hand)[0]
        slot = left & -left or candidate.slot & by_hand
        for place in self._suggestions.places(after, slot) if slot else ():
            self._add((*candidate.steps, place), slot)

    def _add_tables(self, candidate: _Candidate) -> None:
        """Add twice as many tables: further waiting encounters have taken the tables so far."""
        *changes, last = candidate.steps
        if last.kind is RemedyKind.TABLE and (last.tables or 1) < _MOST_TABLES:
            more = last.model_copy(update={"tables": 2 * (last.tables or 1)})
            self._add((*changes, more), candidate.slot)

    def _add(self, steps: Steps, slot: SlotSet, outcome: Outcome | None = None) -> None:
        if outcome is None and steps in self._known:
            return
        self._known.add(steps)
        harm = sum(step.kind is not RemedyKind.PLACE for step in steps) + (len(outcome.lost) if outcome else 0)
        cost = sum(_COST[step.kind] + (step.tables or 1) // 2 for step in steps) + (
            _COST_OF_LOSS * len(outcome.lost) if outcome else 0
        )
        heapq.heappush(self._candidates, _Candidate(harm, cost, next(self._numbers), steps, slot, outcome))

    def _remedy(self, tried: _Candidate) -> Remedy:
        outcome = tried.outcome
        assert outcome is not None  # noqa: S101 - only candidates that placed the encounter become remedies
        return Remedy(
            steps=tried.steps,
            place=Interval(starts_at=outcome.place.starts_at, ends_at=outcome.place.ends_at),
            moved_ids=tuple(map(self._state.encounter_id, outcome.moved)),
            lost_ids=tuple(map(self._state.encounter_id, outcome.lost)),
            as_of=self._now,
        )
