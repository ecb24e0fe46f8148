"""Report of a chaos run: figures and violations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from tests.chaos.evidence import RunEvidence, stream_of

_EVENT = re.compile(r'"event": "(\w+)"')


@dataclass(frozen=True)
class Report:
    """Result of a run."""

    seed: int
    faults: Mapping[str, int]
    figures: Mapping[str, str]
    violations: Sequence[str] = field(default_factory=list)

    def table(self) -> Table:
        """Return the faults by kind, the figures and the number of violations."""
        table = Table(title=f"Chaos, seed {self.seed}", title_justify="left", show_header=False)
        for name, count in sorted(self.faults.items()):
            table.add_row(name, str(count))
        table.add_section()
        for name, figure in self.figures.items():
            table.add_row(name, figure)
        table.add_section()
        table.add_row("violations", str(len(self.violations)))
        return table


def repeats(evidence: RunEvidence) -> int:
    """Count the repeated records, which readers drop by their revision."""
    return len(evidence.events) - len({(stream_of(event), event.revision) for event in evidence.events})


def overtaken(evidence: RunEvidence) -> int:
    """Count the streams whose last record is not the newest revision: a stalled owner sent it late (ADR 0002)."""
    last = {stream_of(event): event for event in evidence.events}
    return sum(last[stream].revision < event.revision for stream, event in evidence.newest().items())


def logged(logs: Path) -> Counter[str]:
    """Count log events in the services' logs: the metrics of a killed process are lost, its log is not."""
    return Counter(event for log in logs.glob("*.log") for event in _EVENT.findall(log.read_text(errors="replace")))
