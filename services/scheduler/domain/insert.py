"""Insert: find one encounter a seat at once, directly or by moving a few others along (an ejection chain)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from services.scheduler.domain.board import Board, Seat, Slots, Wanted, bits, idle
from services.scheduler.domain.rules import both_available, sessions_attended, slots_left, within_quota
from shared.events import WaitingReason

#: Rearrangements tried for one encounter before it waits: a few milliseconds.
_TRIES = 80

Seating = dict[str, Seat]


def find_seat(
    board: Board, wanted: Wanted, allowed: Slots, near: Seat | None = None
) -> tuple[Seat | None, WaitingReason]:
    """The best seat with nobody moved, or `None` and the first rule that leaves none.

    With `near`, the seat itself, else another table at that time, if the rules allow, is the best.
    """
    left, reason = slots_left(board, wanted, allowed)
    if not left:
        return None, reason
    if near is not None and left & near.slots:
        return _seat_in(board, wanted, near.slots, near), reason
    return _seat_in(board, wanted, best_slot(board, wanted, left)), reason


def best_slot(board: Board, wanted: Wanted, left: Slots) -> Slots:
    """The slot that makes both wait least between encounters; then the emptiest, then the earliest."""
    sides = [(board.busy[each], board.free_of(each)) for each in (wanted.one, wanted.other)]
    return min(
        bits(left),
        key=lambda slot: (
            sum(idle(busy | slot, free) - idle(busy, free) for busy, free in sides),
            board.load(slot),
            slot,
        ),
    )


def _seat_in(board: Board, wanted: Wanted, slot: Slots, near: Seat | None = None) -> Seat:
    """A free table in the slot: the one asked for, else one that either sits at before or after, else the first."""
    zone = next(zone for zone in wanted.zones if board.tables_free(zone) & slot)
    if near is not None and near.zone_id in wanted.zones and board.is_table_free(near.zone_id, near.table, slot):
        return Seat(slot, near.zone_id, near.table)
    around = slot << 1 | slot >> 1
    neighbours = [
        seat.table
        for each in (wanted.one, wanted.other)
        for seat in board.encounters_of[each].values()
        if seat.slots & around and seat.zone_id == zone and board.is_table_free(zone, seat.table, slot)
    ]
    if neighbours:
        return Seat(slot, zone, min(neighbours))
    return Seat(slot, zone, next(table for table, taken in board.tables[zone].items() if not taken & slot))


def make_room(board: Board, wanted: Wanted, allowed: Slots, most_moves: int) -> Seating | None:
    """New seats for `wanted` and for at most `most_moves` others, or `None`. The board is left as it was."""
    if not most_moves:
        return None
    chain = _Chain(board, allowed, most_moves)
    return chain.seating() if chain.settle(wanted, allowed) else None


class _Chain:
    """A depth-first search that moves encounters out of the way, each at most once, and can take everything back."""

    def __init__(self, board: Board, allowed: Slots, most_moves: int) -> None:
        self._board = board
        self._allowed = allowed
        self._most_moves = most_moves
        self._tries = _TRIES
        self._undo: list[Callable[[], object]] = []
        self._seated: Seating = {}
        self._moved: set[str] = set()

    def seating(self) -> Seating:
        """Where the search has put whom; takes everything back."""
        seated = dict(self._seated)
        self._rewind(0)
        return seated

    def settle(self, wanted: Wanted, allowed: Slots) -> bool:
        """Seat one encounter, moving others if that is needed. On failure nothing is changed."""
        seat, _ = find_seat(self._board, wanted, allowed)
        if seat is not None:
            self._put(wanted, seat)
            return True
        for slot in bits(self._worth_trying(wanted, allowed)):
            for blockers in self._blockers(wanted, slot):
                if self._tries and self._displace(wanted, slot, blockers):
                    return True
        return False

    def _worth_trying(self, wanted: Wanted, allowed: Slots) -> Slots:
        board = self._board
        return allowed & both_available(board, wanted) & sessions_attended(board, wanted) & within_quota(board, wanted)

    def _blockers(self, wanted: Wanted, slot: Slots) -> Iterator[list[str]]:
        """What could be lifted so that the slot is free: the encounters of the two, else one at any table for them."""
        encounters = self._board.encounters_of
        own = [
            pair for each in (wanted.one, wanted.other) for pair, seat in encounters[each].items() if seat.slots & slot
        ]
        if own:
            yield own
        else:
            yield from (
                [pair] for pair in self._board.in_slot(slot) if self._board.placed[pair][1].zone_id in wanted.zones
            )

    def _displace(self, wanted: Wanted, slot: Slots, blockers: list[str]) -> bool:
        if not self._may_move(blockers):
            return False
        self._tries -= 1
        mark = len(self._undo)
        lifted = [self._lift(pair) for pair in blockers]
        seat, _ = find_seat(self._board, wanted, slot)
        if seat is not None:
            self._put(wanted, seat)
            if all(self.settle(each, self._allowed & ~slot) for each in lifted):
                return True
        self._rewind(mark)
        return False

    def _may_move(self, blockers: list[str]) -> bool:
        return len(self._moved) + len(blockers) <= self._most_moves and not any(
            pair in self._seated or self._board.placed[pair][1].slots & ~self._allowed for pair in blockers
        )

    def _put(self, wanted: Wanted, seat: Seat) -> None:
        self._board.put(wanted, seat)
        self._seated[wanted.pair_id] = seat
        self._undo.append(lambda: (self._board.lift(wanted.pair_id), self._seated.pop(wanted.pair_id)))

    def _lift(self, pair_id: str) -> Wanted:
        wanted, seat = self._board.lift(pair_id)
        self._moved.add(pair_id)
        self._undo.append(lambda: self._put_back(wanted, seat))
        return wanted

    def _put_back(self, wanted: Wanted, seat: Seat) -> None:
        self._board.put(wanted, seat)
        self._moved.discard(wanted.pair_id)

    def _rewind(self, mark: int) -> None:
        while len(self._undo) > mark:
            self._undo.pop()()
