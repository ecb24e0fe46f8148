"""Fits the weights of the terms to logged decisions, offline, and proposes a new configuration.

A weight has to rank: which of the partners that were proposed or asked does a participant accept? A logistic regression
of acceptance on the terms (Hosmer and Lemeshow) gives weights that add up, as a score's do. An intercept per edition
absorbs that participants of some editions accept more readily. Weights are not negative: a term is a ground to meet, by
design, and a reason with a negative weight could not be shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped] # ships no types
from sklearn.metrics import roc_auc_score  # type: ignore[import-untyped]

from services.matching.domain.scoring.configuration import AffinityConfiguration
from services.matching.domain.scoring.terms import Term

#: Least number of yes and of no decisions per fitted weight; with fewer, weights are noise (Peduzzi et al., 1996).
LEAST_A_TERM: Final = 10
_DECIMALS: Final = 4
#: Next to no regularisation: there are at least ten decisions per weight.
_LOOSE: Final = 1000.0
_MOST_STEPS: Final = 2000

Terms = NDArray[np.float64]
Answers = NDArray[np.bool_]


class CannotFit(Exception):
    """The decisions are too few, too uniform, or invalid. The message names the problem."""


class LoggedDecision(BaseModel):
    """A line of `tertulia training export`: a pair, its terms at the time, and the decision."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    edition: str
    pair: str
    configuration: str
    terms: dict[str, float]
    met_before: int = 0
    accepted: bool | None = None


@dataclass(frozen=True)
class Fold:
    """An edition judged by weights fitted to the rest; an AUC is None if all decisions of the edition are the same."""

    edition: str
    decisions: int
    accepted: int
    current: float | None
    learnt: float | None


@dataclass(frozen=True)
class FitResult:
    """The result of a fit.

    Attributes:
        proposed: the new configuration. Nothing uses it before its file is in matching's folder of configurations.
        spread: by term, the standard deviation of its weight over the folds.
        used: number of decisions used; `left_out` counts the rest by reason.
    """

    base: AffinityConfiguration
    proposed: AffinityConfiguration
    folds: tuple[Fold, ...]
    spread: Mapping[Term, float]
    used: int
    left_out: Mapping[str, int]

    @property
    def gain(self) -> tuple[float, float]:
        """Mean gain in AUC of the editions judged, and its standard error."""
        gains = [f.learnt - f.current for f in self.folds if f.learnt is not None and f.current is not None]
        error = float(np.std(gains, ddof=1) / np.sqrt(len(gains))) if len(gains) > 1 else float("nan")
        return float(np.mean(gains)), error


