"""Ejection chains: room for a meeting, made by moving a few meetings out of its way.

Glover, "Ejection chains, reference structures and alternating path methods" (1996).
"""

from __future__ import annotations

from collections.abc import Iterator

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting
from services.scheduler.domain.timetable.placement import best_slot, choose_table
from services.scheduler.domain.timetable.rules import all_available, outside_attended_sessions, slots_left, within_quota
from services.scheduler.domain.timetable.timeline import SlotSet, bits, idle_count

#: Limits of the search for a single meeting, some ten milliseconds: displacements tried, and displacements looked at.
#: To try a displacement takes as long as ten looks.
_TRIES, _LOOKS, _LOOKS_A_TRY = 250, 2000, 10
#: Looks that several meetings share. Where there is room it is found at once; the rest is left to the solver.
_LOOKS_TOGETHER = 8_000

#: New assignments by pair.
Assignments = dict[str, Assignment]


class SearchBudget:
    """The looks left for several meetings that seek room in turn."""

    def __init__(self, looks: int = _LOOKS_TOGETHER) -> None:
        self.looks = looks


def make_room(
    board: Board, meeting: Meeting, allowed: SlotSet, most_moves: int, budget: SearchBudget | None = None
) -> Assignments | None:
    """Find assignments for an unplaced meeting and for the fewest other meetings, at most `most_moves`.

    Among rearrangements with equally few moves, prefer the fewest changes of slot, then the least idle time. The board
    is left as it was. Looks are charged to the `budget`; without a budget the limits of a single meeting apply.

    Returns:
        The new assignments by pair, or `None` if no rearrangement was found.
    """
    if not any(board.tables.get(zone_id) for zone_id in meeting.zone_ids):
        return None
    search, best = _ChainSearch(board, allowed, budget or SearchBudget(_TRIES * _LOOKS_A_TRY + _LOOKS)), None
    for moves in range(1, most_moves + 1):
        best = min(search.rearrangements(meeting, moves), key=lambda found: found[0], default=None)
        if best is not None:
            break
    return best[1] if best else None


def rearrange(board: Board, meeting: Meeting, assignments: Assignments) -> int:
    """Apply the assignments found by `make_room`. Returns the number of meetings moved out of its way."""
    moved = [board.remove(pair_id)[0] for pair_id in assignments if pair_id in board.placed]
    for placed in (*moved, meeting):
        board.place(placed, assignments[placed.pair_id])
    return len(moved)


