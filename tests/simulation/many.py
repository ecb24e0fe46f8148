"""Run thousands of seeds on all cores (`python -m tests.simulation --seeds 10000`) or print a run (`--seed N`)."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulation.world import run_seed

_PROGRESS_EVERY_SECONDS = 10.0


@dataclass
class Tally:
    """Sums over many runs."""

    runs: int = 0
    mails: int = 0
    records: int = 0
    steps: int = 0
    virtual_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Ran:
    """Outcome of a run, without its history."""

    seed: int
    violations: list[str]
    faults: Counter[str]
    mails: int
    records: int
    steps: int
    seconds: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 0, or 1 if a seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed, and print all steps of all processes")
    parser.add_argument("--seeds", type=int, default=1000, help="number of seeds")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _print_run(options.seed)
    return _run_many(range(options.first, options.first + options.seeds), options.processes)


def _print_run(seed: int) -> int:
    outcome = run_seed(seed)
    for at, process, step, how in outcome.history:
        print(f"{at:9.3f}  {process:15} {step:16} {how}")
    print("\n".join(outcome.violations) or f"seed {seed}: nothing lost, nothing twice")
    return 1 if outcome.violations else 0


def _run_many(seeds: range, processes: int) -> int:
    tally, began, told = Tally(), time.monotonic(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for ran in pool.imap_unordered(_run, seeds, chunksize=10):
            _count(tally, ran)
            if ran.violations:
                print(
                    f"seed {ran.seed} fails: python -m tests.simulation --seed {ran.seed}", *ran.violations, sep="\n  "
                )
            if time.monotonic() - told >= _PROGRESS_EVERY_SECONDS:
                told = time.monotonic()
                print(_progress(tally, len(seeds), told - began), flush=True)
    _summarise(tally, time.monotonic() - began)
    return 1 if tally.failed else 0


def _run(seed: int) -> Ran:
    outcome = run_seed(seed)
    steps = len(outcome.history)
    return Ran(seed, outcome.violations, outcome.faults, outcome.mails, outcome.records, steps, outcome.seconds)


def _count(tally: Tally, ran: Ran) -> None:
    tally.runs += 1
    tally.mails += ran.mails
    tally.records += ran.records
    tally.steps += ran.steps
    tally.virtual_seconds += ran.seconds
    tally.faults += ran.faults
    if ran.violations:
        tally.failed[ran.seed] = ran.violations


def _progress(tally: Tally, of: int, seconds: float) -> str:
    return f"{tally.runs} of {of} seeds, {tally.runs / seconds * 60:.0f} a minute, {len(tally.failed)} failed"


def _summarise(tally: Tally, seconds: float) -> None:
    hours = tally.virtual_seconds / 3600
    print(_progress(tally, tally.runs, seconds))
    print(f"{tally.steps} steps, {tally.records} records, {tally.mails} mails in {hours:.0f} virtual hours; faults:")
    print(_lines(f"{count:8}  {name}" for name, count in sorted(tally.faults.items())))
    if tally.failed:
        print("failed:", *sorted(tally.failed))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)
