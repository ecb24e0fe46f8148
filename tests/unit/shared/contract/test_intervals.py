from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.contract.events import Interval

NINE = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.mark.parametrize("minutes", [0, -1])
def test_an_interval_that_ends_before_its_start_is_refused_at_ends_at(minutes: int) -> None:
    with pytest.raises(ValidationError, match="ends_at must be after starts_at") as refused:
        Interval(starts_at=NINE, ends_at=NINE + timedelta(minutes=minutes))
    assert [error["loc"] for error in refused.value.errors()] == [("ends_at",)]


def test_an_interval_with_an_invalid_start_has_one_error_at_starts_at() -> None:
    with pytest.raises(ValidationError) as refused:
        Interval.model_validate({"starts_at": "nine", "ends_at": NINE})
    assert [error["loc"] for error in refused.value.errors()] == [("starts_at",)]
