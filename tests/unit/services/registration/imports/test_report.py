"""The report of an import counts everything and lists as much as a person reads."""

from __future__ import annotations

from services.registration.import_files.sheet import RowRejection
from services.registration.imports.report import (
    MOST_LINES,
    MOST_PROBLEMS,
    MOST_REJECTIONS,
    ImportReport,
)


def test_rows_are_counted_once_with_all_their_rejections() -> None:
    report = ImportReport()
    for line, column in ((3, "email"), (2, "name"), (3, "languages"), (2, "name")):
        report.reject(RowRejection(line, column, "wrong"))
    assert report.rejected_rows == 2
    assert [(rejection.line, rejection.column) for rejection in report.first()] == [
        (2, "name"), (2, "name"), (3, "email"), (3, "languages"),
    ]  # fmt: skip
    assert [(problem.column, problem.count, problem.lines) for problem in report.problems()] == [
        ("name", 2, [2, 2]), ("email", 1, [3]), ("languages", 1, [3]),
    ]  # fmt: skip


def test_a_report_of_many_rejections_is_bounded() -> None:
    report = ImportReport()
    for line in range(10_001, 1, -1):
        report.reject(RowRejection(line, "email", f"wrong {line}" * 100))
        report.reject(RowRejection(line, "name", "wrong", f"B{line}"))
    assert report.rejected_rows == 10_000
    assert [rejection.line for rejection in report.first()] == [
        line for line in range(2, 2 + MOST_REJECTIONS // 2) for _ in range(2)
    ]
    first, *others = report.problems()
    assert (first.column, first.count, len(first.lines)) == ("name", 10_000, MOST_LINES)
    assert len(others) == MOST_PROBLEMS - 1
    assert max(len(problem.reason) for problem in others) == 300
