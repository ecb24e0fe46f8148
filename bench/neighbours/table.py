"""The rows of the table: medians over the runs, beside the figures of the edition alone and the limits."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bench.neighbours.small_edition import ENCOUNTER, MAIL, MEASURES
from bench.neighbours.stage import Measurement

Row = dict[str, object]
ALONE = "alone"
#: Beside an abuse, the p99 may be twice that of the edition alone, or this many seconds.
_ALLOWED_SECONDS: Mapping[str, float] = {ENCOUNTER: 0.5, MAIL: 0.5}
_ALLOWED_READ_SECONDS = 0.05
_ALLOWED_RATIO = 2


class Percentiles(NamedTuple):
    """Percentiles of a measure in seconds."""

    p50: float
    p99: float


def percentiles(samples: Sequence[float]) -> Percentiles:
    """Return the percentiles of a measure that has samples."""
    ordered = sorted(samples)
    middle, slow = (ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 99))
    return Percentiles(middle, slow)


class Results:
    """Measurements of all runs, by driver and abuse."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._runs: defaultdict[tuple[str, str], list[Measurement]] = defaultdict(list)
        self._not_served: Counter[tuple[str, str]] = Counter()

    def add(self, driver: str, abuse: str, measurement: Measurement) -> None:
        """Keep a measurement."""
        self._runs[driver, abuse].append(measurement)

    def add_not_served(self, driver: str, abuse: str) -> None:
        """Count a run after which the product did not serve the small edition, though the abuse was over."""
        self._not_served[driver, abuse] += 1

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the small edition, then the rows of the abuses."""
        for (driver, abuse), runs in self._runs.items():
            for measure in MEASURES:
                yield self._row(driver, abuse, measure, runs)
        for (driver, abuse), runs in self._runs.items():
            if abuse != ALONE:
                answers = sum((Counter(run.answers) for run in runs), Counter[str]())
                yield {
                    "driver": driver,
                    "abuse": abuse,
                    "answers by status": ", ".join(f"{status}: {count}" for status, count in sorted(answers.items())),
                    "not served afterwards": self._not_served[driver, abuse],
                }

    def _row(self, driver: str, abuse: str, measure: str, runs: Sequence[Measurement]) -> Row:
        now = self._median(measure, runs)
        alone = self._median(measure, self._runs[driver, ALONE])
        limit = max(_ALLOWED_RATIO * alone.p99, _ALLOWED_SECONDS.get(measure, _ALLOWED_READ_SECONDS))
        lost = sum(sample >= self._patience for run in runs for sample in run.samples[measure])
        row: Row = {
            "driver": driver,
            "beside": abuse,
            "measure": measure,
            "p50 ms": round(1000 * now.p50, 1),
            "p99 ms": round(1000 * now.p99, 1),
            "of alone": round(now.p99 / alone.p99, 1),
            "limit ms": round(1000 * limit, 1),
            "lost": lost,
        }
        return row | {"holds": "-" if abuse == ALONE else "yes" if now.p99 <= limit else "NO"}

    def _median(self, measure: str, runs: Iterable[Measurement]) -> Percentiles:
        """Return the medians of both percentiles over the runs."""
        figures = [percentiles(run.samples[measure]) for run in runs]
        return Percentiles(*(statistics.median(column) for column in zip(*figures, strict=True)))
