"""Every kind of edit has targets, and random days draw it."""

from __future__ import annotations

from typing import get_args

import pytest

from services.scheduler.domain.organiser import edit_targets
from shared.internal_api.edits import Edit
from tests.support.scheduler_day import KINDS_OF_EDITS, edit_of, full_fair

EDITS: tuple[type[Edit], ...] = get_args(get_args(Edit)[0])


@pytest.mark.parametrize("kind", EDITS)
def test_every_edit_has_targets(kind: type[Edit]) -> None:
    targets = edit_targets._targets
    assert targets.dispatch(kind) is not targets.dispatch(object)


def test_random_days_draw_every_edit() -> None:
    state = full_fair().state
    fields = {"number": 0, "other": 1, "slot": 0, "table": None, "side": 0, "guest": "p5"}
    assert {type(edit_of(state, fields | {"kind": kind})) for kind in KINDS_OF_EDITS} == set(EDITS)
