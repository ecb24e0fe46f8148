"""Differences between an entity and its row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from services.registration.domain.entity import Facts
from services.registration.imports.report import RowOutcome
from shared.contract.events import Status


def body_of(patch: Mapping[str, Any]) -> bytes:
    """Return a patch as the JSON body that would register the same entity."""
    return to_json({name: value for name, value in patch.items() if value is not None})


def changed_fields(before: Mapping[str, Any], after: Facts) -> dict[str, tuple[Any, Any]]:
    """Return the fields that differ, with their values before and after."""
    new = type(after).model_validate_json(to_json(before)).model_dump(mode="json"), after.model_dump(mode="json")
    return {name: (value, new[1][name]) for name, value in new[0].items() if value != new[1][name]}


def outcome_of(status: Status, changes: Mapping[str, Any]) -> RowOutcome:
    """Return the outcome of a row for an entity of this status."""
    if status is Status.CANCELLED:
        return "reinstated"
    return "changed" if changes else "unchanged"
