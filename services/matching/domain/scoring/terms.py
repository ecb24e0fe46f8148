"""Terms of an affinity: pure functions with values 0..1, of shape (participants, partners)."""

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
#: Traits of participants, with the fields of `TRAITS`.
Traits = NDArray[Any]

#: `side`: 1 for companies, -1 for science. `delegation`: 0 for none. `languages`, `seeks`: sets of bits. `answers`: the
#: kinds that partners have to seek. `tokens`, `kets` and `s3`: numbers of codes. Names are replaced by numbers.
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
#: Least proximity of two activities that is common ground: the same division of NACE.
_NEAR: Final = 0.5


class Term(StrEnum):
    """Terms by the codes of their reasons, in the order of their sum."""

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
    """Combine the fit of needs with offers in both directions.

    A buyer and a seller fit in a single direction, so the better direction counts most, and `mutuality` is the share of
    both: `(1 - m) max + m sqrt(forth back)`. A harmonic mean, as in RECON, would punish good buyers.
    """
    both = (1 - mutuality) * np.maximum(forth, back) + mutuality * np.sqrt(forth * back)
    fits: Fits = np.asarray(both, dtype=np.result_type(forth, back, mutuality))
    return fits


def mutuality(mine: Traits, theirs: Traits, default: float, by_kind: Mapping[Cooperation, float]) -> Values:
    """Return the share of both directions by the kinds that a pair seeks together; of several kinds, the least."""
    met = mine["answers"] & theirs["seeks"]
    found = np.full(met.shape, np.inf)
    for kind in Cooperation:
        found = np.where(met & kind.bit, np.minimum(found, by_kind.get(kind, default)), found)
    return np.where(np.isinf(found), default, found)


def overlap(shared: NDArray[np.intp], mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> Values:
    """Return the cosine of two sets from their sizes; 0 if either is empty."""
    cosine: Values = shared / np.sqrt(np.maximum(1, mine * theirs))
    return cosine


def cooperation(mine: Traits, theirs: Traits) -> Values:
    """Tell whether a pair seeks kinds of cooperation that answer: a sale and a purchase, two R&D projects, ..."""
    return _as_values((mine["answers"] & theirs["seeks"]) != 0)


def helix_complement(mine: Traits, theirs: Traits) -> Values:
    """Tell whether industry meets science."""
    return _as_values(mine["side"] * theirs["side"] == -1)


def cross_border(mine: Traits, theirs: Traits) -> Values:
    """Tell whether the pair comes from two countries."""
    return _as_values(mine["country"] != theirs["country"])


def delegation(mine: Traits, theirs: Traits) -> Values:
    """Tell whether the participants of a pair do not belong to the same delegation, and a delegation is involved."""
    return _as_values(mine["delegation"] != theirs["delegation"])


def common_language(mine: Traits, theirs: Traits) -> Values:
    """Tell whether the pair has a common language."""
    return _as_values((mine["languages"] & theirs["languages"]) != 0)


#: Terms that are computed from traits alone.
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
    """Tell whether a pair has common ground to talk about. A language or a country alone is no ground."""
    grounds = [terms[term] > 0 for term in (Term.NEED_OFFER, Term.SHARED_CODES, Term.KETS, Term.S3) if term in terms]
    near = [terms[Term.SECTOR] >= _NEAR] if Term.SECTOR in terms else []
    found: NDArray[np.bool_] = np.any(np.stack([*grounds, *near]), axis=0)
    return found


def side_of(kind: OrganisationKind) -> int:
    """Return 1 for companies, -1 for science, 0 for any other kind. Opposite sides are complements."""
    return int(kind in _COMPANIES) - int(kind in _SCIENCE)
