"""Amendments: the changes of facts of the last days with the fields before, so that a change can be undone.

Fields with texts of a person are not kept: an amendment needs no erasure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.entity import Entity
from services.registration.domain.errors import FieldError
from services.registration.previews import MOVING_FIELDS
from shared.contract.events import Instant
from shared.contract.ids import Id, derived_id

#: Time for which an amendment can be undone.
KEPT = timedelta(days=7)
#: Fields that name the members of lists, tried in this order.
_KEYS: Final = ("session_id", "zone_id")
_MISSING: Final = object()


class Amendment(BaseModel):
    """A change of an entity that may have moved encounters. `before` and `after` hold the changed fields."""

    model_config = ConfigDict(frozen=True)

    amendment_id: Id
    operator_id: Id
    edition_id: Id
    kind: str = Field(description="The kind of the entity: edition, organisation or participant.")
    entity_id: Id
    revision: int = Field(description="The revision that the change made.")
    amended_at: Instant
    expires_at: Instant = Field(description="Time until which the change can be undone.")
    token: str | None = Field(default=None, description="The token that confirmed the change.")
    undoes: Id | None = Field(default=None, description="The amendment that this change has undone.")
    before: dict[str, Any]
    after: dict[str, Any]


class Amendments(Protocol):
    """The amendments of an operator: see `amendment_store`."""

    async def add(self, amendment: Amendment) -> None:
        """Write an amendment; a repetition changes nothing."""
        ...

    async def find(self, edition_id: str, amendment_id: str, now: datetime) -> Amendment | None:
        """Return an amendment that can still be undone."""
        ...

    async def page(self, edition_id: str, after: str, limit: int, now: datetime) -> list[Amendment]:
        """List up to `limit` amendments that can still be undone, oldest first, by id beyond `after`."""
        ...


def amendment_of(before: Entity, after: Entity, token: str | None, undoes: str | None) -> Amendment | None:
    """Return the amendment of a change; None if the change moves no encounter."""
    watched = {*MOVING_FIELDS.get(type(before), ()), "status"} & set(type(before).model_fields)
    fields = {name for name in watched if getattr(before, name) != getattr(after, name)}
    if not fields:
        return None
    milliseconds = int(after.changed_at.timestamp() * 1000)
    digest = derived_id("amd", before.edition_id, before.id, str(after.revision)).removeprefix("amd_")
    return Amendment(
        amendment_id=f"amd_{milliseconds:012x}{digest[:12]}",
        operator_id=before.operator_id,
        edition_id=before.edition_id,
        kind=before.NOUN,
        entity_id=before.id,
        revision=after.revision,
        amended_at=after.changed_at,
        expires_at=after.changed_at + KEPT,
        token=token,
        undoes=undoes,
        before=before.model_dump(mode="json", include=fields),
        after=after.model_dump(mode="json", include=fields),
    )


def undoing_patch(amendment: Amendment, present: Entity) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the merge patch that undoes an amendment, and the places that have changed since and are left."""
    now = present.model_dump(mode="json", include=set(amendment.before))
    left: list[FieldError] = []
    patch = {
        name: _undone(before, amendment.after[name], now[name], f"/{name}", left)
        for name, before in amendment.before.items()
    }
    return {name: value for name, value in patch.items() if value != now[name]}, left


def _undone(before: Any, after: Any, now: Any, at: str, left: list[FieldError]) -> Any:  # noqa: ANN401 - JSON values
    """Return the value `before` where `now` is still `after`: a three-way merge. Add conflicts to `left`."""
    if before in (after, now):
        return now
    if now == after:
        return before
    if all(isinstance(value, dict) for value in (before, after, now)):
        return _undone_members(before, after, now, at, left)
    if all(isinstance(value, list) for value in (before, after, now)):
        key = next((name for name in _KEYS if all(_has(name, value) for value in (before, after, now))), None)
        if key is not None:
            return list(_undone_members(_by(key, before), _by(key, after), _by(key, now), at, left).values())
        if all(isinstance(item, str) for value in (before, after, now) for item in value):
            kept = [item for item in now if item in before or item not in after]
            return [*kept, *(item for item in before if item not in after and item not in kept)]
    left.append(FieldError(at, "it has changed since", "changed-since"))
    return now


def _undone_members(
    before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any], at: str, left: list[FieldError]
) -> dict[str, Any]:
    members = {}
    for name in (*now, *(name for name in before if name not in now)):
        was, became, present = (values.get(name, _MISSING) for values in (before, after, now))
        member = _undone(was, became, present, f"{at}/{name}", left)
        if member is not _MISSING:
            members[name] = member
    return members


def _has(key: str, members: list[Any]) -> bool:
    return all(isinstance(member, dict) and key in member for member in members)


def _by(key: str, members: list[Any]) -> dict[str, Any]:
    return {member[key]: member for member in members}
