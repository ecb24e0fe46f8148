"""Endpoints that import files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.bodies import media_type, read_body
from services.registration.api.problems import Unsupported
from services.registration.domain.errors import FieldError, Invalid
from services.registration.import_files.process import read_file
from services.registration.import_files.sheet import RowRejection, Sheet, UnreadableFile
from services.registration.service import OperatorService
from services.registration.use_cases.import_columns import ORGANISATION_COLUMNS, PARTICIPANT_COLUMNS, ImportColumns
from services.registration.use_cases.import_report import MOST_PROBLEMS, MOST_REJECTIONS, ImportReport
from services.registration.use_cases.imports import import_organisations, import_participants
from shared.runtime.fair_turns import FairTurns

router = APIRouter(prefix="/editions/{edition_id}/imports", tags=["imports"])

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORM = "multipart/form-data"
_FORMATS = (CSV, XLSX)
_PIECE_BYTES = 64 * 1024
_BY_ENDING = {".csv": CSV, ".xlsx": XLSX}


class RejectionView(BaseModel):
    """A rejected row. `line` counts the lines of the file (rows of a workbook) from 1, including the column names."""

    line: int
    column: str = Field(description="Empty if no single column is at fault.")
    reason: str


class ProblemView(BaseModel):
    """A column and a reason for which rows were rejected: how often, and the lines of the first of them."""

    column: str
    reason: str
    count: int
    lines: list[int]


class ReportView(BaseModel):
    """Number of rows by outcome, and the rejections of the first lines."""

    created: int
    changed: int
    unchanged: int
    reinstated: int = Field(description="Number of rows whose cancelled participant or organisation takes part again.")
    rejected_rows: int = Field(description="Number of rejected rows, also of those that `rejected` leaves out.")
    rejected: list[RejectionView] = Field(description=f"The first {MOST_REJECTIONS} rejections, by line.")
    problems: list[ProblemView] = Field(
        description=f"The rejections by column and reason: the {MOST_PROBLEMS} most frequent, with their first lines."
    )
    warnings: list[RejectionView] = Field(
        description=f"Things that imported rows could not be given, such as a seat: the first {MOST_REJECTIONS}."
    )


_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            CSV: {"schema": {"type": "string"}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


@router.post("/organisations", openapi_extra=_FILE)
async def organisations(request: Request, service: CurrentService, edition_id: PathId) -> ReportView:
    """Register or change organisations from a file, by name. Importing the same file again changes nothing.

    A row of a cancelled organisation reinstates it, and the participants that were cancelled with it.
    Columns: `name`, `kind`, `country`; optionally `region`, `delegation`, `interchangeable` (yes or no), `codes`
    (separated by blanks, commas or `|`).
    CSV in UTF-8 with `;` or `,`, or the first sheet of an XLSX file. An empty cell clears an optional field; a missing
    column leaves the field unchanged. Faulty rows are reported, correct rows are imported. A formula counts by its
    saved value. An operator has one import at a time: another is refused with 429.
    """
    async with _running(request, service, ORGANISATION_COLUMNS) as (sheet, turns):
        return _view(await import_organisations(service, edition_id, sheet, turns))


@router.post("/participants", openapi_extra=_FILE)
async def participants(request: Request, service: CurrentService, edition_id: PathId) -> ReportView:
    """Register or change participants from a file, by e-mail address. Importing the same file again changes nothing.

    A row of a cancelled participant reinstates the participant. `warnings` names full sessions: the
    participant waits in line.
    Columns: `organisation` (the name of a registered organisation), `name`, `email`, `languages` (`es en`; mails are
    written in the first language); optionally `offers` and `needs` (items separated by `|`), `codes` and `sessions`
    (separated by blanks, commas or `|`). The format is that of the import of organisations. Several rows are written
    concurrently, so the last seats of a session do not always go to the first rows of the file.
    """
    async with _running(request, service, PARTICIPANT_COLUMNS) as (sheet, turns):
        return _view(await import_participants(service, edition_id, sheet, turns))


@asynccontextmanager
async def _running(
    request: Request, service: OperatorService, columns: ImportColumns
) -> AsyncIterator[tuple[Sheet, FairTurns]]:
    """Admit an import, then read its file. Yields the file, and the turns of its slices.

    Raises:
        ImportRunning: the operator has an import already, or no place is free for a file.
    """
    imports = context_of(request).imports
    operator_id = service.unit_of_work.repository.operator_id
    with imports.admitted(operator_id):
        media, raw = await _file(request)
        async with imports.turn(operator_id):
            try:
                sheet = await read_file(raw, columns.header, context_of(request).settings, is_workbook=media == XLSX)
            except UnreadableFile as error:
                raise Invalid(FieldError("", str(error))) from error
            del raw
            yield sheet, imports.slices


async def _file(request: Request) -> tuple[str, bytes]:
    """Return the media type and the bytes of the file."""
    media = media_type(request.headers.get("content-type"))
    if media not in {*_FORMATS, _FORM}:
        raise Unsupported(f"send {CSV}, {XLSX} or {_FORM}")
    raw = await read_body(request, context_of(request).settings.max_import_bytes)
    return await _file_of(request, raw) if media == _FORM else (media, raw)


async def _file_of(request: Request, raw: bytes) -> tuple[str, bytes]:
    """Return the file of a form and its media type, from the header of the part or the ending of the file name."""

    async def stream() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(raw), _PIECE_BYTES):
            yield raw[start : start + _PIECE_BYTES]
            await asyncio.sleep(0)

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1, max_fields=10).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Invalid(FieldError("", "not a form as multipart/form-data describes it")) from error
    files = [part for part in form.values() if isinstance(part, UploadFile)]
    if len(files) != 1:
        raise Invalid(FieldError("/file", "send one file"))
    ending = "." + (files[0].filename or "").rpartition(".")[2].lower()
    media = media_type(files[0].content_type)
    media = media if media in _FORMATS else _BY_ENDING.get(ending, "")
    if not media:
        raise Unsupported(f"the file must be {CSV} or {XLSX}")
    content = await files[0].read()
    await form.close()
    return media, content


def _view(report: ImportReport) -> ReportView:
    return ReportView(
        created=report.outcomes["created"],
        changed=report.outcomes["changed"],
        unchanged=report.outcomes["unchanged"],
        reinstated=report.outcomes["reinstated"],
        rejected_rows=report.rejected_rows,
        rejected=_rows(report.first()),
        warnings=_rows(report.warnings()),
        problems=[
            ProblemView(column=problem.column, reason=problem.reason, count=problem.count, lines=problem.lines)
            for problem in report.problems()
        ],
    )


def _rows(rejections: Iterable[RowRejection]) -> list[RejectionView]:
    return [
        RejectionView(line=rejection.line, column=rejection.column, reason=rejection.reason) for rejection in rejections
    ]
