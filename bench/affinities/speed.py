"""Speed and memory of reading texts and finding partners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from bench.affinities import Row, Table
from services.matching.domain.scoring.block_matrix import Rows
from services.matching.domain.scoring.text_index import TextIndex
from services.matching.domain.text.scorer import Matrix, Role, TextScorer, on_grid

_ASKED = 200
_BEST = 20
_LISTED = 10
_SIZE = 10_000
_ALL_PAIRS = (1_000, 10_000, 50_000)
#: The peak of memory is read from Linux itself: what `resource` says begins with that of the parent.
_COLD = r"""
import json, re, sys, time
from pathlib import Path
started = time.perf_counter(), time.process_time()
from services.matching import encoders
from services.matching.domain.text.scorer import Role
getattr(encoders, sys.argv[1])().embed(["Necesitamos soldadura de aluminio"], Role.NEED)
memory = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps([time.perf_counter() - started[0], time.process_time() - started[1], memory]))
"""


class _Cosines:
    """A scorer whose fits are the cosines: none is full, so no tie hides a partner that a shortlist missed."""

    def __init__(self, scorer: TextScorer) -> None:
        self.version, self.width, self.embed = "cosines", scorer.width, scorer.embed

    def fit(self, cosines: Matrix) -> Matrix:
        """Return the cosines unchanged."""
        return cosines


def cold_start(scorer: str) -> Row:
    """Start a process up to its first vector; `scorer` is a function of `services.matching.encoders`."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", _COLD, scorer], capture_output=True, check=True, text=True, env=environment
    )
    wall, cpu, memory = json.loads(done.stdout)
    return {"task": "cold start", "seconds": round(wall, 2), "CPU s": round(cpu, 2), "MB": round(memory)}


def reading(scorer: TextScorer, texts: Sequence[str]) -> Row:
    """Embed short texts that are not cached."""
    started = time.perf_counter(), time.process_time()
    scorer.embed([f"{number} {text}" for number, text in enumerate(texts)], Role.NEED)
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    return {"task": "embed", "texts/s": round(len(texts) / wall), "texts/CPU s": round(len(texts) / cpu)}


def finding(scorer: TextScorer, texts: Sequence[str], who: str) -> Table:
    """Compare a participant with ten thousand, with one item a side and with three; and all with all."""
    vectors = {role: scorer.embed(list(dict.fromkeys(texts)), role) for role in Role}
    table: Table = []
    for items in (1, 3):
        index = _index(scorer, vectors, _SIZE, items)
        recall = _recall(_index(_Cosines(scorer), vectors, _SIZE, items))
        task = f"1 of {_SIZE:,}, {items} x {items} items, both ways"
        table.append({"task": task, **_times(partial(index.best, count=_BEST)), "recall": recall})
    table += [_all_pairs(_index(scorer, vectors, size, 1), size) for size in _ALL_PAIRS]
    return [{**row, "who": who} for row in table]


def _all_pairs(index: TextIndex, size: int) -> Row:
    tracemalloc.start()
    started = time.perf_counter(), time.process_time()
    tops = index.all_best(_BEST)
    wall, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    memory = tracemalloc.get_traced_memory()[1] / 2**20 + index.megabytes
    tracemalloc.stop()
    task = f"all pairs of {size:,}, top {_BEST}"
    return {
        "task": task,
        "seconds": round(wall, 2),
        "CPU s": round(cpu, 2),
        "MB": round(memory),
        "in most top 10": f"{_largest_share(tops.rows[:, :_LISTED]):.2%}",
    }


def _largest_share(lists: Rows) -> float:
    """Return the largest share of lists that name the same participant: 1 would be a hub."""
    return float(np.max(np.bincount(lists[lists >= 0])) / len(lists))


def _index(scorer: TextScorer, vectors: dict[Role, Matrix], size: int, items: int) -> TextIndex:
    """Build participants whose items are mixtures of two real items, so that no two are the same."""
    random, index = np.random.default_rng(size + items), TextIndex(scorer)
    for role, known in vectors.items():
        for start in range(0, size, 1000):
            count = min(1000, size - start) * items
            first, second = known[random.integers(0, len(known), (2, count))]
            share = random.uniform(0.25, 0.75, (count, 1))
            mixed = share * first + (1 - share) * second
            drawn = on_grid(mixed / np.maximum(1e-9, np.linalg.norm(mixed, axis=1, keepdims=True)))
            for row in range(count // items):
                index.put_vectors(start + row, role, drawn[row * items : (row + 1) * items])
    return index


def _times(find: Callable[[int], object]) -> Row:
    walls, cpus = [], []
    for at in range(_ASKED):
        started = time.perf_counter(), time.process_time()
        find(at * (_SIZE // _ASKED))
        walls.append(1000 * (time.perf_counter() - started[0]))
        cpus.append(1000 * (time.process_time() - started[1]))
    (p50, p99), (cpu50, cpu99) = np.percentile(walls, [50, 99]), np.percentile(cpus, [50, 99])
    return {
        "p50 ms": round(float(p50), 2),
        "p99 ms": round(float(p99), 2),
        "CPU p50 ms": round(float(cpu50), 2),
        "CPU p99 ms": round(float(cpu99), 2),
    }


def _recall(index: TextIndex) -> float:
    """Return the share of the exact best that the shortlist found; a score equal to the last of them counts."""
    found = []
    for row in range(0, _SIZE, _SIZE // 50):
        bar = index.best(row, _BEST, exact=True)[1][-1]
        found.append((index.best(row, _BEST)[1] >= bar).sum() / _BEST)
    return round(float(np.mean(found)), 3)
