"""Profile help: the class of a text among ten, needs told from offers, and the time of an answer."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import typer

from bench.affinities.activities import activities
from bench.affinities.classes import NOTES, nace_file
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import Matrix, Role
from services.matching.encoders import use_encoder
from services.matching.profile_help import ProfileHelp
from services.matching.vocabulary import NACE_LANGUAGES, nace_categories, vocabulary
from shared.internal_api.profile_help import ProfileQuestion

_TOPICS = "need_offer*.jsonl"
_TEN = 10


def run(data: Path | None) -> list[dict[str, object]]:
    """Return a row per task and method: the explanatory notes of NACE, beside peers; the topics of needs and offers."""
    if data is None:
        raise typer.BadParameter("a folder with matching's data, beside which `nace/` is", param_hint="--data")
    helper = ProfileHelp(use_encoder, vocabulary)
    notes = nace_file(data, NOTES)
    rows = list(_classes(helper, notes)) if notes else []
    rows += activities(lambda text: _codes(helper, text))
    rows += list(_roles(helper, sorted(data.glob(_TOPICS))))
    if not rows:
        raise typer.BadParameter(f"{data} has neither {NOTES} nor {_TOPICS}", param_hint="--data")
    return rows


def _codes(helper: ProfileHelp, text: str) -> list[str]:
    answer = helper.answer(ProfileQuestion(text=text))
    return [shown.code for shown in (*answer.classes, *answer.kets)]


def _classes(helper: ProfileHelp, file: Path) -> Iterable[dict[str, object]]:
    with file.open(encoding="utf-8", newline="") as opened:
        notes = list(csv.DictReader(opened))
    for language in ("es", "fr"):
        answer = [(row[f"note_{language}_350"], f"nace:{row['code']}") for row in notes]
        texts, codes = zip(*((text, code) for text, code in answer if text.strip()), strict=True)
        task = f"class of a note ({language}) in ten"
        for spoken in ((language,), NACE_LANGUAGES):
            labels = [[category.labels[language] for category in nace_categories()] for language in spoken]
            near = np.max([_by_ngrams(texts) @ _by_ngrams(answer).T for answer in labels], axis=0)
            yield {
                "task": task,
                "who": f"n-grams, labels in {' '.join(spoken)}",
                "texts": len(texts),
                "right": _right(near, codes),
            }
        began, used = time.perf_counter(), time.process_time()
        answers = [helper.answer(ProfileQuestion(text=text)) for text in texts]
        yield {
            "task": task,
            "who": "profile help",
            "texts": len(texts),
            "right": np.mean(
                [
                    code in [category.code for category in answer.classes]
                    for code, answer in zip(codes, answers, strict=True)
                ]
            ),
            "ms": 1000 * (time.perf_counter() - began) / len(texts),
            "CPU ms": 1000 * (time.process_time() - used) / len(texts),
        }


def _by_ngrams(texts: Sequence[str]) -> Matrix:
    return NgramScorer().embed(texts, Role.OFFER)


def _right(near: Matrix, codes: Sequence[str]) -> float:
    """Return the share of texts whose class is among the ten nearest; in a tie it is the last."""
    places = {category.code: place for place, category in enumerate(nace_categories())}
    own = near[np.arange(len(codes)), [places[code] for code in codes]][:, np.newaxis]
    return float(((near >= own).sum(axis=1) <= _TEN).mean())


def _roles(helper: ProfileHelp, files: Iterable[Path]) -> Iterable[dict[str, object]]:
    topics = [
        json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    for role, field in ((Role.NEED, "needs"), (Role.OFFER, "offers")):
        texts = [text for topic in topics for text in topic[role].values()]
        if texts:
            found = [bool(getattr(helper.answer(ProfileQuestion(text=text)), field)) for text in texts]
            yield {"task": f"a {role} told as one", "who": "profile help", "texts": len(texts), "right": np.mean(found)}
