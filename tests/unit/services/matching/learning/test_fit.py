from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from services.matching.domain.scoring.configuration import CONFIGURATIONS
from services.matching.domain.scoring.terms import Term
from services.matching.learning.fit import CannotFit, FitResult, LoggedDecision, fit_weights, read_decisions

BASE = CONFIGURATIONS["2"]
#: What people in these tests go by: other than the weights at hand, and none of some terms.
TRUE = {Term.NEED_OFFER: 0.40, Term.SECTOR: 0.30, Term.COOPERATION: 0.20, Term.LANGUAGE: 0.10}


def decisions(
    editions: int = 4, each: int = 1500, seed: int = 5, steep: float = 12.0, dislikes: Sequence[Term] = ()
) -> list[LoggedDecision]:
    """Draw decisions by a logistic curve of the true weights; editions accept more or less readily."""
    random = np.random.default_rng(seed)
    made = []
    for edition in range(editions):
        readiness = random.normal(-0.45 * steep, 0.5)
        for pair in range(each):
            terms: dict[Term, float] = {
                term: round(float(random.random()), 4) for term in BASE.weights if term is not Term.DELEGATION
            }
            terms[Term.DELEGATION] = 0.0
            liking = (
                sum(weight * terms[term] for term, weight in TRUE.items()) - sum(terms[term] for term in dislikes) / 3
            )
            accepted = bool(random.random() < 1 / (1 + np.exp(-(readiness + steep * liking))))
            made.append(logged(edition=f"edn_{edition}", pair=f"{pair:04}", terms=terms, accepted=accepted))
    return made


def logged(**fields: Any) -> LoggedDecision:
    given = {"edition": "edn_0", "pair": "p", "configuration": "2", "terms": {}, "accepted": True}
    return LoggedDecision(**(given | fields))


@pytest.fixture(scope="module")
def lesson() -> FitResult:
    return fit_weights(decisions(), BASE)


def test_the_true_weights_are_recovered_in_order_and_ratio(lesson: FitResult) -> None:
    learnt = lesson.proposed.weights
    assert sorted(TRUE, key=lambda term: -learnt[term]) == list(TRUE)
    for term, weight in TRUE.items():
        assert learnt[term] == pytest.approx(weight * (1 - BASE.weights[Term.DELEGATION]), abs=0.04)
    for term in set(BASE.weights) - set(TRUE) - {Term.DELEGATION}:
        assert learnt[term] < 0.04


def test_fitted_weights_rank_left_out_editions_better(lesson: FitResult) -> None:
    gain, error = lesson.gain
    assert gain > 0.01
    assert gain > 2 * error
    assert [fold.edition for fold in lesson.folds] == [f"edn_{edition}" for edition in range(4)]
    assert all(fold.decisions == 1500 and 0 < fold.accepted < 1500 for fold in lesson.folds)


def test_the_proposed_configuration_is_valid(lesson: FitResult) -> None:
    assert sum(lesson.proposed.weights.values()) == pytest.approx(1, abs=1e-9)
    assert lesson.proposed.version.startswith("2-")
    assert "6000 decisions of 4 editions" in lesson.proposed.note
    unchanged = {"version", "weights", "note"}
    assert lesson.proposed.model_dump(exclude=unchanged) == BASE.model_dump(exclude=unchanged)


def test_a_term_that_never_varied_keeps_its_weight(lesson: FitResult) -> None:
    assert lesson.proposed.weights[Term.DELEGATION] == BASE.weights[Term.DELEGATION]
    assert lesson.spread[Term.DELEGATION] == 0


def test_a_disliked_term_gets_weight_zero() -> None:
    lesson = fit_weights(decisions(dislikes=[Term.S3, Term.CROSS_BORDER]), BASE)
    assert lesson.proposed.weights[Term.S3] == lesson.proposed.weights[Term.CROSS_BORDER] == 0
    assert min(lesson.proposed.weights.values()) >= 0
    assert max(lesson.proposed.weights, key=lesson.proposed.weights.__getitem__) is Term.NEED_OFFER


def test_order_and_repeats_of_decisions_do_not_matter() -> None:
    some = decisions(editions=2, each=400)
    again = fit_weights([*reversed(some), *some[:50]], BASE)
    assert again.proposed == fit_weights(some, BASE).proposed
    assert again.left_out == {"given twice": 50}


def test_decisions_left_out_are_counted_by_reason() -> None:
    others = [
        logged(pair="a", accepted=None),
        logged(pair="b", configuration="1"),
        logged(pair="c", met_before=1),
    ]
    lesson = fit_weights([*decisions(editions=2, each=400), *others], BASE)
    assert lesson.used == 800
    assert lesson.left_out == {"nobody answered": 1, "scored by another version": 1, "met before, in vain": 1}


@pytest.mark.parametrize(
    ("some", "why"),
    [
        ([], "no decision on a pair"),
        ([logged(accepted=None)], "no decision on a pair"),
        ([logged(pair=f"{n}", terms={"sector": n / 9}) for n in range(9)], "all 9 decisions are yes"),
        ([logged(pair=f"{n}", accepted=n > 4) for n in range(9)], "none of the terms"),
        (decisions(editions=1, each=300), "all decisions are of edition edn_0"),
        (decisions(editions=2, each=60), "80 of either kind are needed for 8 weights"),
    ],
)
def test_too_few_decisions_are_named_in_the_error(some: list[LoggedDecision], why: str) -> None:
    with pytest.raises(CannotFit, match=why):
        fit_weights(some, BASE)


def test_an_edition_with_uniform_decisions_has_no_auc() -> None:
    yes = [one.model_copy(update={"edition": "edn_yes", "accepted": True}) for one in decisions(editions=1, each=100)]
    lesson = fit_weights([*decisions(editions=2, each=400), *yes], BASE)
    assert [fold.learnt is None for fold in lesson.folds] == [False, False, True]
    assert np.isfinite(lesson.gain).all()


def test_files_are_read_line_by_line() -> None:
    line = logged().model_dump_json()
    assert read_decisions([line, "", json.dumps(json.loads(line) | {"held": None, "shown": True})], "f") == [
        logged(),
        logged(),
    ]
    with pytest.raises(CannotFit, match=r"f\.jsonl, line 2: pair: Field required"):
        read_decisions([line, '{"edition": "e", "configuration": "2", "terms": {}}'], "f.jsonl")
    with pytest.raises(CannotFit, match=r"f\.jsonl, line 1: Invalid JSON"):
        read_decisions(["no"], "f.jsonl")
