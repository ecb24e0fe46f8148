"""Difference of two revisions of an edition, so that a lost table or a moved session concerns few meetings."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from shared.contract.events import EditionChanged, Session


class EditionDiff(NamedTuple):
    """Difference of two revisions of an edition, as far as it concerns places.

    - `is_remade`: slots, time zone, quota, phase or kinds of zones differ, which may concern every meeting.
    - `lost`, `gained`: (zone id, table) that are out of service, or new in service.
    - `sessions`: ids of sessions that came, went or changed, capacity apart.
    - `raises_quota`: whether a participant may have more encounters.

    The remaining fields take effect without a repair: names, levels, goals, the minimum of encounters.
    `tests/.../domain/test_edition_diff.py` lists the effects of all fields.
    """

    is_remade: bool
    lost: frozenset[tuple[str, str]]
    gained: frozenset[tuple[str, str]]
    sessions: frozenset[str]
    raises_quota: bool = False

    @property
    def zones(self) -> list[str]:
        """Ids of the zones whose tables differ, sorted."""
        return sorted({zone_id for zone_id, _ in self.lost | self.gained})


def diff_of(before: EditionChanged | None, after: EditionChanged) -> EditionDiff:
    """Return the difference of two revisions; `before` is `None` for the first that the scheduler receives."""
    tables_before, tables_after = _tables(before) if before else frozenset(), _tables(after)
    sessions_before, sessions_after = _sessions(before) if before else set(), _sessions(after)
    return EditionDiff(
        is_remade=before is None or _frame(before) != _frame(after),
        lost=tables_before - tables_after,
        gained=tables_after - tables_before,
        sessions=frozenset(session.session_id for session in sessions_before ^ sessions_after),
        raises_quota=before is not None and _quota(after) > _quota(before),
    )


def _sessions(edition: EditionChanged) -> set[Session]:
    return {session.model_copy(update={"capacity": None}) for session in edition.sessions}


def _frame(edition: EditionChanged) -> tuple[object, ...]:
    zones = [(zone.zone_id, zone.kind, bool(zone.tables)) for zone in edition.zones]
    return edition.slots, edition.timezone, edition.quotas.max_encounters, edition.phase, zones


def _quota(edition: EditionChanged) -> float:
    most = edition.quotas.max_encounters
    return inf if most is None else most


def _tables(edition: EditionChanged) -> frozenset[tuple[str, str]]:
    return frozenset((zone.zone_id, table) for zone in edition.zones for table in zone.tables)
