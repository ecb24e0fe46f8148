"""A sample of `make prove-bodies`: random requests to the running product leave no fault behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bodies.run import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def test_random_requests_leave_no_500_no_dead_letter_and_no_halt(tmp_path: Path) -> None:
    outcome = await run(tmp_path, cases=200, seed=1)
    assert outcome.faults == []
    assert outcome.statuses[200] + outcome.statuses[201] > 20
