"""Labels and notes of NACE classes across languages: a test of the encoders on words that we did not write."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from bench.affinities import Table
from bench.affinities.peers import Peer
from bench.affinities.quality import ranks_of, share
from bench.affinities.topics import BadTopics

LABELS = "nace_rev2_class_labels.csv"
NOTES = "nace_rev2_notes_es_fr.csv"
_TEN = 10


def classes(data: Path, peers: dict[str, Peer]) -> Table:
    """Return a row per peer; empty without tables in the folder `nace` in or beside `data`."""
    file, notes_file = nace_file(data, LABELS), nace_file(data, NOTES)
    if file is None:
        return []
    labels = {row["code"]: row for row in _rows(file, "code", "es", "en")}
    codes = list(labels)
    tasks = {"es label to en: acc@1": ([labels[code]["es"] for code in codes], codes, 1)}
    if notes_file:
        kept = [row for row in _rows(notes_file, "code", "note_es_350") if row["code"] in labels]
        notes = [(row["note_es_350"], row["code"]) for row in kept if row["note_es_350"].strip()]
        tasks["es note to class: hit@10"] = ([note for note, _ in notes], [code for _, code in notes], _TEN)
    english = [labels[code]["en"] for code in codes]
    spanish = [labels[code]["es"] for code in codes]
    table: Table = []
    for name, peer in peers.items():
        row: dict[str, object] = {"task": "NACE", "who": name}
        for task, (texts, answers, first) in tasks.items():
            found = peer(texts, english)
            if first > 1:
                found = np.maximum(found, peer(texts, spanish))
            own = found[np.arange(len(texts)), [codes.index(answer) for answer in answers]]
            row[task] = share(ranks_of(found, own) <= first)
        table.append(row)
    return table


def nace_file(data: Path, name: str) -> Path | None:
    """A table of NACE in the folder `nace` in or beside `data`, or in `data` itself."""
    return next(
        (folder / name for folder in (data / "nace", data.parent / "nace", data) if (folder / name).exists()), None
    )


def _rows(file: Path, *columns: str) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    if not rows or not set(columns) <= set(rows[0]):
        raise BadTopics(f"{file} must have the columns {', '.join(columns)}")
    return rows
