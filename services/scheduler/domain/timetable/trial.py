"""Trial moves on a board: the outcome of an edit is tried on the live board, which is restored afterwards."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from services.scheduler.domain.timetable.board import Assignment, Board, Meeting


class Trial:
    """A context manager for moves on a board. Leaving it restores the board, also after an error.

    `before` holds every meeting that was moved with its earlier assignment, or `None` for a meeting that had none.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.before: dict[str, tuple[Meeting, Assignment] | None] = {}
        self._predecessors_before: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for pair_id in self.before:
            if pair_id in self.board.placed:
                self.board.remove(pair_id)
        for placed in self.before.values():
            if placed is not None:
                self.board.place(*placed)
        for pair_id, predecessor_ids in self._predecessors_before.items():
            self.board.set_predecessors(pair_id, predecessor_ids)

    def remove(self, pair_id: str) -> None:
        """Take a meeting off the board, if it is on it."""
        if pair_id in self.board.placed:
            self.before.setdefault(pair_id, self.board.placed[pair_id])
            self.board.remove(pair_id)

    def place(self, meeting: Meeting, assignment: Assignment) -> None:
        """Put a meeting on the board that is not on it."""
        self.before.setdefault(meeting.pair_id, None)
        self.board.place(meeting, assignment)

    def set_predecessors(self, pair_id: str, predecessor_ids: tuple[str, ...]) -> None:
        """Replace the pairs whose meetings must be over before this pair's meeting begins."""
        self._predecessors_before.setdefault(pair_id, self.board.predecessors.get(pair_id, ()))
        self.board.set_predecessors(pair_id, predecessor_ids)
