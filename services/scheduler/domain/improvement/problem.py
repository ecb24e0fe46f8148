"""What improve is given and what it gives back: plain data, in an order that depends on the ids alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from services.scheduler.domain import timing
from services.scheduler.domain.objective.levels import SearchPolicy, levels_of, search_policy_of
from services.scheduler.domain.objective.priority import Demand, FillRate, demand_total
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment, Board, Hours, Meeting
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Level

_USUAL = search_policy_of(tuple(Level))


class Candidate(NamedTuple):
    """A pair that wants an encounter and may have one."""

    meeting: Meeting
    demand: Demand


@dataclass(frozen=True)
class Problem:
    """An edition to be improved, as of an input version.

    `least` is how many encounters everybody should have, if as many are wanted. `fixed` encounters are locked, frozen
    or have begun, and stay. Once `announced`, `incumbent` is what participants were told, and to be kept but for
    `change_budget` moves; before, the answer does not depend on it. `days` are the slots of each day, `search_policy` what the
    edition's order of the levels asks for. `comes_after` are those that an encounter has to come after, by pair;
    `before_and_after` the slots before and after one that is in none. `substitutes_of` may meet instead of a participant: nobody who
    makes an agenda has them do so, but a bound has to know.
    """

    version: int
    announced: bool
    all_slots: SlotSet
    open_slots: SlotSet
    quota: int | None
    tables: dict[str, tuple[str, ...]]
    hours: dict[str, Hours]
    candidates: tuple[Candidate, ...]
    incumbent: dict[str, Assignment]
    fixed: dict[str, tuple[Meeting, Assignment]]
    change_budget: int
    days: tuple[SlotSet, ...] = ()
    least: int | None = None
    search_policy: SearchPolicy = _USUAL
    comes_after: dict[str, tuple[str, ...]] = field(default_factory=dict)
    before_and_after: dict[str, tuple[SlotSet, SlotSet]] = field(default_factory=dict)
    substitutes_of: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def budget_to_place(self) -> int:
        """How many encounters may be moved for others to have a place."""
        return self.change_budget if self.search_policy.moves_to_place else 0

    def asks_the_same(self, other: Problem) -> bool:
        """Whether the answer to the other answers this: same inputs and, once announced, the same incumbent."""
        incumbent = other.incumbent if self.announced else self.incumbent
        return replace(other, version=self.version, incumbent=incumbent) == self

    def board(self) -> Board:
        """A board with the fixed encounters alone, which nobody moves."""
        board = Board(self.all_slots, self.tables, self.quota, self.days)
        board.hours.update(self.hours)
        for wanted, seat in self.fixed.values():
            board.place(wanted, seat)
        board.pinned.update(self.fixed)
        board.before_and_after.update(self.before_and_after)
        for pair_id, comes_after in self.comes_after.items():
            board.set_predecessors(pair_id, comes_after)
        return board

    def of_pairs(self, board: Board) -> Problem:
        """The same for those who move encounters of two alone: those with guests are as the board has them."""
        groups = {
            each.meeting.pair_id
            for each in self.candidates
            if len(each.meeting.participant_ids) > len(each.meeting.pair)
        }
        if not groups:
            return self
        return replace(
            self,
            candidates=tuple(each for each in self.candidates if each.meeting.pair_id not in groups),
            incumbent={pair: seat for pair, seat in self.incumbent.items() if pair not in groups},
            fixed=self.fixed | {pair: board.placed[pair] for pair in sorted(groups) if pair in board.placed},
        )

    def served(self, board: Board, participant_id: str) -> FillRate:
        """How many encounters the participant has on a board of the problem, and how many are wanted."""
        return FillRate(len(board.assignments_of[participant_id]), self._wanted[participant_id])

    @cached_property
    def _wanted(self) -> Counter[str]:
        every = (*(wanted for wanted, _ in self.fixed.values()), *(each.meeting for each in self.candidates))
        return Counter(chain.from_iterable(wanted.participant_ids for wanted in every))

    def weight(self, board: Board) -> tuple[tuple[float, ...], ...]:
        """How good a board is at having most placed, those of higher priority, goal and need, and nobody left behind.

        More is better; the first comes first.
        """
        placed = [each.demand for each in self.candidates if each.meeting.pair_id in board.placed]
        score = round(sum(each.score for each in placed), 6)
        served = [self.served(board, each) for each in self._wanted]
        most = *demand_total(placed), -sum(each.shortfall(self.least) for each in served), score
        floor = tuple(sorted(each.share for each in served))
        return (floor, most) if self.search_policy.is_fair_first else (most, floor)

    def solved(self, board: Board, bound: int) -> Solution:
        """The solution that is on a board."""
        assignments = {pair: assignment for pair, (_, assignment) in sorted(board.placed.items())}
        return Solution(
            version=self.version,
            announced=self.announced,
            assignments=assignments,
            bound=bound,
            open_slots=self.open_slots,
            incumbent=self.incumbent,
            change_budget=self.change_budget,
        )


@dataclass(frozen=True)
class Solution:
    """Seats for the problem's encounters, fixed ones included; how many could be placed at most; seconds spent.

    `fewest_breaks`: no agenda that places as many has fewer breaks. `open_slots`, `incumbent` and `change_budget` are
    the problem's: what it takes to say whether it is still the same, and what the solution moves.
    """

    version: int
    announced: bool
    assignments: dict[str, Assignment]
    bound: int
    seconds: float | None = None
    fewest_breaks: int = 0
    open_slots: SlotSet = 0
    incumbent: dict[str, Assignment] = field(default_factory=dict)
    change_budget: int = 0

    def moves(self, pair_id: str) -> bool:
        """Whether it has an encounter elsewhere than it was."""
        return (
            pair_id in self.incumbent
            and self.assignments.get(pair_id, self.incumbent[pair_id]) != self.incumbent[pair_id]
        )


def problem_of(state: AgendaState, now: datetime, change_budget: int) -> Problem:
    """What there is to improve in an edition that is known."""
    assert state.edition is not None  # noqa: S101 - an unknown edition has no encounters to improve
    placed = state.board.placed
    fixed = {pair: placed[pair] for pair in sorted(placed) if timing.stays(state, pair, now)}
    wanted = [
        pair for pair in sorted(state.pairs) if pair not in fixed and state.is_wanted(pair) and state.is_known(pair)
    ]
    return Problem(
        version=state.version,
        announced=state.announced,
        all_slots=state.timeline.all_slots,
        open_slots=timing.open_slots(state, now),
        quota=state.edition.quotas.max_encounters,
        tables={zone.zone_id: zone.tables for zone in state.edition.zones},
        hours=dict(sorted(state.board.hours.items())),
        candidates=tuple(Candidate(state.meeting(pair), state.demand(pair)) for pair in wanted),
        incumbent={pair: placed[pair][1] for pair in wanted if pair in placed},
        fixed=fixed,
        change_budget=change_budget,
        days=state.board.days,
        least=state.min_encounters,
        search_policy=search_policy_of(levels_of(state)),
        comes_after=dict(sorted(state.comes_after.items())),
        before_and_after={
            pair: state.board.before_and_after[pair] for pair in fixed if pair in state.board.before_and_after
        },
        substitutes_of={
            each: tuple(others) for each in sorted(state.participants) if (others := state.substitutes_of(each))
        },
    )
