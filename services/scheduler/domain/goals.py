"""Which of an edition's goals an encounter serves, by the organisations of the two who meet."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain.known import KnownOrganisation
from shared.events import Goal


def goals_served(
    goals: Iterable[Goal], one: KnownOrganisation | None, other: KnownOrganisation | None
) -> tuple[Goal, ...]:
    """Those of the goals that an encounter of the two serves, in their order.

    None where one of them is not known, or was kept from before countries were.
    """
    if one is None or other is None or one.country is None or other.country is None:
        return ()
    serves = {Goal.CROSS_BORDER: one.country != other.country, Goal.DELEGATION: one.delegation != other.delegation}
    return tuple(goal for goal in goals if serves[goal])
