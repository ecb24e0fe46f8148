"""What is tried on a board is taken back, whatever happens meanwhile."""

from __future__ import annotations

import pytest

from services.scheduler.domain.timetable.trial import Trial
from tests.support.scheduler_editions import Edition, affinity, edition, pair, people


def fair() -> Edition:
    return Edition(edition(), *people("a", "b", "c"), affinity("a", "b"), affinity("b", "c"))


@pytest.mark.parametrize("fails", [False, True])
def test_the_board_is_as_it_was(fails: bool) -> None:
    board = fair().state.board
    placed, busy, tables = (
        dict(board.placed),
        dict(board.busy),
        {zone: dict(each) for zone, each in board.tables.items()},
    )
    wanted, seat = placed[pair("a", "b")]
    try:
        with Trial(board) as stage:
            stage.remove(pair("a", "b"))
            stage.remove(pair("b", "c"))
            stage.place(wanted, seat._replace(slots=8))
            stage.remove(pair("a", "b"))
            stage.place(wanted, seat._replace(slots=4))
            assert board.placed[pair("a", "b")][1].slots == 4
            assert stage.before.keys() == placed.keys()
            if fails:
                raise LookupError
    except LookupError:
        assert fails
    assert (board.placed, dict(board.busy), board.tables) == (placed, busy, tables)


def test_what_was_not_on_the_board_is_not_on_it_after() -> None:
    subject = fair()
    board = subject.state.board
    wanted, seat = board.remove(pair("a", "b"))
    with Trial(board) as stage:
        stage.remove(pair("a", "b"))
        stage.place(wanted, seat)
    assert pair("a", "b") not in board.placed
