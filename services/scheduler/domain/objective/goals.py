"""Which of an edition's goals an encounter serves, by the organisations of those who meet."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain.snapshots import OrganisationSnapshot
from shared.contract.events import Goal


def goals_served(goals: Iterable[Goal], *organisations: OrganisationSnapshot | None) -> tuple[Goal, ...]:
    """Those of the goals that an encounter of people from these organisations serves, in their order.

    Those that are not known, or were kept from before countries were, count for none.
    """
    known = [each for each in organisations if each is not None and each.country is not None]
    countries, delegations = {each.country for each in known}, {each.delegation for each in known}
    serves = {Goal.CROSS_BORDER: len(countries) > 1, Goal.DELEGATION: len(delegations) > 1}
    return tuple(goal for goal in goals if serves[goal])
