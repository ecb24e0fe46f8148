"""Answers to imports: the report, its preview, and a marked copy of the list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field

from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.sheet import RowRejection
from services.registration.imports.report import (
    MOST_MISSING,
    MOST_PROBLEMS,
    MOST_REJECTIONS,
    ImportReport,
    RowOutcome,
)
from services.registration.previews import PreviewView


class RejectionView(BaseModel):
    """A rejected row. `line` counts the lines of the file (rows of a workbook) from 1, including the column names."""

    line: int
    column: str = Field(description="The heading in the file. Empty if no single column is at fault.")
    reason: str = Field(description="The cell, its value, and what to write instead.")


class ProblemView(BaseModel):
    """A column and a reason for which rows were rejected: how often, and the lines of the first of them."""

    column: str
    reason: str
    count: int
    lines: list[int]


class ColumnView(BaseModel):
    """A column of the file. `field` is empty if the column is ignored."""

    column: str = Field(description="Its letters in a spreadsheet.")
    heading: str
    field: str


class FoundView(BaseModel):
    """The place of the list in its file. A text file has an encoding and a delimiter, a workbook a sheet."""

    header_line: int
    encoding: str
    delimiter: str
    sheet: str
    other_sheets: list[str]
    other_lists: list[str] = Field(description="Further sheets with such a list, which are not read.")
    hidden_rows: int = Field(description="Hidden rows of the sheet, which are not read unless `hidden` is true.")
    hidden_lines: list[int] = Field(description="The first of their lines.")
    hidden_columns: list[str] = Field(description="Headings of hidden columns. They are read.")
    no_entries: list[int] = Field(description="The first lines of totals and notes, which are no entries.")
    columns: list[ColumnView]
    ignored: list[str] = Field(description="Headings that no field is known for.")


class AssumedView(BaseModel):
    """A value that new entities took although the list does not hold it, and the number of their rows."""

    field: str
    value: str
    rows: int


class RowView(BaseModel):
    """The effect of a row."""

    line: int
    outcome: RowOutcome
    name: str
    entity_id: str = Field(description="Of the entity that is changed; empty for a new one.")
    merged_with: str = Field(description="Name of the entity that the row is merged with, if it is spelt otherwise.")
    changes: dict[str, tuple[Any, Any]] = Field(description="The fields that change, each before and after.")


class ReportView(BaseModel):
    """Number of rows by outcome, and the rejections of the first lines."""

    dry_run: bool = Field(description="Whether nothing was written.")
    token: str | None = Field(default=None, description="Applies the same file with these effects, as `?token=`.")
    created: int
    changed: int
    unchanged: int
    reinstated: int = Field(description="Number of rows whose cancelled participant or organisation takes part again.")
    merged: int = Field(description="Number of changed or unchanged rows whose entity is spelt otherwise.")
    rejected_rows: int = Field(description="Number of rejected rows, also of those that `rejected` leaves out.")
    rejected: list[RejectionView] = Field(description=f"The first {MOST_REJECTIONS} rejections, by line.")
    problems: list[ProblemView] = Field(
        description=f"The rejections by column and reason: the {MOST_PROBLEMS} most frequent, with their first lines."
    )
    warnings: list[RejectionView] = Field(
        description="Doubts about imported rows, and things that they could not be given, such as a seat: "
        f"the first {MOST_REJECTIONS}."
    )
    organisations_created: list[str] = Field(description="Names of the organisations made along the way.")
    assumed: list[AssumedView]
    missing: list[str] = Field(
        description=f"Names that a list imported again no longer holds: the first {MOST_MISSING}. Nothing is cancelled."
    )
    missing_count: int
    found: FoundView
    rows: list[RowView] = Field(default=[], description="In a dry run: the effect of each row.")
    amendment_id: str | None = Field(
        default=None, description="Undoes the import for seven days: see the amendments. Null if nothing was written."
    )
    preview: PreviewView | None = Field(
        default=None, description="In a dry run: the effects on encounters, as of a change of a single entity."
    )


class RefusedList(PreviewView, ReportView):
    """The preview of a list that needs its token: the effects on encounters, and the effect of each row."""


def refused_list(report: ReportView, preview: PreviewView) -> RefusedList:
    """Return the preview of a list that is refused without its token."""
    return RefusedList.model_construct(**dict(report) | dict(preview))


def report_view(report: ImportReport, token: str | None = None, preview: PreviewView | None = None) -> ReportView:
    """Return the answer with a report; with a token, that of a dry run."""
    effects = [
        RowView(
            line=effect.line,
            outcome=effect.outcome,
            name=effect.name,
            entity_id=effect.entity_id,
            merged_with=effect.merged_with,
            changes=dict(effect.changes),
        )
        for effect in report.effects
    ]
    return ReportView(
        dry_run=token is not None,
        token=token,
        created=report.outcomes["created"],
        changed=report.outcomes["changed"],
        unchanged=report.outcomes["unchanged"],
        reinstated=report.outcomes["reinstated"],
        merged=report.merged,
        rejected_rows=report.rejected_rows,
        rejected=_rows(report.first()),
        warnings=_rows(report.warnings()),
        problems=[
            ProblemView(column=problem.column, reason=problem.reason, count=problem.count, lines=problem.lines)
            for problem in report.problems()
        ],
        organisations_created=list(report.organisations),
        assumed=[
            AssumedView(field=name, value=value, rows=rows) for (name, value), rows in sorted(report.assumed.items())
        ],
        missing=report.missing,
        missing_count=report.missing_count,
        found=_found(report.found),
        rows=effects if token is not None else [],
        preview=preview,
    )


def _found(found: FoundTable) -> FoundView:
    return FoundView(
        header_line=found.header_line,
        encoding=found.encoding,
        delimiter=found.delimiter,
        sheet=found.sheet,
        other_sheets=list(found.other_sheets),
        other_lists=list(found.other_lists),
        hidden_rows=found.hidden_rows,
        hidden_lines=list(found.hidden_lines),
        hidden_columns=list(found.hidden_columns),
        no_entries=list(found.no_entries),
        columns=[
            ColumnView(column=column.letter, heading=column.heading, field=column.field) for column in found.columns
        ],
        ignored=[column.heading for column in found.columns if not column.field],
    )


def _rows(rejections: Iterable[RowRejection]) -> list[RejectionView]:
    return [
        RejectionView(line=rejection.line, column=rejection.column, reason=rejection.reason) for rejection in rejections
    ]
