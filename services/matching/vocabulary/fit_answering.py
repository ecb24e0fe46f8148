"""Fits the weights of the rule that judges answers: `python -m services.matching.vocabulary.fit_answering DIR`.

It reads the needs and offers that were written for this project (`LABELLED`), and labelled files of `DIR`:
`reasons_*.jsonl`, and `need_offer*.jsonl`, whose topics are strangers. Offers that the rule excludes are left out.
Prints precision and recall by file, once with the file left out and once by cross-validation over needs; then those
of `KEPT`, a file that is never fitted. Writes `answering_2.json`.
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
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut  # type: ignore[import-untyped]

from services.matching.domain.text.amounts import without_amounts
from services.matching.domain.text.answering import ANY_SCORER, INTERCEPT
from services.matching.domain.text.answers.rule import RoleRule, has_ground
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.encoders import default_scorer, quality_scorer
from services.matching.vocabulary import ANSWERING, FOLDER, answer_tables, word_vectors

LABELLED: Final = ("labelled_offers.txt", "labelled_hard.txt")
KEPT: Final = "kept_offers.txt"
VERSION: Final = "trades-2"
#: Least certainty that is shown: files that were left out have .05 wrong or less there.
SHOWN_FROM: Final = 0.75
_LABELS: Final = {"+": "right", "~": "near", "-": "wrong"}
#: Weights of pairs: mails repeat sentences, topics have no offers of related trades, and strangers are many.
_SHOWN, _TOPIC, _STRANGER = 0.7, 0.25, 0.2
#: Wrong reasons cost twice what near ones do.
_WRONG: Final = 2.0
_STRENGTH: Final = 0.05
_FOLDS: Final = 20
_FAMILY: Final = 40
#: Offers to other needs that are taken as wrong: the most similar, and drawn ones.
_SIMILAR, _DRAWN = 2, 6
#: Smaller weights are left out.
_TINY: Final = 0.001

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Pair(NamedTuple):
    """A labelled need and offer: the file, the family of the need, and the weight of the pair."""

    file: str
    family: str
    need: str
    offer: str
    label: str
    weight: float


class Measured(NamedTuple):
    """Pairs with their features by column; `open`: with a ground, and not excluded by the rule."""

    pairs: list[Pair]
    names: list[str]
    table: Values
    open: Flags

    @property
    def truth(self) -> Flags:
        """The pairs whose offer answers."""
        return np.array([pair.label == "right" for pair in self.pairs])

    @property
    def cost(self) -> Values:
        """The cost of a wrong judgement by pair."""
        return np.array([pair.weight * (_WRONG if pair.label == "wrong" else 1) for pair in self.pairs])


def pairs_of(name: str) -> Iterator[Pair]:
    """Yield the pairs of a file of this folder."""
    need = ""
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        mark, text = line[:1], line[2:]
        if mark == ">":
            need = text
        elif mark in _LABELS and need:
            yield Pair(name, need[:_FAMILY], need, text, _LABELS[mark], 1.0)


def pairs_in(folder: Path) -> Iterator[Pair]:
    """Yield the pairs of the labelled files of a folder."""
    for file in sorted(folder.glob("reasons_*.jsonl")):
        for line in _objects(file):
            family = "".join(letter for letter in line["need"] if not letter.isdigit())[:_FAMILY]
            offers = line.get("offers") or [{"text": line["offer"], "label": line["label"]}]
            weight = 1.0 if "offers" in line else _SHOWN
            yield from (
                Pair(file.stem, family, line["need"], offer["text"], offer["label"], weight) for offer in offers
            )
    for file in sorted(folder.glob("need_offer*.jsonl")):
        yield from _topic_pairs(file.stem, _objects(file))


def _topic_pairs(file: str, topics: list[dict[str, Any]]) -> Iterator[Pair]:
    random = Random(1)  # noqa: S311 -- a repeatable draw
    for topic in topics:
        for need in topic["need"].values():
            yield from [Pair(file, topic["id"], need, offer, "right", _TOPIC) for offer in topic["offer"].values()]
        for stranger in topics:
            if stranger is not topic:
                need = random.choice(list(topic["need"].values()))
                offer = random.choice(list(stranger["offer"].values()))
                yield Pair(file, topic["id"], need, offer, "wrong", _TOPIC)


def strangers(pairs: list[Pair]) -> Iterator[Pair]:
    """Yield needs with offers of strangers in the same file: the most similar, and some drawn at random."""
    random = Random(1)  # noqa: S311 -- a repeatable draw
    for name in LABELLED:
        own = [pair for pair in pairs if pair.file == name]
        needs = list(dict.fromkeys((pair.need, pair.family) for pair in own))
        offered = list(dict.fromkeys((pair.offer, pair.family) for pair in own))
        cosines = (
            _vectors([need for need, _ in needs], Role.NEED) @ _vectors([text for text, _ in offered], Role.OFFER).T
        )
        for (need, family), row in zip(needs, cosines, strict=True):
            others = [at for at in np.argsort(-row, kind="stable") if offered[at][1] != family]
            for at in (*others[:_SIMILAR], *random.sample(others, _DRAWN)):
                yield Pair(name, family, need, offered[at][0], "wrong", _STRANGER)


def fit(folder: Path) -> dict[str, Any]:
    """Return the content of `answering_2.json`."""
    labelled = [*(pair for name in LABELLED for pair in pairs_of(name)), *pairs_in(folder)]
    pairs, kept = [*labelled, *strangers(labelled)], list(pairs_of(KEPT))
    rule = RoleRule(VERSION, answer_tables(further=True), SHOWN_FROM, {ANY_SCORER: {INTERCEPT: 0.0}}, word_vectors())
    weights = {}
    for scorer in (None, default_scorer(), quality_scorer()):
        name = ANY_SCORER if scorer is None else scorer.version
        measured = _measured(rule, scorer, pairs)
        weights[name] = _weights(measured)
        _report(measured, name)
        _print(kept, _judged(rule, scorer, kept, weights[name]), f"{name} {KEPT}")
    return {"version": VERSION, "shown_from": SHOWN_FROM, "weights": weights}


def _measured(rule: RoleRule, scorer: TextScorer | None, pairs: list[Pair]) -> Measured:
    read = [(rule.need(pair.need), rule.offer(pair.offer)) for pair in pairs]
    rows = [rule.evidence(need, offer) for need, offer in read]
    if scorer is not None:
        needs = _vectors([pair.need for pair in pairs], Role.NEED, scorer)
        offers = _vectors([pair.offer for pair in pairs], Role.OFFER, scorer)
        cosines = (needs * offers).sum(axis=1)
        rows = [row | {"cosine": float(cosine)} for row, cosine in zip(rows, cosines, strict=True)]
    names = sorted({name for row in rows for name in row})
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    grounds = [
        has_ground(row) and not rule.excludes(need, offer) for row, (need, offer) in zip(rows, read, strict=True)
    ]
    return Measured(pairs, names, table, np.array(grounds))


def _weights(measured: Measured) -> dict[str, float]:
    intercept, found = _fitted(measured, measured.open)
    return {INTERCEPT: round(intercept, 3)} | {
        name: round(float(weight), 3)
        for name, weight in zip(measured.names, found, strict=True)
        if abs(weight) >= _TINY
    }


def _fitted(measured: Measured, rows: Flags) -> tuple[float, Values]:
    """Fit standardised features; return the intercept and the weights of the features as they are."""
    table = measured.table[rows]
    mean, spread = table.mean(axis=0), np.maximum(table.std(axis=0), 1e-6)
    model = LogisticRegression(C=_STRENGTH, max_iter=3000).fit(
        (table - mean) / spread, measured.truth[rows], measured.cost[rows]
    )
    weights = np.where(table.std(axis=0) > 0, model.coef_[0] / spread, 0.0)
    return float(model.intercept_[0] - weights @ mean), weights


def _report(measured: Measured, name: str) -> None:
    """Print the figures of every file, fitted without it, and by cross-validation over needs."""
    files = np.array([pair.file for pair in measured.pairs])
    families = np.array([pair.family for pair in measured.pairs])
    for way, splits, groups in (
        ("left out", LeaveOneGroupOut(), files),
        ("by needs", GroupKFold(_FOLDS), families),
    ):
        certainties = np.zeros(len(files))
        for train, test in splits.split(measured.table, measured.truth, groups):
            rows = np.zeros(len(files), np.bool_)
            rows[train] = measured.open[train]
            intercept, weights = _fitted(measured, rows)
            certainties[test] = measured.open[test] / (1 + np.exp(-intercept - measured.table[test] @ weights))
        for file in dict.fromkeys(files):
            own = [at for at, pair in enumerate(measured.pairs) if pair.file == file and pair.weight != _STRANGER]
            _print([measured.pairs[at] for at in own], certainties[own], f"{name} {way} {file}")


def _judged(rule: RoleRule, scorer: TextScorer | None, pairs: list[Pair], weights: dict[str, float]) -> Values:
    measured = _measured(rule, scorer, pairs)
    totals = weights[INTERCEPT] + measured.table @ np.array([weights.get(name, 0.0) for name in measured.names])
    certainties: Values = measured.open / (1 + np.exp(-totals))
    return certainties


def _print(pairs: list[Pair], certainties: Values, name: str) -> None:
    labels = np.array([pair.label for pair in pairs])
    for limit in (0.7, SHOWN_FROM, 0.9):
        shown = certainties >= limit
        shares = [f"{label} {(labels[shown] == label).sum() / max(1, shown.sum()):.2f}" for label in _LABELS.values()]
        recall = (labels[shown] == "right").sum() / (labels == "right").sum()
        print(f"{name} from {limit}:", *shares, f"recall {recall:.2f}")


def _vectors(texts: list[str], role: Role, scorer: TextScorer | None = None) -> Values:
    read = (scorer or default_scorer()).embed([without_amounts(text) for text in texts], role)
    return read.astype(np.float64)


def _objects(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    ANSWERING.write_text(json.dumps(fit(Path(sys.argv[1])), indent=1) + "\n", encoding="utf-8")
