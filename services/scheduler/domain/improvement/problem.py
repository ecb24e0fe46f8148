"""Problem and solution of an improvement: plain data for a worker process, sorted by id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from services.scheduler.domain import timing
from services.scheduler.domain.objective.levels import SearchPolicy, levels_of, search_policy_of
from services.scheduler.domain.objective.priority import Demand, FillRate, demand_total
from services.scheduler.domain.repair.substitutes import substitutes_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.board import Assignment, Board, Meeting, ParticipantHours
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Level

_USUAL = search_policy_of(tuple(Level))


class Candidate(NamedTuple):
    """A pair that wants a meeting, in a place that the search may choose."""

    meeting: Meeting
    demand: Demand


@dataclass(frozen=True)
class SolverProblem:
    """An edition to improve, as of an input version.

    - `candidates`: pairs to place. `incumbent`: their present assignments.
    - `fixed`: meetings that are locked, frozen or begun, and stay.
    - `announced`: the incumbent is published, and at most `change_budget` of its meetings may move. Before the
      announcement the solution does not depend on the incumbent.
    - `least`: the minimum of encounters for a participant, if the participant wants as many.
    - `days`: the slots by day. `search_policy`: consequences of the edition's order of levels.
    - `comes_after`: by pair id, the pairs whose meetings come before.
    - `before_and_after`: the slots before and after a fixed meeting that is in no slot.
    - `substitutes_of`: participants who may meet in a participant's place. The search uses none; bounds count them.
    """

    version: int
    announced: bool
    all_slots: SlotSet
    open_slots: SlotSet
    quota: int | None
    tables: dict[str, tuple[str, ...]]
    hours: dict[str, ParticipantHours]
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
        """The number of meetings that may move so that more meetings have a place."""
        return self.change_budget if self.search_policy.moves_to_place else 0

    def has_same_solution_as(self, other: SolverProblem) -> bool:
        """Return whether two problems have the same solution: same inputs and, once announced, the same incumbent."""
        incumbent = other.incumbent if self.announced else self.incumbent
        return replace(other, version=self.version, incumbent=incumbent) == self

    def board(self) -> Board:
        """Return a board with the fixed meetings alone, pinned."""
        board = Board(self.all_slots, self.tables, self.quota, self.days)
        board.hours.update(self.hours)
        for meeting, assignment in self.fixed.values():
            board.place(meeting, assignment)
        board.pinned.update(self.fixed)
        board.before_and_after.update(self.before_and_after)
        for pair_id, comes_after in self.comes_after.items():
            board.set_predecessors(pair_id, comes_after)
        return board

    def of_encounters(self, pair_ids: Collection[str]) -> SolverProblem:
        """Return the problem that has these pairs as its only candidates."""
        return replace(self, candidates=tuple(item for item in self.candidates if item.meeting.pair_id in pair_ids))

    def of_pairs(self, board: Board) -> SolverProblem:
        """Return the problem for engines that move meetings of two: meetings with guests are fixed as on the board."""
        groups = {
            candidate.meeting.pair_id
            for candidate in self.candidates
            if len(candidate.meeting.participant_ids) > len(candidate.meeting.pair)
        }
        if not groups:
            return self
        return replace(
            self,
            candidates=tuple(candidate for candidate in self.candidates if candidate.meeting.pair_id not in groups),
            incumbent={pair_id: placed for pair_id, placed in self.incumbent.items() if pair_id not in groups},
            fixed=self.fixed | {pair: board.placed[pair] for pair in sorted(groups) if pair in board.placed},
        )

    def served(self, board: Board, participant_id: str) -> FillRate:
        """Return the numbers of the participant's meetings on a board of the problem, and of meetings wanted."""
        return FillRate(len(board.assignments_of[participant_id]), self._wanted[participant_id])

    @cached_property
    def _wanted(self) -> Counter[str]:
        fixed = (meeting for meeting, _ in self.fixed.values())
        meetings = chain(fixed, (candidate.meeting for candidate in self.candidates))
        return Counter(chain.from_iterable(meeting.participant_ids for meeting in meetings))

    def weight(self, board: Board) -> tuple[tuple[float, ...], ...]:
        """Return the value of a board for comparison, larger is better: meetings placed, and shares of participants.

        Placed meetings count by number, priority, goals, minimum and score; shares from the smallest on. The search
        policy says which of the two comes first.
        """
        demands = [candidate.demand for candidate in self.candidates if candidate.meeting.pair_id in board.placed]
        score = round(sum(demand.score for demand in demands), 6)
        rates = [self.served(board, participant_id) for participant_id in self._wanted]
        most = *demand_total(demands), -sum(rate.shortfall(self.least) for rate in rates), score
        floor = tuple(sorted(rate.share for rate in rates))
        return (floor, most) if self.search_policy.is_fair_first else (most, floor)

    def solved(self, board: Board, bound: int) -> Solution:
        """Return the board's assignments as a solution."""
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
    """Assignments of the problem's meetings by pair id, fixed meetings included.

    `bound` is an upper bound of the meetings that can be placed, `fewest_breaks` a lower bound of the breaks of an
    agenda that places as many. `seconds` is the time of the solver. `open_slots`, `incumbent` and `change_budget` are
    the problem's, so that the adoption can tell whether the problem has changed and which meetings move.
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

    @property
    def gap(self) -> float:
        """The encounters that might still be placed, as a share of the bound; 0 if the agenda is proven best."""
        placed = len(self.assignments)
        bound = max(self.bound, placed)
        return 1 - placed / bound if bound else 0.0

    def moves(self, pair_id: str) -> bool:
        """Return whether the solution moves a meeting of the incumbent."""
        return (
            pair_id in self.incumbent
            and self.assignments.get(pair_id, self.incumbent[pair_id]) != self.incumbent[pair_id]
        )


def problem_of(state: AgendaState, now: datetime, change_budget: int) -> SolverProblem:
    """Return the problem of an edition. The scheduler has received the edition."""
    assert state.edition is not None  # noqa: S101 - an unknown edition is never improved
    placed = state.board.placed
    lapsed = {pair for pair, place in state.placements.items() if timing.is_lapsed(state, place, now)}
    fixed = {pair: placed[pair] for pair in sorted(placed) if timing.stays(state, pair, now)}
    wanted = [
        pair for pair in sorted(state.pairs) if pair not in fixed and state.is_wanted(pair) and state.is_known(pair)
    ]
    return SolverProblem(
        version=state.version,
        announced=state.announced,
        all_slots=state.timeline.all_slots,
        open_slots=timing.open_slots(state, now),
        quota=state.edition.quotas.max_encounters,
        tables={zone.zone_id: zone.tables for zone in state.edition.zones},
        hours=dict(sorted(state.board.hours.items())),
        candidates=tuple(Candidate(state.meeting(pair), state.demand(pair)) for pair in wanted),
        incumbent={pair: placed[pair][1] for pair in wanted if pair in placed and pair not in lapsed},
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
            participant_id: tuple(substitutes)
            for participant_id in sorted(state.participants)
            if (substitutes := substitutes_of(state, participant_id))
        },
    )
