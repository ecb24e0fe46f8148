"""The goals of an edition that a meeting serves, derived from the organisations of its participants."""

from __future__ import annotations

from collections.abc import Iterable

from services.scheduler.domain.snapshots import OrganisationSnapshot
from shared.contract.events import Goal


def goals_served(goals: Iterable[Goal], *organisations: OrganisationSnapshot | None) -> tuple[Goal, ...]:
    """Return the goals that a meeting between participants of these organisations serves, in the order given.

    Unknown organisations, and snapshots older than the field `country`, serve no goal.
    """
    known = [
        organisation for organisation in organisations if organisation is not None and organisation.country is not None
    ]
    countries = {organisation.country for organisation in known}
    delegations = {organisation.delegation for organisation in known}
    serves = {Goal.CROSS_BORDER: len(countries) > 1, Goal.DELEGATION: len(delegations) > 1}
    return tuple(goal for goal in goals if serves[goal])
