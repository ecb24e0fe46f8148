"""JSON bodies read as facts; a fault names its place by JSON pointer (RFC 6901)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from services.registration.domain.entity import Facts, Revised
from services.registration.domain.errors import FieldError, Invalid, Malformed
from shared.contract.fault_words import reason_of

AnyFacts = TypeVar("AnyFacts", bound=Facts)

MOST_FAULTS = 100
_LONGEST_POINTER = 200
_NO_STATUS = (
    "there is no such field here: participants and organisations are cancelled by POST .../cancellation, and brought "
    "back by POST .../reinstatement"
)


def parse_facts(kind: type[AnyFacts], raw: bytes) -> AnyFacts:
    """Parse a JSON body strictly: no number is read from a text.

    Raises:
        Malformed: not JSON (lone surrogates included).
        Invalid: JSON, but not these facts.
    """
    try:
        return kind.model_validate_json(raw, strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False)
        if details[0]["type"] == "json_invalid":
            raise Malformed(_place_of(raw, str(details[0]["msg"]))) from None
        raise Invalid(*map(_field_error, details[:MOST_FAULTS])) from None


def parse_patch(raw: bytes) -> dict[str, Any]:
    """Parse a JSON merge patch (RFC 7396).

    Raises:
        Malformed: not JSON.
        Invalid: not an object.
    """
    try:
        patch = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(_place_of(raw, str(error))) from None
    if not isinstance(patch, dict):
        raise Invalid(FieldError("", "write a JSON object"))
    return patch


def apply_patch(entity: Revised, kind: type[AnyFacts], patch: Mapping[str, Any]) -> AnyFacts:
    """Return the facts of an entity with a merge patch applied. Raises `Invalid` as `parse_facts`."""
    return parse_facts(kind, to_json(_merge(entity.facts(kind), patch)))


def pointer_to(path: Sequence[str | int]) -> str:
    """Return the JSON pointer of a path, cut at 200 characters: a hostile key may be long."""
    escaped = ("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(escaped)[:_LONGEST_POINTER]


def _merge(target: object, patch: object) -> object:
    """Merge by RFC 7396, section 2: null removes a member, objects merge, any other value replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(cast("Mapping[str, object]", target)) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


def _field_error(detail: ErrorDetails) -> FieldError:
    if detail["loc"] == ("status",) and detail["type"] == "extra_forbidden":
        return FieldError("/status", _NO_STATUS)
    return FieldError(pointer_to(detail["loc"]), reason_of(detail))


def _place_of(raw: bytes, message: str) -> str:
    """Return the reason for which a body is not JSON, with the place that the parser names."""
    found = re.search(r"line (\d+) column (\d+)", message)
    where = f"at line {found[1]}, column {found[2]}" if found else "its text is not UTF-8" if raw else "it is empty"
    return f"the body is not JSON: {where}"
