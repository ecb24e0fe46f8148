"""The verifier: applies the plain statement of every hard rule to the meetings of an agenda.

It contains no rule itself (`rules.RULES`), and shares no code with the makers of agendas.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.evidence import Evidence, Inputs
from shared.contract.events import Place


class Violation(NamedTuple):
    """A broken rule: its name, and the sorted pairs whose meetings break it together."""

    rule: str
    pair_ids: tuple[str, ...]


class AgendaBroken(Exception):
    """An agenda breaks rules and was about to be journalled. None of it is kept."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(violations)
        self.violations = violations

    def __str__(self) -> str:
        return "; ".join(f"{violation.rule}: {', '.join(violation.pair_ids)}" for violation in self.violations[:20])


def verify(inputs: Inputs, places: Mapping[str, Place], begun: Collection[str] = ()) -> list[Violation]:
    """Verify a whole agenda: the meetings at `places` (pair id -> place). Returns no violation if all rules hold.

    `begun` are the pairs whose meetings have begun or are over. Later changes cannot undo them: they are checked for
    clashes only.
    """
    return verify_meetings(Evidence.collect(inputs, places), places, begun.__contains__)


def verify_kept(evidence: Evidence, kept: Mapping[str, Place], has_begun: Callable[[str], bool]) -> list[Violation]:
    """List the meetings that have left the places in `kept` although no rule forbids them there.

    A clash forbids nothing unless the other meeting has begun: else the other meeting gives way.
    """
    return [
        Violation("not_kept", (pair_id,))
        for pair_id, place in kept.items()
        if evidence.places.get(pair_id) != place
        and not _is_forbidden(evidence.with_meeting_at(pair_id, place), pair_id, has_begun)
    ]


def _is_forbidden(evidence: Evidence, pair_id: str, has_begun: Callable[[str], bool]) -> bool:
    return any(
        not rule.is_clash or any(has_begun(culprit) for culprit in culprits if culprit != pair_id)
        for rule in rules.RULES
        if (culprits := rule.find_culprits(evidence, pair_id))
    )


def verify_meetings(
    evidence: Evidence, pair_ids: Iterable[str], has_begun: Callable[[str], bool] = lambda _: False
) -> list[Violation]:
    """Verify these pairs' meetings among all meetings of the evidence. A violation is listed once."""
    found = (
        Violation(rule.name, tuple(sorted(culprits)))
        for pair_id in pair_ids
        for rule in rules.RULES
        if (rule.is_clash or not has_begun(pair_id))
        and (culprits := rule.find_culprits(evidence, pair_id))
        and (rule.binds_begun or not all(map(has_begun, culprits)))
    )
    return list(dict.fromkeys(found))
