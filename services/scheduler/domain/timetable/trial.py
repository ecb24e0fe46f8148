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
        self.was: dict[str, tuple[Meeting, Assignment] | None] = {}
        self._came_after: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pair_id in self.was:
            if pair_id in self.board.placed:
                self.board.lift(pair_id)
        for before in self.was.values():
            if before is not None:
                self.board.put(*before)
        for pair_id, comes_after in self._came_after.items():
            self.board.follow(pair_id, comes_after)

    def lift(self, pair_id: str) -> None:
        """Take an encounter off the board, if it is on it."""
        if pair_id in self.board.placed:
            self.was.setdefault(pair_id, self.board.placed[pair_id])
            self.board.lift(pair_id)

    def put(self, wanted: Meeting, seat: Assignment) -> None:
        """Give an encounter that is not on the board its seat."""
        self.was.setdefault(wanted.pair_id, None)
        self.board.put(wanted, seat)

    def follow(self, pair_id: str, comes_after: tuple[str, ...]) -> None:
        """Have an encounter come after exactly these."""
        self._came_after.setdefault(pair_id, self.board.earlier.get(pair_id, ()))
        self.board.follow(pair_id, comes_after)
