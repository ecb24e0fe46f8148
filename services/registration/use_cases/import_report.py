"""Report of an import: counts of all rows, and as many rejections as a person reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

from services.registration.import_files.sheet import RowRejection

RowOutcome = Literal["created", "changed", "unchanged", "reinstated"]

#: Rejections that a report lists, those of the first lines.
MOST_REJECTIONS: Final = 500
#: Problems that a report lists: a column and a reason each.
MOST_PROBLEMS: Final = 50
#: Lines that a problem names.
MOST_LINES: Final = 10
_LONGEST_REASON = 300
#: Problems that are counted apart. A reason may hold the row's own value, and differ in each row.
_MOST_COUNTED = 2000


@dataclass
class RowProblem:
    """A column and the reason for which it was rejected: the number of rejections, and the lines of the first."""

    column: str
    reason: str
    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count a rejection."""
        self.count += 1
        if len(self.lines) < MOST_LINES:
            self.lines.append(line)


class ImportReport:
    """Number of rows by outcome, and the rejections: all are counted, the first are kept."""

    def __init__(self) -> None:
        self.outcomes: Counter[RowOutcome] = Counter()
        self._lines: set[int] = set()
        self._first: list[RowRejection] = []
        self._problems: dict[tuple[str, str], RowProblem] = {}
        self._warnings: list[RowRejection] = []

    @property
    def rejected_rows(self) -> int:
        """Number of rows with a rejection."""
        return len(self._lines)

    def reject(self, line: int, column: str, reason: str) -> None:
        """Add a rejection."""
        reason = reason[:_LONGEST_REASON]
        self._lines.add(line)
        self._first.append(RowRejection(line, column, reason))
        if len(self._first) >= 2 * MOST_REJECTIONS:
            self._first = self.first()
        if (column, reason) in self._problems or len(self._problems) < _MOST_COUNTED:
            self._problems.setdefault((column, reason), RowProblem(column, reason)).add(line)

    def warn(self, line: int, column: str, reason: str) -> None:
        """Add a warning about a row that was imported: something of it could not be given."""
        self._warnings.append(RowRejection(line, column, reason[:_LONGEST_REASON]))
        if len(self._warnings) >= 2 * MOST_REJECTIONS:
            self._warnings = self.warnings()

    def warnings(self) -> list[RowRejection]:
        """List the warnings of the first lines, by line."""
        return sorted(self._warnings, key=lambda warning: warning.line)[:MOST_REJECTIONS]

    def first(self) -> list[RowRejection]:
        """List the rejections of the first lines, by line."""
        return sorted(self._first, key=lambda rejection: rejection.line)[:MOST_REJECTIONS]

    def problems(self) -> list[RowProblem]:
        """List the most frequent problems, the most frequent first."""
        ranked = sorted(self._problems.values(), key=lambda problem: (-problem.count, problem.lines))
        return ranked[:MOST_PROBLEMS]
