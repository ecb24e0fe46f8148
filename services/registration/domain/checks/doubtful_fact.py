"""Doubtful facts of an entity, which are warnings, and impossible facts, which are refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from services.registration.domain.errors import FieldError, Invalid

#: Doubtful facts that an answer lists.
MOST_LISTED = 100
#: Participants that a doubtful fact of an edition names.
MOST_NAMED = 20


@dataclass(frozen=True)
class DoubtfulFact(FieldError):
    """A doubtful fact, or an impossible fact, which is refused. `detail` says the value and the remedy."""

    is_refused: bool = False


def refuse_new(found: Iterable[DoubtfulFact], before: Iterable[DoubtfulFact] = ()) -> None:
    """Refuse impossible facts. A fact that the entity had before stays, so that its further fields can be changed.

    Raises:
        Invalid: an impossible fact is new.
    """
    known = {(fact.slug, fact.value) for fact in before}
    faults = [fact for fact in found if fact.is_refused and (fact.slug, fact.value) not in known]
    if faults:
        raise Invalid(*faults[:MOST_LISTED])


def as_warnings(found: Iterable[DoubtfulFact]) -> tuple[DoubtfulFact, ...]:
    """Return the doubtful facts that an answer lists."""
    return tuple(islice(found, MOST_LISTED))
