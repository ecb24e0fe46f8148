"""A small edition of an operator, alone and beside abuses of the product by its neighbour.

The whole product runs on the embedded stack. The small edition makes requests and reads at a steady pace. Measured are
the times from a request to its encounter and to its mail, and the times of reads; the table has medians of the runs.

- `--runs 5`: number of runs, on a new stack.
- `--drivers motor,pymongo`: drivers of MongoDB to measure with.
- `--abuses proposals,import`: some of the abuses; empty: all of them.
- `--quick yes`: a single short run with Motor.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from bench import BenchmarkError
from bench.neighbours.abuses import ABUSES
from bench.neighbours.size import QUICK, Load
from bench.neighbours.small_edition import NotServed
from bench.neighbours.stage import stage
from bench.neighbours.table import ALONE, Results, Row
from deploy.embedded.process import ProcessFailed

console = Console(stderr=True)


def run(
    data: Path | None,  # noqa: ARG001 - every benchmark is offered the data
    runs: str = "5",
    drivers: str = "motor,pymongo",
    abuses: str = "",
    quick: str = "no",
) -> list[Row]:
    """Return the rows of the measures, then the answers to the abuses."""
    names = [name for name in abuses.split(",") if name] or list(ABUSES)
    for name in names:
        if name not in ABUSES:
            raise BenchmarkError(f"there is no abuse {name!r}: they are {', '.join(ABUSES)}")
    if quick == "yes":
        return list(measure_all(QUICK, 1, ["motor"], names))
    return list(measure_all(Load(), int(runs), drivers.split(","), names))


def measure_all(load: Load, runs: int, drivers: Sequence[str], abuses: Sequence[str]) -> list[Row]:
    """Return the rows of so many runs, driver by driver."""
    results = Results(load.patience_seconds)
    root = Path(tempfile.mkdtemp(prefix="neighbours-"))
    for driver in drivers:
        for number in range(runs):
            console.print(f"{driver}, run {number + 1} of {runs}", highlight=False)
            asyncio.run(_run(root, driver, load, [ALONE, *abuses], results))
    shutil.rmtree(root, ignore_errors=True)
    return list(results.rows())


async def _run(root: Path, driver: str, load: Load, steps: Sequence[str], results: Results) -> None:
    """Measure all steps on a stack, and on a new stack after a step from which the product did not recover."""
    done = 0
    try:
        while done < len(steps):
            first = done
            async with stage(root, driver, load) as standing:
                with contextlib.suppress(NotServed):
                    for step in steps[first:]:
                        results.add(driver, step, await standing.measure(None if step == ALONE else step))
                        console.print(f"  {step}", highlight=False)
                        done += 1
            if done == first:
                raise BenchmarkError(f"{driver}: the small edition is not served on a new stack, before {steps[done]}")
            if done < len(steps):
                results.add_not_served(driver, steps[done - 1])
    except ProcessFailed as error:
        raise BenchmarkError(str(error)) from None
