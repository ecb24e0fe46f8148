"""Precision and recall of the needs and offers that a mail shows as reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.affinities import Row, Table
from bench.affinities.peers import Peer, Similarities
from bench.affinities.topics import BadTopics, lines_of

#: From needs and offers: the pairs to show, and a score of every pair. Shapes (needs, offers).
Judge = Callable[[Sequence[str], Sequence[str]], tuple[NDArray[np.bool_], Similarities]]

LABELS: Final = ("right", "near", "wrong")
_RESAMPLES: Final = 1000
#: Recall at which a peer's threshold is set, and the most wrong lines of the pooled row: the bar of the project.
_RECALL: Final = 0.30
_WRONG: Final = 0.05
_FAMILY_WORDS: Final = 5
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Line:
    """A need and an offer with a reader's label. `count`: lines of mails with this pair."""

    need: str
    offer: str
    label: str
    count: int = 1

    @property
    def family(self) -> str:
        """The need without its numbers and its end: needs with another number or material share it."""
        return " ".join(_WORD.findall(self.need.casefold())[:_FAMILY_WORDS])


@dataclass(frozen=True)
class LabelledLines:
    """The lines of a file `reasons_*.jsonl`. `is_pooled`: the file lists several offers for every need."""

    name: str
    lines: tuple[Line, ...]
    is_pooled: bool


def read_reasons(folder: Path) -> list[LabelledLines]:
    """Return the labelled lines of all `reasons_*.jsonl` of the folder or its folder `matching`.

    Raises:
        BadTopics: a line is not as it must be.
    """
    files = sorted(folder.glob("reasons_*.jsonl")) or sorted((folder / "matching").glob("reasons_*.jsonl"))
    return [_read(file) for file in files]


def reasons(sets: Sequence[LabelledLines], tiers: dict[str, Judge], peers: dict[str, Peer]) -> Table:
    """Return a row per file and method. A file with several offers a need also has a row with all offers pooled.

    A tier decides by its own rule. A peer gets the best threshold at a recall of .30 on the measured lines.
    """
    judges: dict[str, Judge] = tiers | {name: _sure_of(peer) for name, peer in peers.items()}
    table: Table = []
    for labelled in sets:
        needs, offers = (list(dict.fromkeys(getattr(line, side) for line in labelled.lines)) for side in _SIDES)
        at = [(needs.index(line.need), offers.index(line.offer)) for line in labelled.lines]
        for name, judge in judges.items():
            shown, sure = judge(needs, offers)
            own = np.array([sure[place] for place in at])
            chosen = np.array([shown[place] for place in at]) if name in tiers else own >= _threshold(labelled, own)
            table.append({"task": labelled.name, "who": name, **_figures(labelled.lines, chosen)})
            if labelled.is_pooled:
                table.append({"task": f"{labelled.name} pooled", "who": name, **_pooled(labelled, needs, offers, sure)})
    return table


_SIDES: Final = ("need", "offer")


def _sure_of(peer: Peer) -> Judge:
    def judge(needs: Sequence[str], offers: Sequence[str]) -> tuple[NDArray[np.bool_], Similarities]:
        found = peer(needs, offers)
        return found > 0, found

    return judge


def _threshold(labelled: LabelledLines, sure: Similarities) -> float:
    """Return the threshold with the largest share of right lines, among thresholds with enough recall."""
    right = np.array([line.count * (line.label == "right") for line in labelled.lines])
    counts = np.array([line.count for line in labelled.lines])
    best = (-1.0, 0.0)
    for limit in np.unique(sure):
        shown = sure >= limit
        if right[shown].sum() >= _RECALL * right.sum():
            best = max(best, (float(right[shown].sum() / counts[shown].sum()), float(limit)))
    return best[1]


def _figures(lines: Sequence[Line], shown: NDArray[np.bool_]) -> Row:
    """Return the shares of shown lines, weighted by `count`, with intervals of 95 % over families of needs."""
    families = sorted({line.family for line in lines})
    counts = np.zeros((len(families), len(LABELS), 2))
    for line, is_shown in zip(lines, shown, strict=True):
        counts[families.index(line.family), LABELS.index(line.label)] += np.array([is_shown, 1]) * line.count
    draws = np.random.default_rng(1).integers(0, len(families), (_RESAMPLES, len(families)))
    drawn = _shares(counts[draws].sum(axis=1))
    row: Row = {"shown": int(counts[:, :, 0].sum())}
    for name, value in _shares(counts.sum(axis=0)[np.newaxis]).items():
        low, high = np.percentile(drawn[name], [2.5, 97.5])
        row |= {name: round(float(value[0]), 3), f"{name} 95 %": f"{low:.2f}-{high:.2f}"}
    return row


def _shares(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Shape of `counts`: (draws, labels, shown and all). Nothing shown is right 0."""
    shown = np.maximum(1e-9, counts[:, :, 0].sum(axis=1))
    shares = {label: counts[:, number, 0] / shown for number, label in enumerate(LABELS)}
    return shares | {"recall": counts[:, 0, 0] / np.maximum(1e-9, counts[:, 0, 1])}


def _pooled(labelled: LabelledLines, needs: list[str], offers: list[str], sure: Similarities) -> Row:
    """Return the best recall with at most .05 wrong pairs, among the offers of all needs.

    Near offers are left out. All offers written for a different need count as wrong.
    """
    truth = np.full(sure.shape, "wrong")
    for line in labelled.lines:
        truth[needs.index(line.need), offers.index(line.offer)] = line.label
    kept = truth != "near"
    order = np.argsort(-sure[kept], kind="stable")
    right, values = (truth[kept] == "right")[order], sure[kept][order]
    found, shown = np.cumsum(right), np.arange(1, len(right) + 1)
    allowed = (shown - found <= _WRONG * shown) & np.append(values[1:] < values[:-1], True) & (values > 0)
    at = int(np.flatnonzero(allowed)[-1]) if allowed.any() else None
    share = {"right": 0.0, "near": 0.0, "wrong": 0.0, "recall": 0.0}
    if at is not None:
        share["right"] = float(found[at] / shown[at])
        share["wrong"], share["recall"] = 1 - share["right"], float(found[at] / max(1, right.sum()))
    row: Row = {"shown": 0 if at is None else int(shown[at])}
    for name, value in share.items():
        row |= {name: round(value, 3), f"{name} 95 %": ""}
    return row


def _read(file: Path) -> LabelledLines:
    lines: list[Line] = []
    is_pooled = False
    for number, text in enumerate(lines_of(file), 1):
        if text.strip():
            kept = _object(f"{file}:{number}", text)
            is_pooled |= "offers" in kept
            try:
                lines += _lines(kept)
            except (KeyError, TypeError, ValueError) as error:
                raise BadTopics(f"{file}:{number}: no need with labelled offers: {error!r}") from error
    return LabelledLines(file.stem, tuple(lines), is_pooled)


def _object(place: str, text: str) -> dict[str, Any]:
    try:
        kept = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadTopics(f"{place}: not JSON: {error}") from error
    if not isinstance(kept, dict):
        raise BadTopics(f"{place}: not an object")
    return kept


def _lines(kept: dict[str, Any]) -> list[Line]:
    offers = kept.get("offers") or [{"text": kept["offer"], "label": kept["label"], "count": kept.get("count", 1)}]
    found = [Line(kept["need"], offer["text"], offer["label"], int(offer.get("count", 1))) for offer in offers]
    if unknown := {line.label for line in found} - set(LABELS):
        raise ValueError(f"labels are {', '.join(LABELS)}, not {', '.join(sorted(unknown))}")
    return found
