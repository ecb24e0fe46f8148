"""Fits the weights of the rule that judges answers: `python -m services.matching.vocabulary.fit_answering DIR`.

It reads the needs and offers in `labelled_offers.txt`, written for this project, and labelled files of `DIR`:
`reasons_*.jsonl`, and `need_offer*.jsonl` whose topics do not answer each other. Pairs that the rule excludes are left
out. Prints precision and recall by cross-validation over needs, and writes `answering.json`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped] # ships no types
from sklearn.model_selection import GroupKFold  # type: ignore[import-untyped]

from services.matching.domain.text.amounts import without_amounts
from services.matching.domain.text.answering import ANY_SCORER, INTERCEPT, AnswerRule
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.encoders import default_scorer, quality_scorer
from services.matching.vocabulary import ANSWERING, FOLDER, answer_tables

LABELLED: Final = FOLDER / "labelled_offers.txt"
VERSION: Final = "trades-1"
#: Least certainty that is shown: cross-validation gives .05 wrong or less there.
SHOWN_FROM: Final = 0.8
_LABELS: Final = {"+": "right", "~": "near", "-": "wrong"}
#: Weight of a file's pairs: mails repeat sentences, and topics have no offers of related trades.
_SHOWN, _TOPIC = 0.7, 0.25
#: Wrong reasons cost twice what near ones do.
_WRONG: Final = 2.0
_STRENGTH: Final = 0.05
_FOLDS: Final = 25
_FAMILY: Final = 40
#: Smaller weights are left out.
_TINY: Final = 0.001

Values = NDArray[np.float64]


class Pair(NamedTuple):
    """A labelled need and offer, the family of the need, and the weight of the pair."""

    family: str
    need: str
    offer: str
    label: str
    weight: float


def own_pairs() -> Iterator[Pair]:
    """Yield the pairs of `labelled_offers.txt`."""
    need = ""
    for line in LABELLED.read_text(encoding="utf-8").splitlines():
        mark, text = line[:1], line[2:]
        if mark == ">":
            need = text
        elif mark in _LABELS:
            yield Pair(need, need, text, _LABELS[mark], 1.0)


def pairs_in(folder: Path) -> Iterator[Pair]:
    """Yield the pairs of the labelled files of a folder."""
    for file in sorted(folder.glob("reasons_*.jsonl")):
        for line in _objects(file):
            family = "".join(letter for letter in line["need"] if not letter.isdigit())[:_FAMILY]
            offers = line.get("offers") or [{"text": line["offer"], "label": line["label"]}]
            weight = 1.0 if "offers" in line else _SHOWN
            yield from (Pair(family, line["need"], offer["text"], offer["label"], weight) for offer in offers)
    for file in sorted(folder.glob("need_offer*.jsonl")):
        yield from _topic_pairs(_objects(file))


def _topic_pairs(topics: list[dict[str, Any]]) -> Iterator[Pair]:
    random = Random(1)  # noqa: S311 -- a repeatable draw
    for topic in topics:
        for need in topic["need"].values():
            yield from [Pair(topic["id"], need, offer, "right", _TOPIC) for offer in topic["offer"].values()]
        for stranger in topics:
            if stranger is not topic:
                need = random.choice(list(topic["need"].values()))
                yield Pair(topic["id"], need, random.choice(list(stranger["offer"].values())), "wrong", _TOPIC)


def fit(folder: Path) -> dict[str, Any]:
    """Return the content of `answering.json`."""
    pairs = [*own_pairs(), *pairs_in(folder)]
    rule = AnswerRule(VERSION, answer_tables(), SHOWN_FROM, {ANY_SCORER: {INTERCEPT: 0.0}})
    read = [(rule.read(pair.need), rule.read(pair.offer)) for pair in pairs]
    asked = [rule.may_answer(need, offer) for need, offer in read]
    features = [rule.features(need, offer) for need, offer in read]
    weights = {}
    for scorer in (None, default_scorer(), quality_scorer()):
        rows = features if scorer is None else _with_cosines(scorer, pairs, features)
        name = ANY_SCORER if scorer is None else scorer.version
        weights[name] = _weights(pairs, rows, np.array(asked), name)
    return {"version": VERSION, "shown_from": SHOWN_FROM, "weights": weights}


def _with_cosines(scorer: TextScorer, pairs: list[Pair], features: list[dict[str, float]]) -> list[dict[str, float]]:
    needs = scorer.embed([without_amounts(pair.need) for pair in pairs], Role.NEED)
    offers = scorer.embed([without_amounts(pair.offer) for pair in pairs], Role.OFFER)
    cosines = (needs * offers).sum(axis=1)
    return [row | {"cosine": float(cosine)} for row, cosine in zip(features, cosines, strict=True)]


def _weights(pairs: list[Pair], rows: list[dict[str, float]], asked: NDArray[np.bool_], name: str) -> dict[str, float]:
    names = sorted({feature for row in rows for feature in row})
    table = np.array([[row.get(feature, 0.0) for feature in names] for row in rows])
    truth = np.array([pair.label == "right" for pair in pairs])
    cost = np.array([pair.weight * (_WRONG if pair.label == "wrong" else 1) for pair in pairs])
    families = np.array([pair.family for pair in pairs])
    certainties = np.zeros(len(pairs))
    for train, test in GroupKFold(_FOLDS).split(table, truth, families):
        kept = train[asked[train]]
        fitted = _fitted(table[kept], truth[kept], cost[kept])
        certainties[test] = asked[test] / (1 + np.exp(-fitted[0] - table[test] @ fitted[1]))
    _print(pairs, certainties, name)
    intercept, found = _fitted(table[asked], truth[asked], cost[asked])
    return {INTERCEPT: round(intercept, 3)} | {
        feature: round(float(weight), 3) for feature, weight in zip(names, found, strict=True) if abs(weight) >= _TINY
    }


def _fitted(table: Values, truth: NDArray[np.bool_], cost: Values) -> tuple[float, Values]:
    """Fit standardised features; return the intercept and the weights of the features as they are."""
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
    model = LogisticRegression(C=_STRENGTH, max_iter=2000).fit((table - mean) / spread, truth, cost)
    weights = np.where(table.std(axis=0) > 0, model.coef_[0] / spread, 0.0)
    return float(model.intercept_[0] - weights @ mean), weights


def _print(pairs: list[Pair], certainties: Values, name: str) -> None:
    labels = np.array([pair.label for pair in pairs])
    for limit in (0.6, 0.7, 0.75, SHOWN_FROM, 0.85, 0.9):
        shown = certainties >= limit
        shares = [f"{label} {(labels[shown] == label).mean():.2f}" for label in _LABELS.values()]
        recall = (labels[shown] == "right").sum() / (labels == "right").sum()
        print(f"{name} from {limit}:", *shares, f"recall {recall:.2f}")


def _objects(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    ANSWERING.write_text(json.dumps(fit(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
