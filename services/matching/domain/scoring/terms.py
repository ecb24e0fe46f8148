"""What an affinity is made of: one pure function a term, each 0..1, of shape (participants, partners)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.taxonomy import Cooperation
from shared.contract.events import OrganisationKind

Values = NDArray[np.float64]
Fits = TypeVar("Fits", NDArray[np.float32], NDArray[np.float64])
#: What the terms read of participants, a field each; see `TRAITS`.
Traits = NDArray[Any]

#: `side`: companies 1, science -1; `delegation`: 0 for none; `languages` and `seeks`: sets of bits; `answers`: what
#: partners should seek; `tokens`, `kets` and `s3`: how many of each there are. What names something is a number of it.
TRAITS: Final = np.dtype(
    [
        ("active", "?"),
        ("organisation", "i8"),
        ("country", "i8"),
        ("delegation", "i8"),
        ("side", "i1"),
        ("languages", "u1"),
        ("seeks", "u1"),
        ("answers", "u1"),
        ("tokens", "i8"),
        ("kets", "i8"),
        ("s3", "i8"),
    ]
)
_COMPANIES: Final = frozenset({OrganisationKind.SME, OrganisationKind.LARGE_COMPANY})
_SCIENCE: Final = frozenset({OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE})
#: From where on two activities are a ground to meet on: the same division of NACE.
_NEAR: Final = 0.5


class Term(StrEnum):
    """The terms by the codes of their reasons, in the order in which they are added up."""

    NEED_OFFER = "text_need_offer"
    SHARED_CODES = "shared_codes"
    SECTOR = "sector"
    KETS = "kets"
    S3 = "s3"
    COOPERATION = "cooperation"
    HELIX = "helix_complement"
    CROSS_BORDER = "cross_border"
    DELEGATION = "delegation"
    LANGUAGE = "common_language"


def need_meets_offer(forth: Fits, back: Fits, mutuality: Values | float) -> Fits:
    """From how well the needs of one fit the offers of the other, and the reverse.

    A buyer and a seller fit one way only, so the better way counts most, and `mutuality` says how much the other does:
    `(1 - m) max + m sqrt(forth back)`. A mean that wants both (RECON's harmonic one) punishes the good buyers.
    """
    both = (1 - mutuality) * np.maximum(forth, back) + mutuality * np.sqrt(forth * back)
    fits: Fits = np.asarray(both, dtype=np.result_type(forth, back, mutuality))
    return fits


def mutuality(mine: Traits, theirs: Traits, default: float, by_kind: Mapping[Cooperation, float]) -> Values:
    """How much both ways count, by what each pair seeks with each other: of several kinds, the least counts."""
    met = mine["answers"] & theirs["seeks"]
    found = np.full(met.shape, np.inf)
    for kind in Cooperation:
        found = np.where(met & kind.bit, np.minimum(found, by_kind.get(kind, default)), found)
    return np.where(np.isinf(found), default, found)


def overlap(shared: NDArray[np.intp], mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> Values:
    """What two sets share, from their sizes: the cosine of the sets; 0 where either is empty."""
    cosine: Values = shared / np.sqrt(np.maximum(1, mine * theirs))
    return cosine


def cooperation(mine: Traits, theirs: Traits) -> Values:
    """Whether what one seeks is what the other seeks with them: a sale and a purchase, two R&D projects, ..."""
    return _as_values((mine["answers"] & theirs["seeks"]) != 0)


def helix_complement(mine: Traits, theirs: Traits) -> Values:
    """Whether industry meets science: the gap that the Innova+ area is there to close."""
    return _as_values(mine["side"] * theirs["side"] == -1)


def cross_border(mine: Traits, theirs: Traits) -> Values:
    """Whether they come from two countries."""
    return _as_values(mine["country"] != theirs["country"])


def delegation(mine: Traits, theirs: Traits) -> Values:
    """Whether one has travelled with a delegation that the other is not of."""
    return _as_values(mine["delegation"] != theirs["delegation"])


def common_language(mine: Traits, theirs: Traits) -> Values:
    """Whether they have a language in common."""
    return _as_values((mine["languages"] & theirs["languages"]) != 0)


#: The terms that traits alone make.
OF_TRAITS: Final[Mapping[Term, Callable[[Traits, Traits], Values]]] = {
    Term.COOPERATION: cooperation,
    Term.HELIX: helix_complement,
    Term.CROSS_BORDER: cross_border,
    Term.DELEGATION: delegation,
    Term.LANGUAGE: common_language,
}


def _as_values(holds: NDArray[np.bool_]) -> Values:
    values: Values = holds.astype(float)
    return values


def ground(terms: Mapping[Term, Values]) -> NDArray[np.bool_]:
    """Who has with whom something to talk about: neither a language nor a passport is."""
    grounds = [terms[term] > 0 for term in (Term.NEED_OFFER, Term.SHARED_CODES, Term.KETS, Term.S3) if term in terms]
    near = [terms[Term.SECTOR] >= _NEAR] if Term.SECTOR in terms else []
    found: NDArray[np.bool_] = np.any(np.stack([*grounds, *near]), axis=0)
    return found


def side_of(kind: OrganisationKind) -> int:
    """Companies on one side, science on the other: opposite sides complement each other."""
    return int(kind in _COMPANIES) - int(kind in _SCIENCE)
