"""A board on which moves are tried and taken back: what an edit would lead to, without its being made."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting


class Trial:
    """Within `with`, moves on a board; after it, the board is as it was."""

    def __init__(self, board: Board) -> None:
        self.board = board
        #: Everything moved, and where it was before.
        self.before: dict[str, tuple[Meeting, Assignment] | None] = {}
        self._came_after: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pair_id in self.before:
            if pair_id in self.board.placed:
                self.board.remove(pair_id)
        for before in self.before.values():
            if before is not None:
                self.board.place(*before)
        for pair_id, comes_after in self._came_after.items():
            self.board.set_predecessors(pair_id, comes_after)

    def remove(self, pair_id: str) -> None:
        """Take an encounter off the board, if it is on it."""
        if pair_id in self.board.placed:
            self.before.setdefault(pair_id, self.board.placed[pair_id])
            self.board.remove(pair_id)

    def place(self, wanted: Meeting, seat: Assignment) -> None:
        """Give an encounter that is not on the board its seat."""
        self.before.setdefault(wanted.pair_id, None)
        self.board.place(wanted, seat)

    def set_predecessors(self, pair_id: str, comes_after: tuple[str, ...]) -> None:
        """Have an encounter come after exactly these."""
        self._came_after.setdefault(pair_id, self.board.predecessors.get(pair_id, ()))
        self.board.set_predecessors(pair_id, comes_after)
