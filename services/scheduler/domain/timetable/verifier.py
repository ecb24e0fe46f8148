"""The verifier: asks of every encounter whether each rule's plain statement holds. It knows no rule itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.evidence import Evidence, Inputs
from shared.contract.events import Place


class Violation(NamedTuple):
    """One thing wrong: what is broken, and the pairs whose encounters break it, sorted."""

    rule: str
    pair_ids: tuple[str, ...]


class AgendaBroken(Exception):
    """An agenda that was about to be journalled breaks rules: nothing of it is kept."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__(violations)
        self.violations = violations

    def __str__(self) -> str:
        return "; ".join(f"{each.rule}: {', '.join(each.pair_ids)}" for each in self.violations[:20])


def verify(inputs: Inputs, places: Mapping[str, Place], begun: Collection[str] = ()) -> list[Violation]:
    """What is wrong with the encounters at `places` (pair id -> place), nothing if it is a right agenda.

    `begun` are encounters that have begun or are over: what changed since cannot undo them, so they are asked only not
    to clash with others.
    """
    return verify_meetings(Evidence.collect(inputs, places), places, begun)


def verify_kept(evidence: Evidence, kept: Mapping[str, Place]) -> list[Violation]:
    """The encounters that are not at these places any more, though no rule forbids them there.

    A clash forbids nothing: it is for the others to give way.
    """
    return [
        Violation("not_kept", (pair_id,))
        for pair_id, place in kept.items()
        if evidence.places.get(pair_id) != place
        and not _is_forbidden(evidence.with_meeting_at(pair_id, place), pair_id)
    ]


def _is_forbidden(evidence: Evidence, pair_id: str) -> bool:
    return any(rule.find_culprits(evidence, pair_id) for rule in rules.RULES if not rule.is_clash)


def verify_meetings(evidence: Evidence, about: Iterable[str], begun: Collection[str] = ()) -> list[Violation]:
    """What is wrong with these encounters, among all others; each thing once."""
    found = (
        Violation(rule.name, tuple(sorted(culprits)))
        for pair_id in about
        for rule in rules.RULES
        if (rule.is_clash or pair_id not in begun) and (culprits := rule.find_culprits(evidence, pair_id))
    )
    return list(dict.fromkeys(found))
