"""Tells competitors by their profiles: the same offers and the same needs are competition, no reason to meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.matching.domain.text.answering import ANY_SCORER, AnswerRule

#: Share of the trades of two profiles that both have, from which their offers, or their needs, are the same.
_SAME: Final = 0.5
#: Needs that a partner of the same trade can answer: a consortium, a joint project, joint purchases, work at peaks.
_PEERS: Final = frozenset(
    {
        "consortium-partner",
        "contract-manufacture",
        "eu-projects",
        "project-coordination",
        "purchasing-group",
        "rd-collaboration",
    }
)


@dataclass(frozen=True)
class OfferedAndNeeded:
    """The texts of a profile."""

    needs: Sequence[str]
    offers: Sequence[str]


def are_rivals(rule: AnswerRule, first: OfferedAndNeeded, second: OfferedAndNeeded) -> bool:
    """Return whether two profiles have the same offers and the same needs, and no offer answers a need.

    Two profiles that both look for partners of their own kind are no rivals.
    """
    if not (_same(rule, first.offers, second.offers) and _same(rule, first.needs, second.needs)):
        return False
    if all(_seeks_peers(rule, profile.needs) for profile in (first, second)):
        return False
    return not (_answers(rule, first.needs, second.offers) or _answers(rule, second.needs, first.offers))


def _same(rule: AnswerRule, mine: Sequence[str], theirs: Sequence[str]) -> bool:
    first, second = (rule.trades_of(texts) for texts in (mine, theirs))
    return bool(first and second) and len(first & second) >= _SAME * len(first | second)


def _seeks_peers(rule: AnswerRule, needs: Sequence[str]) -> bool:
    return any(rule.read(need).trades & _PEERS for need in needs)


def _answers(rule: AnswerRule, needs: Sequence[str], offers: Sequence[str]) -> bool:
    certainties = rule.certainties(needs, offers, np.zeros((len(needs), len(offers)), np.float32), ANY_SCORER)
    return bool((certainties >= rule.shown_from).any())
