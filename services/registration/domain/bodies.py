"""From JSON to facts: what is wrong with it is said by JSON pointer (RFC 6901)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from services.registration.domain.things import Facts, Thing

AnyFacts = TypeVar("AnyFacts", bound=Facts)

MOST_FAULTS = 100
_LONGEST_POINTER = 200


@dataclass(frozen=True)
class FieldError:
    """What is wrong, and where: a JSON pointer into the body, empty for the whole of it."""

    pointer: str
    detail: str


class Malformed(Exception):
    """The body is not JSON; the message says where it stops being so."""


class Invalid(Exception):
    """The body is JSON and cannot be taken: its faults, one at least."""

    def __init__(self, *faults: FieldError) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = faults


def read_facts(kind: type[AnyFacts], raw: bytes) -> AnyFacts:
    """Facts from a JSON body, types as they are: no number is read from a text.

    Raises:
        Malformed: not JSON (lone surrogates included).
        Invalid: JSON, but not these facts.
    """
    try:
        return kind.model_validate_json(raw, strict=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        if details[0]["type"] == "json_invalid":
            raise Malformed(details[0]["msg"]) from None
        raise Invalid(*map(_fault, details[:MOST_FAULTS])) from None


def read_patch(raw: bytes) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396).

    Raises:
        Malformed: not JSON.
        Invalid: not an object.
    """
    try:
        patch = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Malformed(f"Invalid JSON: {error}") from None
    if not isinstance(patch, dict):
        raise Invalid(FieldError("", "Input should be an object"))
    return patch


def patched(thing: Thing, kind: type[AnyFacts], patch: Mapping[str, Any]) -> AnyFacts:
    """The facts of a thing with a merge patch applied. Raises `Invalid` as `read_facts`."""
    return read_facts(kind, to_json(_merge(thing.facts(kind), patch)))


def pointer_to(path: Sequence[str | int]) -> str:
    """The JSON pointer of a path, cut where a hostile key would make it long."""
    escaped = ("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(escaped)[:_LONGEST_POINTER]


def _merge(target: object, patch: object) -> object:
    """RFC 7396, section 2: null takes a member away, objects merge, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(cast("Mapping[str, object]", target)) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merge(merged.get(name), value)
    return merged


def _fault(detail: ErrorDetails) -> FieldError:
    return FieldError(pointer_to(detail["loc"]), detail["msg"].removeprefix("Value error, "))
