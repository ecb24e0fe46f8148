"""Reasons for refused values are in our own words, whatever kind of value is refused."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

import pytest
from pydantic import BaseModel, Field, ValidationError
from pydantic_core.core_schema import ErrorType

from shared.contract.fault_words import reason_of


class _Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class _Facts(BaseModel, extra="forbid"):
    text: Annotated[str, Field(min_length=1, max_length=3, pattern="^[a-z]+$")] = "a"
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "ES"
    colour: _Colour = _Colour.RED
    side: Literal["left", "right"] = "left"
    number: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    flag: bool = True
    day: date = date(2026, 1, 1)
    at: datetime | None = None
    hour: time | None = None
    items: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    table: dict[str, int] = {}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"text": ""}, "must not be empty"),
        ({"text": "abcd"}, "too long: at most 3 characters are taken"),
        ({"text": "A"}, "'A': it has characters, or a length, that are not taken here"),
        ({"text": 5}, "5: write a text"),
        ({"country": "Spain"}, "'Spain': write the two capital letters of ISO 3166-1, such as ES"),
        ({"colour": "green"}, "'green': write one of red, blue"),
        ({"side": None}, "null: write one of left, right"),
        ({"number": 0}, "0: at least 1"),
        ({"number": "x" * 60}, f"'{'x' * 50}...': write a whole number"),
        ({"number": 1.5}, "1.5: write a whole number"),
        ({"share": 1}, "1: less than 1.0"),
        ({"flag": "maybe"}, "'maybe': write true or false"),
        ({"day": "2026-02-30"}, "'2026-02-30': write a date, such as 2026-11-26"),
        ({"at": "soon"}, "'soon': write a date and a time, such as 2026-11-26T09:00"),
        ({"hour": "25:00"}, "'25:00': write a time, such as 09:00"),
        ({"items": ()}, "at least 1 items; there are 0"),
        ({"items": [1, 2, 3]}, "at most 2 items; there are 3"),
        ({"items": "a"}, "'a': write a list"),
        ({"table": []}, "a list: write an object"),
        ({"wrong": 1}, "there is no such field here: leave it out"),
    ],
)
def test_a_reason_says_the_value_and_the_remedy(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        _Facts.model_validate(values)
    assert [reason_of(detail) for detail in refused.value.errors()] == [reason]


@pytest.mark.parametrize("kind", get_args(ErrorType))
def test_no_kind_of_error_passes_a_message_of_the_library_on(kind: str) -> None:
    detail: Any = {"type": kind, "msg": "Input should be right", "loc": (), "input": "x", "ctx": {}}
    if kind not in {"value_error", "assertion_error"}:
        assert not re.search(r"\b(should|Input|String|Tuple|Value error)\b", reason_of(detail))
