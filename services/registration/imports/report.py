"""Report of an import: counts of all rows, and as many details as a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.sheet import RowRejection

RowOutcome = Literal["created", "changed", "unchanged", "reinstated", "rejected"]

#: Rejections, and warnings, that a report lists: those of the first lines.
MOST_REJECTIONS: Final = 500
#: Problems that a report lists: a column and a reason each.
MOST_PROBLEMS: Final = 50
#: Lines that a problem names.
MOST_LINES: Final = 10
#: People or organisations that are missing from a list and are named.
MOST_MISSING: Final = 500
_LONGEST_REASON = 300
#: Problems that are counted apart. A reason may hold the row's own value, and differ in each row.
_MOST_COUNTED = 2000


@dataclass(frozen=True)
class RowEffect:
    """The effect of a row: its outcome, the name in it, the entity that it concerns, and the fields that it changes.

    `merged_with` is the name of the entity that it is merged with, if that has another spelling.
    """

    line: int
    outcome: RowOutcome
    name: str = ""
    entity_id: str = ""
    merged_with: str = ""
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


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
    """Number of rows by outcome, and their details. A list has at most as many rows as the limits of files allow."""

    def __init__(self, found: FoundTable | None = None) -> None:
        self.found = found or FoundTable()
        self.outcomes: Counter[RowOutcome] = Counter()
        self.effects: list[RowEffect] = []
        #: Names of the organisations made along the way, in order.
        self.organisations: dict[str, None] = {}
        #: Number of new entities that took a value which the list does not hold, by field and value.
        self.assumed: Counter[tuple[str, str]] = Counter()
        #: Names of active entities that a list imported again no longer holds; `missing_count` counts all.
        self.missing: list[str] = []
        self.missing_count = 0
        self._lines: set[int] = set()
        self.rejections: list[RowRejection] = []
        self._problems: dict[tuple[str, str], RowProblem] = {}
        self.all_warnings: list[RowRejection] = []

    @property
    def rejected_rows(self) -> int:
        """Number of rows with a rejection."""
        return len(self._lines)

    @property
    def merged(self) -> int:
        """Number of rows that were merged with an entity of another spelling."""
        return sum(bool(effect.merged_with) for effect in self.effects)

    def reject(self, rejection: RowRejection) -> None:
        """Add a rejection. Its reason begins with the cell; rejections are grouped without it."""
        line, column, reason = rejection.line, rejection.column, rejection.reason[:_LONGEST_REASON]
        self._lines.add(line)
        self.rejections.append(replace(rejection, reason=f"{rejection.cell}: {reason}" if rejection.cell else reason))
        if (column, reason) in self._problems or len(self._problems) < _MOST_COUNTED:
            self._problems.setdefault((column, reason), RowProblem(column, reason)).add(line)

    def warn(self, line: int, column: str, reason: str) -> None:
        """Add a warning about a row that is imported: something of it could not be given, or is doubtful."""
        self.all_warnings.append(RowRejection(line, column, reason[:_LONGEST_REASON]))

    def miss(self, names: Iterable[str]) -> None:
        """Note the entities that the list no longer holds."""
        ordered = sorted(names)
        self.missing, self.missing_count = ordered[:MOST_MISSING], len(ordered)

    def warnings(self) -> list[RowRejection]:
        """List the warnings of the first lines, by line."""
        return sorted(self.all_warnings, key=lambda warning: warning.line)[:MOST_REJECTIONS]

    def first(self) -> list[RowRejection]:
        """List the rejections of the first lines, by line."""
        return sorted(self.rejections, key=lambda rejection: rejection.line)[:MOST_REJECTIONS]

    def problems(self) -> list[RowProblem]:
        """List the most frequent problems, the most frequent first."""
        ranked = sorted(self._problems.values(), key=lambda problem: (-problem.count, problem.lines))
        return ranked[:MOST_PROBLEMS]
