"""Labels and notes of NACE classes across languages: a test of the encoders on words that nobody of us wrote."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from bench.affinities import Table
from bench.affinities.peers import Peer
from bench.affinities.topics import BadTopics

_LABELS = "nace_rev2_class_labels.csv"
_NOTES = "nace_rev2_notes_es_fr.csv"
_TEN = 10


def classes(data: Path, peers: dict[str, Peer]) -> Table:
    """A row a peer; none where there are no tables in the folder `nace` in or beside `data`."""
    folder = next((one for one in (data / "nace", data.parent / "nace", data) if (one / _LABELS).exists()), None)
    if folder is None:
        return []
    labels = {row["code"]: row for row in _rows(folder / _LABELS, "code", "es", "en")}
    codes = list(labels)
    tasks = {"es label to en: acc@1": ([labels[code]["es"] for code in codes], codes, 1)}
    if (folder / _NOTES).exists():
        kept = [row for row in _rows(folder / _NOTES, "code", "note_es_350") if row["code"] in labels]
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
            own = found[np.arange(len(texts)), [codes.index(answer) for answer in answers]][:, np.newaxis]
            ranks = ((found > own).sum(axis=1) + (found >= own).sum(axis=1) + 1) / 2
            row[task] = round(float((ranks <= first).mean()), 3)
        table.append(row)
    return table


def _rows(file: Path, *columns: str) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened))
    if not rows or not set(columns) <= set(rows[0]):
        raise BadTopics(f"{file} must have the columns {', '.join(columns)}")
    return rows
