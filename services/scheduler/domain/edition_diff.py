"""What is new about an edition, so that a lost table or a moved session costs what it touches, not the edition."""

from __future__ import annotations

from typing import NamedTuple

from shared.contract.events import EditionChanged, Session


class EditionDiff(NamedTuple):
    """What differs between two snapshots of an edition.

    `is_remade`: its slots, time zone, quota, phase or kinds of zones, which may concern every encounter. `lost` and
    `gained` are the (zone, table) out of and new in service; `sessions` came, went or changed: not how many may attend.
    """

    is_remade: bool
    lost: frozenset[tuple[str, str]]
    gained: frozenset[tuple[str, str]]
    sessions: frozenset[str]

    @property
    def zones(self) -> list[str]:
        """The zones whose tables are others now, sorted."""
        return sorted({zone for zone, _ in self.lost | self.gained})


def diff_of(before: EditionChanged | None, after: EditionChanged) -> EditionDiff:
    """What is new in `after`."""
    had, has = _tables(before) if before else frozenset(), _tables(after)
    return EditionDiff(
        is_remade=before is None or _frame(before) != _frame(after),
        lost=had - has,
        gained=has - had,
        sessions=frozenset(each.session_id for each in (_sessions(before) if before else set()) ^ _sessions(after)),
    )


def _sessions(edition: EditionChanged) -> set[Session]:
    return {session.model_copy(update={"capacity": None}) for session in edition.sessions}


def _frame(edition: EditionChanged) -> tuple[object, ...]:
    zones = [(zone.zone_id, zone.kind, bool(zone.tables)) for zone in edition.zones]
    return edition.slots, edition.timezone, edition.quotas.max_encounters, edition.phase, zones


def _tables(edition: EditionChanged) -> frozenset[tuple[str, str]]:
    return frozenset((zone.zone_id, table) for zone in edition.zones for table in zone.tables)
