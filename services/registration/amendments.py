"""Amendments: the changes of facts of the last days with the fields before, so that a change can be undone.

The amendment of a single change holds no text of a person. The amendment of a list has a member for every entity, with
all fields that the list changed: an erasure removes the members of a person (`Amendments.forget`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import FieldError, changed_since
from services.registration.previews import MOVING_FIELDS, facts_in
from shared.contract.events import Instant
from shared.contract.ids import Id, derived_id, new_id

#: Time for which an amendment can be undone.
KEPT = timedelta(days=7)
#: Fields that name the members of lists, tried in this order.
_KEYS: Final = ("session_id", "zone_id")
_MISSING: Final = object()
#: Members of a list's amendment that are written at once. A crash loses so many of them at most.
_MEMBERS_OF_A_PART: Final = 100
#: The kind of the amendment of a list.
LIST: Final = "list"


class ListCounts(BaseModel):
    """The kind of an imported list, and the number of its rows by outcome, as planned."""

    model_config = ConfigDict(frozen=True)

    list: str = Field(description="The kind of list, as in the path of its import.")
    created: int
    changed: int
    reinstated: int


class Amendment(BaseModel):
    """A change of an entity that may have moved encounters. `before` and `after` hold the changed fields."""

    model_config = ConfigDict(frozen=True)

    amendment_id: Id
    operator_id: Id
    edition_id: Id
    kind: str = Field(description="The kind of the entity: edition, organisation or participant; `list` of an import.")
    entity_id: Id
    revision: int = Field(description="The revision that the change made.")
    amended_at: Instant
    expires_at: Instant = Field(description="Time until which the change can be undone.")
    token: str | None = Field(default=None, description="The token that confirmed the change.")
    undoes: Id | None = Field(default=None, description="The amendment that this change has undone.")
    before: dict[str, Any]
    after: dict[str, Any]
    rows: ListCounts | None = Field(default=None, description="The rows of an imported list, or of its undoing.")


class AmendedEntity(BaseModel):
    """An entity that a list made or changed. `before` and `after` hold the changed fields; a new one has no before."""

    model_config = ConfigDict(frozen=True)

    kind: str
    entity_id: Id
    before: dict[str, Any] | None
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

    async def add_members(self, amendment: Amendment, number: int, members: Sequence[AmendedEntity]) -> None:
        """Write a part of the members of a list's amendment; `number` orders the parts."""
        ...

    async def members(self, amendment: Amendment) -> list[AmendedEntity]:
        """Return the members of a list's amendment in the order in which they were written."""
        ...

    async def forget(self, edition_id: str, entity_id: str) -> None:
        """Remove the amendments of an entity, and the entity from the members of all amendments of an edition."""
        ...


class ListAmendment:
    """The amendment of a list while its rows are written. The first part of its members makes it."""

    def __init__(self, amendments: Amendments, amendment: Amendment) -> None:
        self.amendment = amendment
        self._amendments = amendments
        self._members: list[AmendedEntity] = []
        self._parts = 0

    @property
    def amendment_id(self) -> str | None:
        """The id of the amendment; None if nothing was written."""
        return self.amendment.amendment_id if self._parts else None

    async def note(self, before: Entity | None, after: Entity) -> None:
        """Keep the fields before a written revision."""
        if (member := amended_entity(before, after)) is None:
            return
        self._members.append(member)
        if len(self._members) >= _MEMBERS_OF_A_PART:
            await self.flush()

    async def flush(self) -> None:
        """Write the members that are not written yet."""
        members, self._members = self._members, []
        if not members:
            return
        number, self._parts = self._parts, self._parts + 1
        await self._amendments.add_members(self.amendment, number, members)
        if number == 0:
            await self._amendments.add(self.amendment)


def amendment_of(before: Entity, after: Entity, token: str | None, undoes: str | None) -> Amendment | None:
    """Return the amendment of a change; None if the change moves no encounter."""
    watched = {*MOVING_FIELDS.get(type(before), ()), "status"} & set(type(before).model_fields)
    fields = {name for name in watched if getattr(before, name) != getattr(after, name)}
    if not fields:
        return None
    return Amendment(
        amendment_id=amendment_id_of(after.changed_at, before.edition_id, before.id, str(after.revision)),
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


def amendment_of_list(edition: Edition, counts: ListCounts, now: datetime, undoes: str | None) -> Amendment:
    """Return the amendment of a list, which has its members apart."""
    return Amendment(
        amendment_id=amendment_id_of(now, edition.edition_id, new_id("amd")),
        operator_id=edition.operator_id,
        edition_id=edition.edition_id,
        kind=LIST,
        entity_id=edition.edition_id,
        revision=edition.revision,
        amended_at=now,
        expires_at=now + KEPT,
        undoes=undoes,
        before={},
        after={},
        rows=counts,
    )


def amendment_id_of(at: datetime, *parts: str) -> str:
    """Return the id of an amendment, which sorts by time."""
    digest = derived_id("amd", *parts).removeprefix("amd_")
    return f"amd_{int(at.timestamp() * 1000):012x}{digest[:12]}"


def amended_entity(before: Entity | None, after: Entity) -> AmendedEntity | None:
    """Return the member of a list's amendment for a written revision; None if no field of an operator differs."""
    if before is None:
        watched = {*MOVING_FIELDS.get(type(after), ()), "waiting_session_ids", "status", "state"}
        watched &= set(type(after).model_fields)
        made = after.model_dump(mode="json", include=watched)
        return AmendedEntity(kind=after.NOUN, entity_id=after.id, before=None, after=made)
    was, became = facts_in(before), facts_in(after)
    fields = {name for name in became if was[name] != became[name]}
    if not fields:
        return None
    return AmendedEntity(
        kind=after.NOUN,
        entity_id=after.id,
        before={name: was[name] for name in fields},
        after={name: became[name] for name in fields},
    )


def merge_amendment(
    before: Entity, after: Entity, token: str | None, was: Mapping[str, Any], became: Mapping[str, Any]
) -> Amendment:
    """Return the amendment of a merge, kept with the merged entity; `was` and `became` hold the moved parts."""
    found = amendment_of(before, after, token, None)
    assert found is not None  # noqa: S101 - a merge changes the status
    return found.model_copy(
        update={
            "before": {**found.before, "merged_into": None, **was},
            "after": {**found.after, "merged_into": after.model_dump()["merged_into"], **became},
        }
    )


def undoing_patch(amendment: Amendment | AmendedEntity, present: Entity) -> tuple[dict[str, Any], list[FieldError]]:
    """Return the merge patch that undoes an amendment, and the places that have changed since and are left."""
    was = amendment.before or {}
    now = present.model_dump(mode="json", include=set(was))
    left: list[FieldError] = []
    patch = {name: _undone(before, amendment.after[name], now[name], f"/{name}", left) for name, before in was.items()}
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
    left.append(changed_since(at))
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
