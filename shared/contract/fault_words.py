"""Reasons for refused values in our own words: the value, and the remedy. No message of a library is passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

_LONGEST_VALUE: Final = 50
_DATE_AND_TIME: Final = "write a date and a time, such as 2026-11-26T09:00"
_PATTERNS: Final = {
    "^[A-Z]{2}$": "write the two capital letters of ISO 3166-1, such as ES",
    "^[A-Z]{3}$": "write the three capital letters of ISO 4217, such as EUR",
    "^[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}$": "write letters, digits and . : _ - without blanks, such as nace:25.62",
}
_Reason = Callable[[str, Mapping[str, Any]], str]


def reason_of(detail: ErrorDetails) -> str:
    """Return the reason for which Pydantic refused a value, in our own words.

    `detail` needs its context and its input.
    """
    kind = str(detail["type"])
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    context = detail.get("ctx") or {}
    shown = _shown(detail.get("input"))
    for beginning, reason in _REASONS.items():
        if kind.startswith(beginning):
            return reason(shown, context)
    return f"{shown} is not taken here"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST_VALUE else value[:_LONGEST_VALUE] + "...")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return str(value)[:_LONGEST_VALUE]
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list | tuple) else "this"


def _pattern(shown: str, context: Mapping[str, Any]) -> str:
    remedy = _PATTERNS.get(str(context.get("pattern")), "it has characters, or a length, that are not taken here")
    return f"{shown}: {remedy}"


def _must_be_one(shown: str, context: Mapping[str, Any]) -> str:
    expected = str(context.get("expected")).replace("'", "").replace(" or ", ", ")
    return f"{shown}: write one of {expected}"


def _must_be(what: str) -> _Reason:
    return lambda shown, _: f"{shown}: {what}"


def _bounded(words: str, name: str) -> _Reason:
    return lambda shown, context: f"{shown}: {words} {context.get(name)}"


def _counted(words: str, name: str) -> _Reason:
    def reason(_: str, context: Mapping[str, Any]) -> str:
        count = context.get("actual_length")
        return f"{words} {context.get(name)} items" + (f"; there are {count}" if count is not None else "")

    return reason


#: Reasons by the beginning of Pydantic's error type; the first that fits counts.
_REASONS: Final[Mapping[str, _Reason]] = {
    "missing": lambda _, __: "is missing: give a value",
    "extra_forbidden": lambda _, __: "there is no such field here: leave it out",
    "unexpected": lambda _, __: "there is no such field here: leave it out",
    "string_too_short": lambda _, context: (
        "must not be empty" if context.get("min_length") == 1 else f"at least {context.get('min_length')} characters"
    ),
    "string_too_long": lambda _, context: f"too long: at most {context.get('max_length')} characters are taken",
    "string_pattern": _pattern,
    "string": _must_be("write a text"),
    "enum": _must_be_one,
    "literal": _must_be_one,
    "too_short": _counted("at least", "min_length"),
    "too_long": _counted("at most", "max_length"),
    "greater_than_equal": _bounded("at least", "ge"),
    "greater_than": _bounded("more than", "gt"),
    "less_than_equal": _bounded("at most", "le"),
    "less_than": _bounded("less than", "lt"),
    "multiple_of": _bounded("a multiple of", "multiple_of"),
    "finite_number": _must_be("write a number"),
    "int": _must_be("write a whole number"),
    "float": _must_be("write a number"),
    "decimal": _must_be("write a number"),
    "bool": _must_be("write true or false"),
    "datetime": _must_be(_DATE_AND_TIME),
    "timezone": _must_be(f"{_DATE_AND_TIME}, with its offset"),
    "date": _must_be("write a date, such as 2026-11-26"),
    "time": _must_be("write a time, such as 09:00"),
    "list": _must_be("write a list"),
    "tuple": _must_be("write a list"),
    "set": _must_be("write a list"),
    "frozen_set": _must_be("write a list"),
    "iterable": _must_be("write a list"),
    "dict": _must_be("write an object"),
    "mapping": _must_be("write an object"),
    "model": _must_be("write an object"),
    "none_required": _must_be("leave it out, or write null"),
    "url": _must_be("write a web address, such as https://www.example.org"),
    "uuid": _must_be("write a UUID"),
}