def read_decisions(lines: Iterable[str], name: str) -> list[LoggedDecision]:
    """Read the decisions of a file. Raises `CannotFit` with the number of an invalid line."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(LoggedDecision.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise CannotFit(f"{name}, line {number}: {f'{where}: ' if where else ''}{first['msg']}") from None
    return found


def fit_weights(logged: Sequence[LoggedDecision], base: AffinityConfiguration, version: str | None = None) -> FitResult:
    """Fit the weights of `base`'s terms to the decisions on pairs that it scored.

    The order of the decisions does not matter, and repeated decisions count once.

    Raises:
        CannotFit: too few decisions, all alike, or of a single edition.
    """
    decisions, left_out = _usable(logged, base)
    terms, answers, editions = _arrays(decisions, base)
    varying = _enough(terms, answers, editions, base)
    weights = _weights(terms, answers, editions, base, varying)
    folds, others = [], []
    for edition in sorted(set(editions)):
        held_out = editions == edition
        fitted = _weights(terms[~held_out], answers[~held_out], editions[~held_out], base, varying)
        others.append(fitted)
        truth = answers[held_out]
        folds.append(
            Fold(
                edition,
                len(truth),
                int(truth.sum()),
                _auc(truth, terms[held_out] @ _as_array(base)),
                _auc(truth, terms[held_out] @ fitted),
            )
        )
    if all(fold.learnt is None for fold in folds):
        raise CannotFit("in each edition all decisions are the same: decisions of both kinds are needed in an edition")
    named = version or f"{base.version}-{_digest(decisions)}"
    note = f"Learnt from {len(answers)} decisions of {len(folds)} editions, from version {base.version}."
    proposed = base.model_copy(update={"version": named, "weights": _whole(weights, base), "note": note})
    return FitResult(
        base,
        AffinityConfiguration.model_validate(proposed.model_dump()),
        tuple(folds),
        dict(zip(base.weights, map(float, np.std(others, axis=0)), strict=True)),
        len(answers),
        left_out,
    )


def _usable(
    logged: Sequence[LoggedDecision], base: AffinityConfiguration
) -> tuple[list[LoggedDecision], dict[str, int]]:
    """Keep a decision per pair, in a fixed order; count the decisions left out."""
    left_out: Counter[str] = Counter()
    kept: dict[tuple[str, str], LoggedDecision] = {}
    for decision in sorted(logged, key=lambda decision: (decision.edition, decision.pair, decision.model_dump_json())):
        if decision.accepted is None:
            left_out["nobody answered"] += 1
        elif decision.configuration.partition("+")[0] != base.version:
            left_out["scored by another version"] += 1
        elif decision.met_before:
            left_out["met before, in vain"] += 1
        elif (decision.edition, decision.pair) in kept:
            left_out["given twice"] += 1
        else:
            kept[decision.edition, decision.pair] = decision
    return list(kept.values()), dict(left_out)


def _arrays(
    decisions: Sequence[LoggedDecision], base: AffinityConfiguration
) -> tuple[Terms, Answers, NDArray[np.str_]]:
    if not decisions:
        raise CannotFit(f"no decision on a pair scored by version {base.version}")
    terms = np.array([[decision.terms.get(term, 0.0) for term in base.weights] for decision in decisions])
    return (
        terms,
        np.array([bool(decision.accepted) for decision in decisions]),
        np.array([decision.edition for decision in decisions]),
    )


def _enough(
    terms: Terms, answers: Answers, editions: NDArray[np.str_], base: AffinityConfiguration
) -> NDArray[np.intp]:
    """Return the places of the terms that vary at all. Raises `CannotFit` if there are too few decisions for them."""
    varying = np.flatnonzero(np.ptp(terms, axis=0) > 0)
    if not len(varying):
        raise CannotFit(f"none of the terms of version {base.version} differs between any two decisions")
    yes, no = int(answers.sum()), int((~answers).sum())
    if not yes or not no:
        raise CannotFit(f"all {len(answers)} decisions are {'yes' if yes else 'no'}: both are needed to learn from")
    if len(set(editions)) == 1:
        raise CannotFit(f"all decisions are of edition {editions[0]}: weights are judged on editions left out")
    least = LEAST_A_TERM * len(varying)
    if min(yes, no) < least:
        raise CannotFit(
            f"{yes} decisions are yes and {no} no: {least} of either kind are needed for {len(varying)} weights"
        )
    return varying


def _weights(
    terms: Terms,
    answers: Answers,
    editions: NDArray[np.str_],
    base: AffinityConfiguration,
    varying: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return weights that sum to 1, in the order of the base's. A term that never varies keeps its weight."""
    current = _as_array(base)
    effects = _effects(terms[:, varying], answers, editions)
    if not effects.any():
        return current
    weights = current.copy()
    weights[varying] = effects / effects.sum() * current[varying].sum()
    return weights


def _effects(terms: Terms, answers: Answers, editions: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return the coefficients of the terms, none negative.

    While a coefficient is negative, the most negative term is left out and the rest is fitted again.
    """
    intercepts = (editions[:, np.newaxis] == np.unique(editions)).astype(float)
    effects = np.zeros(terms.shape[1])
    kept = np.arange(terms.shape[1])
    while len(kept) and len(set(answers)) > 1:
        model = LogisticRegression(C=_LOOSE, fit_intercept=False, max_iter=_MOST_STEPS)
        model.fit(np.hstack([terms[:, kept], intercepts]), answers)
        found = model.coef_[0][: len(kept)]
        if found.min() >= 0:
            effects[kept] = found
            break
        kept = np.delete(kept, found.argmin())
    return effects


def _auc(truth: Answers, scores: NDArray[np.float64]) -> float | None:
    return float(roc_auc_score(truth, scores)) if 0 < truth.sum() < len(truth) else None


def _as_array(base: AffinityConfiguration) -> NDArray[np.float64]:
    return np.array(list(base.weights.values()))


def _whole(weights: NDArray[np.float64], base: AffinityConfiguration) -> dict[Term, float]:
    """Return rounded weights that still sum to 1: the heaviest takes the remainder."""
    rounded = np.round(weights, _DECIMALS)
    rounded[np.argmax(rounded)] += 1 - rounded.sum()
    return dict(zip(base.weights, map(float, np.round(rounded, _DECIMALS)), strict=True))


def _digest(decisions: Sequence[LoggedDecision]) -> str:
    content = "\n".join(decision.model_dump_json() for decision in decisions)
    return sha256(content.encode()).hexdigest()[:8]
