"""Trial moves on a board are taken back, also after an error."""

from __future__ import annotations

import pytest

from services.scheduler.domain.timetable.trial import Trial
from tests.support.scheduler_editions import Edition, affinity, edition, pair, people


def fair() -> Edition:
    return Edition(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))


@pytest.mark.parametrize("fails", [False, True])
def test_leaving_a_trial_restores_the_board(fails: bool) -> None:
    board = fair().state.board
    placed, busy, tables = (
        dict(board.placed),
        dict(board.busy),
        {zone: dict(taken) for zone, taken in board.tables.items()},
    )
    meeting, assignment = placed[pair("a", "b")]
    try:
        with Trial(board) as trial:
            trial.remove(pair("a", "b"))
            trial.remove(pair("b", "c"))
            trial.place(meeting, assignment._replace(slots=8))
            trial.remove(pair("a", "b"))
            trial.place(meeting, assignment._replace(slots=4))
            assert board.placed[pair("a", "b")][1].slots == 4
            assert trial.before.keys() == placed.keys()
            if fails:
                raise LookupError
    except LookupError:
        assert fails
    assert (board.placed, dict(board.busy), board.tables) == (placed, busy, tables)


def test_a_trial_removes_meetings_that_were_not_placed_before() -> None:
    subject = fair()
    board = subject.state.board
    meeting, assignment = board.remove(pair("a", "b"))
    with Trial(board) as trial:
        trial.remove(pair("a", "b"))
        trial.place(meeting, assignment)
    assert pair("a", "b") not in board.placed
