from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.affinities.reasons import Line, read_reasons, reasons
from bench.affinities.topics import BadTopics

Found = tuple[NDArray[np.bool_], NDArray[np.float64]]


def lines(folder: Path, name: str, *kept: object) -> Path:
    (folder / name).write_text("\n".join(json.dumps(line) for line in kept), encoding="utf-8")
    return folder


def offers(**labels: str) -> list[dict[str, str]]:
    return [{"text": text, "label": label} for text, label in labels.items()]


def equal(needs: Sequence[str], texts: Sequence[str]) -> Found:
    """Shows an offer that begins as the need does."""
    sure = np.array([[float(need[0] == text[0]) for text in texts] for need in needs])
    return sure > 0, sure


def test_shares_are_weighted_by_the_count_of_a_line(tmp_path: Path) -> None:
    shown = [
        {"need": "a1", "offer": "a", "label": "right", "count": 3},
        {"need": "a1", "offer": "ab", "label": "near", "count": 1},
        {"need": "b1", "offer": "a", "label": "right", "count": 4},
    ]
    [row] = reasons(read_reasons(lines(tmp_path, "reasons_shown.jsonl", *shown)), {"ours": equal}, {})
    assert (row["task"], row["who"], row["shown"]) == ("reasons_shown", "ours", 4)
    assert (row["right"], row["near"], row["wrong"], row["recall"]) == (0.75, 0.25, 0, round(3 / 7, 3))


def test_the_offers_of_other_needs_are_wrong_in_the_pool(tmp_path: Path) -> None:
    kept = [
        {"need": "a", "offers": offers(a1="right", b1="wrong", a2="near")},
        {"need": "b", "offers": offers(b2="right", c1="right")},
    ]
    own, pooled = reasons(read_reasons(lines(tmp_path, "reasons_fresh.jsonl", *kept)), {"ours": equal}, {})
    assert (own["right"], own["near"], own["wrong"], own["recall"]) == (0.667, 0.333, 0, 0.667)
    assert pooled["task"] == "reasons_fresh pooled"
    assert (pooled["wrong"], pooled["recall"]) == (0, 0), "b1 answers b as surely as b2, so no recall is without it"


def test_nothing_shown_is_right_nought(tmp_path: Path) -> None:
    data = read_reasons(lines(tmp_path, "reasons_x.jsonl", {"need": "a", "offers": offers(b="right")}))
    own, _ = reasons(data, {"ours": equal}, {})
    assert (own["shown"], own["right"], own["recall"]) == (0, 0, 0)


def test_a_peer_shows_from_its_best_threshold(tmp_path: Path) -> None:
    kept = {"need": "a", "offers": offers(aa="right", ab="wrong", ac="right")}
    cosines = np.array([[0.9, 0.5, 0.2]])
    own, pooled = reasons(read_reasons(lines(tmp_path, "reasons_x.jsonl", kept)), {}, {"peer": lambda *_: cosines})
    assert (own["right"], own["recall"]) == (1, 0.5)
    assert (pooled["right"], pooled["recall"]) == (1, 0.5)


def test_needs_that_differ_by_a_number_are_one_family() -> None:
    first, second = (Line(f"Buscamos estructura para plantas, {count} t", "x", "right") for count in (5, 80))
    assert first.family == second.family


def test_an_unknown_label_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(BadTopics, match=r"reasons_x.jsonl:1: .*labels are right, near, wrong, not so-so"):
        read_reasons(lines(tmp_path, "reasons_x.jsonl", {"need": "a", "offer": "b", "label": "so-so"}))
