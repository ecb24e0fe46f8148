"""Insert: find one encounter a seat at once, directly or by moving a few others along (an ejection chain)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting
from services.scheduler.domain.timetable.rules import all_available, outside_attended_sessions, slots_left, within_quota
from services.scheduler.domain.timetable.timeline import SlotSet, added_idle, bits, idle_count
from shared.contract.events import WaitingReason

#: Rearrangements tried, and encounters looked at, for one encounter before it waits: some ten milliseconds. To try one
#: takes as long as so many looks.
_TRIES, _LOOKS, _LOOKS_A_TRY = 250, 2000, 10
#: What several may look at together: where there is room it is found at once, and the rest is left to improve.
_LOOKS_TOGETHER = 8_000

Assignments = dict[str, Assignment]


class SearchBudget:
    """How much may still be looked at for several who seek room one after the other."""

    def __init__(self, looks: int = _LOOKS_TOGETHER) -> None:
        self.looks = looks


def find_assignment(
    board: Board, wanted: Meeting, allowed: SlotSet, near: Assignment | None = None
) -> tuple[Assignment | None, WaitingReason]:
    """The best seat with nobody moved, or `None` and the first rule that leaves none.

    With `near`, the seat itself, else another table at that time, if the rules allow, is the best. It may be of several
    slots: those that somebody had who did not come, while the slots were moved.
    """
    left, reason = slots_left(board, wanted, allowed)
    if not left:
        return None, reason
    if near is not None and left & near.slots:
        left &= near.slots
    return _seat_in(board, wanted, best_slot(board, wanted, left), near), reason


def best_slot(board: Board, wanted: Meeting, left: SlotSet) -> SlotSet:
    """The slot that makes those who meet wait least between encounters; then the emptiest, then the earliest."""
    sides = [(board.busy[each], board.free_slots(each)) for each in wanted.participant_ids]
    least, best = 0, 0
    for day in board.days:
        that_day = [(busy & day, free & day) for busy, free in sides]
        for slots in _equally_good(left & day, [busy for busy, _ in that_day if busy]):
            slot, more = slots & -slots, 0
            for busy, free in that_day:
                more += added_idle(busy, free, slot)
            if not best or more <= least:
                least, best = more, slots | (best if more == least else 0)
    return min(bits(best), key=lambda slot: (board.count_in_slot(slot), slot))


def _equally_good(left: SlotSet, busy: Sequence[SlotSet]) -> Iterator[SlotSet]:
    """The slots of a day of which one is the best, together if they add as much idle time; `left` are free for all.

    After all first encounters, or before all last ones, a slot further out only adds idle time: one of each will do.
    """
    if not left or not busy:
        together: Iterable[SlotSet] = [left]
    else:
        first, last = max(each & -each for each in busy), min(1 << each.bit_length() for each in busy)
        inner, outer = min(first, last), max(first, last)
        before, among, after = left & (inner - 1), left & (outer - 1) & -inner, left & -outer
        together = [1 << before.bit_length() >> 1, after & -after, *([among] if first < last else bits(among))]
    return filter(None, together)


def misplaced_pairs(board: Board) -> list[str]:
    """The encounters that a rule does not leave where they are, sorted. The board is left as it was."""
    return [pair_id for pair_id in sorted(board.placed) if not is_well_placed(board, pair_id)]


def is_well_placed(board: Board, pair_id: str) -> bool:
    """Whether every rule leaves the encounter its slot, and its table is in service and in a zone open to the pair."""
    wanted, seat = board.remove(pair_id)
    is_left = fits(board, wanted, seat)
    board.place(wanted, seat)
    return is_left


def fits(board: Board, wanted: Meeting, seat: Assignment) -> bool:
    """Whether every rule leaves an encounter that is not on the board this very seat."""
    is_left = bool(seat.slots) and slots_left(board, wanted, seat.slots)[0] == seat.slots
    return is_left and seat.zone_id in wanted.zone_ids and board.is_table_free(seat.zone_id, seat.table, seat.slots)


def _seat_in(board: Board, wanted: Meeting, slot: SlotSet, near: Assignment | None = None) -> Assignment:
    """A free table in the slot: the one asked for, else one that somebody sits at before or after, else the first."""
    zone = next(zone for zone in wanted.zone_ids if board.slots_with_free_table(zone) & slot)
    if near is not None and near.zone_id in wanted.zone_ids and board.is_table_free(near.zone_id, near.table, slot):
        return Assignment(slot, near.zone_id, near.table)
    around = slot << 1 | slot >> 1
    neighbours = [
        seat.table
        for each in wanted.participant_ids
        if board.busy[each] & around
        for seat in board.encounters_of[each].values()
        if seat.slots & around and seat.zone_id == zone and board.is_table_free(zone, seat.table, slot)
    ]
    return Assignment(slot, zone, min(neighbours) if neighbours else board.first_free_table(zone, slot))


def make_room(
    board: Board, wanted: Meeting, allowed: SlotSet, most_moves: int, budget: SearchBudget | None = None
) -> Assignments | None:
    """New seats for `wanted` and for the fewest others, at most `most_moves`, or `None`.

    Of several ways that move as few, the one after which people wait least. The board is left as it was. What is
    looked at is taken off the `budget`, which is as much as one needs if none is given.
    """
    search, best = _Search(board, allowed, budget or SearchBudget(_TRIES * _LOOKS_A_TRY + _LOOKS)), None
    for moves in range(1, most_moves + 1):
        best = min(search.ways(wanted, moves), key=lambda way: way[0], default=None)
        if best is not None:
            break
    return best[1] if best else None


def apply_rearrangement(board: Board, wanted: Meeting, seating: Assignments) -> int:
    """Give an encounter and those moved for it the seats that `make_room` found; returns how many were moved."""
    moved = [board.remove(pair)[0] for pair in seating if pair in board.placed]
    for each in (*moved, wanted):
        board.place(each, seating[each.pair_id])
    return len(moved)


class _Search:
    """Ejection chains, depth first: seat one by lifting those in its way, then seat those in the same manner.

    Glover, "Ejection chains, reference structures and alternating path methods" (1996). Each encounter is moved at
    most once, and everything is taken back.
    """

    def __init__(self, board: Board, allowed: SlotSet, budget: SearchBudget) -> None:
        self._board = board
        self._allowed = allowed
        self._tries, self._looks = _TRIES, _LOOKS
        self._budget = budget
        self._seated: Assignments = {}
        self._lifted: dict[str, Assignment] = {}
        self._idle: dict[str, int] = {}

    def ways(self, wanted: Meeting, moves: int) -> Iterator[tuple[tuple[int, int], Assignments]]:
        """Ways to seat `wanted` by moving just so many others: how many in time, how much more idle time, the seats."""
        for _ in self._chains([(wanted, self._allowed)], moves):
            in_time = sum(seat.slots != self._seated[pair].slots for pair, seat in self._lifted.items())
            yield (in_time, self._more_idle()), dict(self._seated)

    def _chains(self, unplaced: list[tuple[Meeting, SlotSet]], moves: int) -> Iterator[None]:
        """Each way to seat all the unplaced: while this yields, the board has it."""
        if not unplaced:
            yield
            return
        (wanted, allowed), *rest = unplaced
        left, _ = slots_left(self._board, wanted, allowed)
        if left:
            before = self._lifted.get(wanted.pair_id)
            slot = before.slots if before and left & before.slots else best_slot(self._board, wanted, left)
            yield from self._put(wanted, slot, rest, moves)
            return
        for slot in bits(self._worth_trying(wanted, allowed) if moves else 0):
            for blockers in self._blockers(wanted, slot):
                if not self._tries or not self._looks or self._budget.looks <= 0:
                    return
                self._looks -= 1
                self._budget.looks -= 1
                if self._may_move(blockers, slot, moves):
                    self._tries -= 1
                    self._budget.looks -= _LOOKS_A_TRY
                    yield from self._displace(wanted, slot, blockers, rest, moves)

    def _worth_trying(self, wanted: Meeting, allowed: SlotSet) -> SlotSet:
        board = self._board
        return (
            allowed
            & all_available(board, wanted)
            & outside_attended_sessions(board, wanted)
            & within_quota(board, wanted)
        )

    def _blockers(self, wanted: Meeting, slot: SlotSet) -> Iterator[list[str]]:
        """What could be lifted so that the slot is free: theirs, or out of turn; else one at any table for them."""
        encounters = self._board.encounters_of
        own = {
            pair: None
            for each in wanted.participant_ids
            for pair, seat in encounters[each].items()
            if seat.slots & slot
        }
        own |= dict.fromkeys(self._board.pairs_out_of_order(wanted.pair_id, slot))
        if own:
            yield list(own)
        else:
            yield from (
                [pair]
                for pair in self._board.pairs_in_slot(slot)
                if self._board.placed[pair][1].zone_id in wanted.zone_ids
            )

    def _may_move(self, blockers: list[str], slot: SlotSet, moves: int) -> bool:
        """Whether they are free to move, and, where nobody more may be, each has a slot to go to."""
        board, moves_left = self._board, moves - len(blockers)
        for pair in blockers:
            wanted, seat = board.placed[pair]
            if moves_left < 0 or pair in self._seated or pair in board.pinned or seat.slots & ~self._allowed:
                return False
            elsewhere = self._worth_trying(wanted, self._allowed & ~slot) if board.quota is None else self._allowed
            next_door = any(board.slots_with_free_table(zone) & slot for zone in wanted.zone_ids)
            if not (moves_left or next_door or elsewhere & ~board.busy_slots(wanted)):
                return False
        return True

    def _displace(
        self, wanted: Meeting, slot: SlotSet, blockers: list[str], rest: list[tuple[Meeting, SlotSet]], moves: int
    ) -> Iterator[None]:
        lifted = [self._board.remove(pair) for pair in blockers]
        self._lifted |= {each.pair_id: seat for each, seat in lifted}
        if slots_left(self._board, wanted, slot)[0]:
            unplaced = [(each, self._allowed) for each, _ in lifted]
            yield from self._put(wanted, slot, unplaced + rest, moves - len(blockers))
        for each, seat in reversed(lifted):
            self._board.place(each, seat)
            del self._lifted[each.pair_id]

    def _put(self, wanted: Meeting, slot: SlotSet, rest: list[tuple[Meeting, SlotSet]], moves: int) -> Iterator[None]:
        seat = _seat_in(self._board, wanted, slot, self._lifted.get(wanted.pair_id))
        self._board.place(wanted, seat)
        self._seated[wanted.pair_id] = seat
        yield from self._chains(rest, moves)
        del self._seated[wanted.pair_id]
        self._board.remove(wanted.pair_id)

    def _more_idle(self) -> int:
        """How many slots more those concerned sit and wait than before."""
        board, after = self._board, 0
        people = {each for pair in self._seated for each in board.placed[pair][0].participant_ids}
        for each in people:
            if each not in self._idle:
                self._idle[each] = self._idle_before(each)
            after += board.idle_count(each) - self._idle[each]
        return after

    def _idle_before(self, participant_id: str) -> int:
        board = self._board
        busy = board.busy[participant_id]
        seats = [
            (pair, seat)
            for pair, seat in self._seated.items()
            if participant_id in board.placed[pair][0].participant_ids
        ]
        for _, seat in seats:
            busy &= ~seat.slots
        for pair, _ in seats:
            if pair in self._lifted:
                busy |= self._lifted[pair].slots
        return idle_count(busy, board.free_slots(participant_id), board.days)
