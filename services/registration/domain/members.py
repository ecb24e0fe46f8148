"""Merge patches that put a member of a list, or remove it, and keep the rest of the list.

A patch is made from the present revision, so that concurrent changes of several members all count.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self, TypeVar

from pydantic import Field, model_validator

from services.registration.domain.edition import Edition, EditionFacts, SessionFacts, ZoneFacts
from services.registration.domain.entity import Entity, Facts
from services.registration.domain.errors import FieldError, Invalid, NotFound
from services.registration.domain.names import clean_line
from services.registration.domain.slots import days_moved, local_time

#: A JSON merge patch.
Patch = dict[str, Any]
AnyEntity = TypeVar("AnyEntity", bound=Entity)
#: Makes the merge patch that changes the given revision of an entity.
PatchOf = Callable[[AnyEntity], Patch]


class PostponementFacts(Facts):
    """A move of all days of an edition, with its sessions and the availability of its participants."""

    days: int = Field(ge=-366, le=366, description="Number of days: 7 is a week later, -7 a week earlier.")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not self.days:
            raise ValueError("days is 0: nothing would move")
        return self


def put_zone(zone_id: str, zone: ZoneFacts) -> PatchOf[Edition]:
    """Replace the zone of that id in its place, or add it at the end. Raises `Invalid`."""
    return _put("zones", "zone_id", zone_id, zone.model_dump(mode="json"))


def remove_zone(zone_id: str) -> PatchOf[Edition]:
    """Remove a zone, if it is there."""
    return _remove("zones", "zone_id", zone_id)


def put_session(session_id: str, session: SessionFacts) -> PatchOf[Edition]:
    """Replace the session of that id in its place, or add it at the end. Raises `Invalid`."""
    return _put("sessions", "session_id", session_id, session.model_dump(mode="json"))


def remove_session(session_id: str) -> PatchOf[Edition]:
    """Remove a session, if it is there."""
    return _remove("sessions", "session_id", session_id)


def put_table(zone_id: str, label: str) -> PatchOf[Edition]:
    """Add a table at the end of a zone, unless it is there. Raises `NotFound`, `Invalid`."""
    table = _clean_label(label)
    return lambda edition: _with_tables(
        edition, zone_id, lambda tables: tables if table in tables else [*tables, table]
    )


def remove_table(zone_id: str, label: str) -> PatchOf[Edition]:
    """Remove a table of a zone, if it is there. Raises `NotFound`, `Invalid`."""
    table = _clean_label(label)
    return lambda edition: _with_tables(edition, zone_id, lambda tables: [kept for kept in tables if kept != table])


def postpone(days: int) -> PatchOf[Edition]:
    """Move all days and all sessions by so many days, at the same local times."""

    def patch(edition: Edition) -> Patch:
        later = [day.model_copy(update={"date": day.date + timedelta(days=days)}) for day in edition.days]
        moved = [_moved(session, days, edition.timezone) for session in edition.sessions]
        return {"days": [day.model_dump(mode="json") for day in later], "sessions": moved}

    return patch


def with_days(edition: Edition, facts: EditionFacts) -> Patch:
    """Return the patch that moves the sessions with the days, if all days move alike and the sessions stay the same.

    A session that is on a new date already, and on no old date, stays.
    """
    days = days_moved(edition.days, facts.days)
    if not days or not edition.sessions or facts.sessions != edition.sessions:
        return {}
    dates, new_dates = ({day.date for day in listed} for listed in (edition.days, facts.days))
    return {
        "sessions": [
            session.model_dump(mode="json")
            if local_time(session.starts_at, edition.timezone).date() in new_dates - dates
            else _moved(session, days, edition.timezone)
            for session in edition.sessions
        ]
    }


def put_id(field: str, member_id: str) -> PatchOf[Any]:
    """Add an id at the end of a list of ids, unless it is there."""

    def patch(entity: Entity) -> Patch:
        ids = getattr(entity, field)
        return {} if member_id in ids else {field: [*ids, member_id]}

    return patch


def remove_id(field: str, member_id: str) -> PatchOf[Any]:
    """Remove an id from a list of ids, if it is there; a session from the sessions that are waited for, too."""
    fields = (field, "waiting_session_ids") if field == "session_ids" else (field,)
    return lambda entity: {name: [kept for kept in getattr(entity, name) if kept != member_id] for name in fields}


def _moved(session: SessionFacts, days: int, timezone: str) -> Patch:
    """Return a session at the same local times, so many days later."""
    times = {"starts_at": session.starts_at, "ends_at": session.ends_at}
    moved = {name: local_time(at, timezone) + timedelta(days=days) for name, at in times.items()}
    return session.model_copy(update=moved).model_dump(mode="json")


def _put(field: str, key: str, item_id: str, item: Patch) -> PatchOf[Edition]:
    def patch(edition: Edition) -> Patch:
        if item[key] != item_id:
            raise Invalid(FieldError(f"/{key}", f"is {item[key]!r}, but the path names {item_id!r}: send the same id"))
        items = edition.facts(EditionFacts)[field]
        replaced = [item if there[key] == item[key] else there for there in items]
        return {field: replaced if item in replaced else [*items, item]}

    return patch


def _remove(field: str, key: str, item_id: str) -> PatchOf[Edition]:
    return lambda edition: {field: [there for there in edition.facts(EditionFacts)[field] if there[key] != item_id]}


def _with_tables(edition: Edition, zone_id: str, change: Callable[[list[str]], list[str]]) -> Patch:
    zones = edition.facts(EditionFacts)["zones"]
    if not any(zone["zone_id"] == zone_id for zone in zones):
        raise NotFound("there is no such zone")
    return {
        "zones": [zone | {"tables": change(zone["tables"])} if zone["zone_id"] == zone_id else zone for zone in zones]
    }


def _clean_label(label: str) -> str:
    try:
        return clean_line(label)
    except ValueError as error:
        raise Invalid(FieldError("/path/table", str(error))) from error