class _ChainSearch:
    """A depth-first search for ejection chains on a board.

    A meeting is placed by removing the meetings that block its slot; these are then placed in the same manner. A
    meeting moves at most once in a chain. All moves are taken back.
    """

    def __init__(self, board: Board, allowed: SlotSet, budget: SearchBudget) -> None:
        self._board = board
        self._allowed = allowed
        self._tries, self._looks = _TRIES, _LOOKS
        self._budget = budget
        self._placed: Assignments = {}
        self._removed: dict[str, Assignment] = {}
        self._idle_before: dict[str, int] = {}

    def rearrangements(self, meeting: Meeting, moves: int) -> Iterator[tuple[tuple[int, int], Assignments]]:
        """Yield the ways to place `meeting` with exactly this many moves of other meetings.

        A way consists of its cost (changes of slot, added idle time) and the new assignments.
        """
        for _ in self._chains([(meeting, self._allowed)], moves):
            slot_changes = sum(old.slots != self._placed[pair_id].slots for pair_id, old in self._removed.items())
            yield (slot_changes, self._added_idle()), dict(self._placed)

    def _chains(self, unplaced: list[tuple[Meeting, SlotSet]], moves: int) -> Iterator[None]:
        """Yield once for every way to place all unplaced meetings. The board shows the way during the yield."""
        if not unplaced:
            yield
            return
        (meeting, allowed), *rest = unplaced
        left, _ = slots_left(self._board, meeting, allowed)
        if left:
            before = self._removed.get(meeting.pair_id)
            slot = before.slots if before and left & before.slots else best_slot(self._board, meeting, left)
            yield from self._place(meeting, slot, rest, moves)
            return
        for slot in bits(self._attainable_slots(meeting, allowed) if moves else 0):
            for blockers in self._blockers(meeting, slot):
                if not self._tries or not self._looks or self._budget.looks <= 0:
                    return
                self._looks -= 1
                self._budget.looks -= 1
                if self._may_move(blockers, slot, moves):
                    self._tries -= 1
                    self._budget.looks -= _LOOKS_A_TRY
                    yield from self._displace(meeting, slot, blockers, rest, moves)

    def _attainable_slots(self, meeting: Meeting, allowed: SlotSet) -> SlotSet:
        """Return the slots that the meeting could have if all blockers moved."""
        board = self._board
        present = all_available(board, meeting) & outside_attended_sessions(board, meeting)
        return allowed & present & within_quota(board, meeting)

    def _blockers(self, meeting: Meeting, slot: SlotSet) -> Iterator[list[str]]:
        """Yield sets of pairs whose removal may free the slot for the meeting.

        Meetings of its participants in the slot and meetings in the wrong order all have to go. Otherwise a table is
        missing: any single meeting in the slot at a table open to the pair will do.
        """
        assignments_of = self._board.assignments_of
        own = {
            pair_id: None
            for participant_id in meeting.participant_ids
            for pair_id, assignment in assignments_of[participant_id].items()
            if assignment.slots & slot
        }
        own |= dict.fromkeys(self._board.pairs_out_of_order(meeting.pair_id, slot))
        if own:
            yield list(own)
        else:
            placed = self._board.placed
            in_slot = self._board.pairs_in_slot(slot)
            yield from ([pair_id] for pair_id in in_slot if placed[pair_id][1].zone_id in meeting.zone_ids)

    def _may_move(self, blockers: list[str], slot: SlotSet, moves: int) -> bool:
        """Return whether all blockers may move, and have a slot to go to if no further meeting may move."""
        board, moves_left = self._board, moves - len(blockers)
        for pair_id in blockers:
            meeting, assignment = board.placed[pair_id]
            if (
                moves_left < 0
                or pair_id in self._placed
                or pair_id in board.pinned
                or assignment.slots & ~self._allowed
            ):
                return False
            elsewhere = self._attainable_slots(meeting, self._allowed & ~slot) if board.quota is None else self._allowed
            has_table_in_slot = any(board.slots_with_free_table(zone_id) & slot for zone_id in meeting.zone_ids)
            if not (moves_left or has_table_in_slot or elsewhere & ~board.busy_slots(meeting)):
                return False
        return True

    def _displace(
        self, meeting: Meeting, slot: SlotSet, blockers: list[str], rest: list[tuple[Meeting, SlotSet]], moves: int
    ) -> Iterator[None]:
        removed = [self._board.remove(pair_id) for pair_id in blockers]
        self._removed |= {blocker.pair_id: assignment for blocker, assignment in removed}
        if slots_left(self._board, meeting, slot)[0]:
            unplaced = [(blocker, self._allowed) for blocker, _ in removed]
            yield from self._place(meeting, slot, unplaced + rest, moves - len(blockers))
        for blocker, assignment in reversed(removed):
            self._board.place(blocker, assignment)
            del self._removed[blocker.pair_id]

    def _place(
        self, meeting: Meeting, slot: SlotSet, rest: list[tuple[Meeting, SlotSet]], moves: int
    ) -> Iterator[None]:
        assignment = choose_table(self._board, meeting, slot, self._removed.get(meeting.pair_id))
        self._board.place(meeting, assignment)
        self._placed[meeting.pair_id] = assignment
        yield from self._chains(rest, moves)
        del self._placed[meeting.pair_id]
        self._board.remove(meeting.pair_id)

    def _added_idle(self) -> int:
        """Return the idle slots that the chain adds for the participants of all moved meetings."""
        board, added = self._board, 0
        people = {person for pair_id in self._placed for person in board.placed[pair_id][0].participant_ids}
        for participant_id in people:
            if participant_id not in self._idle_before:
                self._idle_before[participant_id] = self._count_idle_before(participant_id)
            added += board.idle_count(participant_id) - self._idle_before[participant_id]
        return added

    def _count_idle_before(self, participant_id: str) -> int:
        board = self._board
        busy = board.busy[participant_id]
        moved = [
            (pair_id, assignment)
            for pair_id, assignment in self._placed.items()
            if participant_id in board.placed[pair_id][0].participant_ids
        ]
        for _, assignment in moved:
            busy &= ~assignment.slots
        for pair_id, _ in moved:
            if pair_id in self._removed:
                busy |= self._removed[pair_id].slots
        return idle_count(busy, board.possible_slots(participant_id), board.days)
