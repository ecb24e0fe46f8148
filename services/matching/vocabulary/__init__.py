"""The activities and technologies of profiles, with labels and vectors; see README.md."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.activity_words import ActivityWords
from services.matching.domain.text.answering import AnswerRule, Tables
from services.matching.domain.text.answers.rule import RoleRule
from services.matching.domain.text.answers.word_vectors import WordVectors
from services.matching.domain.text.classification import Category, Classification, RoleMeans
from services.matching.domain.text.trades import TermTable
from shared.contract.codes import DESCRIBED_IN, NACE_LANGUAGES, ket_wordings, nace_labels

__all__ = ["DESCRIBED_IN", "NACE_LANGUAGES", "ket_wordings"]

FOLDER: Final = Path(__file__).parent
VECTORS: Final = FOLDER / "vectors.npz"
TRADES: Final = FOLDER / "trades"
#: Words for the classes of NACE, a line each: `code: es | en | pt | fr` for all, `code: de | it` for the commoner ones.
ACTIVITIES: Final = FOLDER / "activities.txt"
ACTIVITIES_DE_IT: Final = FOLDER / "activities_de_it.txt"
#: Weights of the two rules that judge answers. `fit_answering` makes those of the second; the first are final.
FIRST_ANSWERING: Final = FOLDER / "answering.json"
ANSWERING: Final = FOLDER / "answering_2.json"
FIRST_RULE: Final = "trades-1"
#: Words and their vectors, made by `python -m services.matching.vocabulary.build_words`.
WORD_VECTORS: Final = FOLDER / "word_vectors.npz"
_OF_FIRST_RULE: Final = ("metal", "environment", "consumer", "services")
#: Vectors are stored as multiples of 1/512: half the size of float16, and no answer changes.
GRID: Final = 512
_SHORTEST: Final = 1e-9


@dataclass(frozen=True)
class Vocabulary:
    """The classifications and role means that profile help compares texts with, and the classes of named trades.

    The rows of `words` are the categories of `nace`.
    """

    nace: Classification
    kets: Classification
    means: RoleMeans
    words: ActivityWords
    trades: TermTable
    classes: Mapping[str, tuple[str, ...]]


def nace_categories() -> tuple[Category, ...]:
    """Return the classes of NACE Rev. 2 with their labels in all languages, by code."""
    return tuple(Category(code, labels) for code, labels in nace_labels().items())


def ket_categories() -> tuple[Category, ...]:
    """Return the key enabling technologies with their labels."""
    return tuple(
        Category(code, {language: wording[0] for language, wording in wordings.items()})
        for code, wordings in ket_wordings().items()
    )


@cache
def labels() -> dict[str, dict[str, str]]:
    """Return the labels of every code that has any, in every language."""
    known = (*nace_categories(), *ket_categories())
    return {category.code: dict(category.labels) for category in known}


@cache
def vocabulary() -> Vocabulary:
    """Return the vocabulary, read once a process: about 10 MB."""
    with np.load(VECTORS, allow_pickle=False) as kept:
        means = RoleMeans(kept["need"], kept["offer"])
        nace = Classification(nace_categories(), _unit(kept["nace"]), np.zeros(len(kept["nace"]), np.float32))
        kets = Classification(ket_categories(), _unit(kept["kets"]), kept["kets_usual"])
    return Vocabulary(nace, kets, means, activity_words(), answer_tables().trades, trade_classes())


@cache
def activity_words() -> ActivityWords:
    """Return the words of the classes of NACE, of our table and of the labels, read once a process."""
    wordings: defaultdict[str, list[str]] = defaultdict(list)
    for file in (ACTIVITIES, ACTIVITIES_DE_IT):
        for line in file.read_text(encoding="utf-8").splitlines():
            code, _, words = line.partition(": ")
            wordings[f"nace:{code}"].append(words)
    categories = nace_categories()
    return ActivityWords(
        ["\n".join(wordings[category.code]) for category in categories],
        [category.labels.values() for category in categories],
    )


@cache
def answer_tables(*, further: bool = False) -> Tables:
    """Return the tables of trades, acts and places, read once a process; `further` reads `more.txt` too."""
    names = (*_OF_FIRST_RULE, "more") if further else _OF_FIRST_RULE
    trades = TermTable(line for name in names for line in _lines(name))
    answers: dict[str, set[str]] = {}
    for line in _lines("answers"):
        need, _, offers = line.partition(":")
        for offer in filter(None, map(str.strip, offers.split(","))):
            answers.setdefault(offer, set()).add(need)
    return Tables(
        trades,
        TermTable(_lines("acts")),
        TermTable(_lines("places")),
        {offer: frozenset(needs) for offer, needs in answers.items()},
    )


@cache
def word_vectors() -> WordVectors:
    """Return the vectors of words, read once a process: about 5 MB."""
    with np.load(WORD_VECTORS, allow_pickle=False) as kept:
        words = bytes(kept["words"]).decode().split("\n")
        return WordVectors(words, _unit(kept["vectors"]))


@cache
def trade_classes() -> dict[str, tuple[str, ...]]:
    """Return the classes of NACE that a company of a trade is in, the likeliest first."""
    lines = (line.partition(":") for line in _lines("classes") if line and not line.startswith("#"))
    return {trade: tuple(f"nace:{code.strip()}" for code in codes.split(",")) for trade, _, codes in lines}


@cache
def answer_rule(version: str) -> AnswerRule | None:
    """Return a version of the rule that judges answers; None for a version that is unknown or empty."""
    if version == FIRST_RULE:
        kept = json.loads(FIRST_ANSWERING.read_text(encoding="utf-8"))
        return AnswerRule(version, answer_tables(), kept["shown_from"], kept["weights"])
    kept = json.loads(ANSWERING.read_text(encoding="utf-8"))
    if version != kept["version"]:
        return None
    return RoleRule(version, answer_tables(further=True), kept["shown_from"], kept["weights"], word_vectors())


def _lines(name: str) -> list[str]:
    return (TRADES / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _unit(kept: NDArray[np.int8]) -> NDArray[np.float32]:
    vectors = kept.astype(np.float32) / GRID
    # A word that no encoder reads has no direction.
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _SHORTEST)
    return np.asarray(unit, dtype=np.float32)
