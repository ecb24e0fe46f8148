"""Endpoints that take files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.bodies import media_type, read_body
from services.registration.api.problems import Unsupported
from services.registration.domain.errors import FieldError, Invalid
from services.registration.import_files import Columns, FileLimits, Sheet, UnreadableFile, read_csv, read_xlsx
from services.registration.use_cases.import_columns import ORGANISATION_COLUMNS, PARTICIPANT_COLUMNS
from services.registration.use_cases.imports import ImportReport, import_organisations, import_participants

router = APIRouter(prefix="/editions/{edition_id}/imports", tags=["imports"])

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORM = "multipart/form-data"
_READERS: dict[str, Callable[[bytes, Columns, FileLimits], Sheet]] = {CSV: read_csv, XLSX: read_xlsx}
_BY_ENDING = {".csv": CSV, ".xlsx": XLSX}


class RejectionView(BaseModel):
    """A row that was left out. `line` counts the file's lines (a workbook's rows) from 1, the column names included."""

    line: int
    column: str = Field(description="Empty when no single column is at fault.")
    reason: str


class ReportView(BaseModel):
    """What became of a file's rows."""

    created: int
    changed: int
    unchanged: int
    rejected: list[RejectionView]


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
    """Register or change organisations from a file, by name; the same file again changes nothing.

    Columns: `name`, `kind`, `country`; optionally `region`, `delegation`, `interchangeable` (yes or no), `codes`
    (separated by blanks, commas or `|`).
    CSV in UTF-8 with `;` or `,`, or the first sheet of an XLSX file. An empty cell takes an optional field away; a
    column that is not there leaves it alone. Rows at fault are reported, the others are kept. Formulas are refused.
    """
    return _view(await import_organisations(service, edition_id, await _sheet(request, ORGANISATION_COLUMNS.header)))


@router.post("/participants", openapi_extra=_FILE)
async def participants(request: Request, service: CurrentService, edition_id: PathId) -> ReportView:
    """Register or change participants from a file, by e-mail address; the same file again changes nothing.

    Columns: `organisation` (its name, registered before), `name`, `email`, `languages` (`es en`, the first is written
    in); optionally `offers` and `needs` (items separated by `|`), `codes` and `sessions` (separated by blanks, commas
    or `|`). For the rest as the import of organisations. Rows are taken some at a time: of those who ask for the last
    seats of a session, it need not be the first in the file who get them.
    """
    return _view(await import_participants(service, edition_id, await _sheet(request, PARTICIPANT_COLUMNS.header)))


async def _sheet(request: Request, columns: Columns) -> Sheet:
    settings = context_of(request).settings
    media = media_type(request.headers.get("content-type"))
    if media not in {*_READERS, _FORM}:
        raise Unsupported(f"send {CSV}, {XLSX} or {_FORM}")
    raw = await read_body(request, settings.max_import_bytes)
    if media == _FORM:
        media, raw = await _file_of(request, raw)
    limits = FileLimits(settings.max_import_rows, settings.max_unpacked_bytes)
    try:
        # Not on the event loop: a large workbook takes seconds.
        return await asyncio.to_thread(_READERS[media], raw, columns, limits)
    except UnreadableFile as error:
        raise Invalid(FieldError("", str(error))) from error


async def _file_of(request: Request, raw: bytes) -> tuple[str, bytes]:
    """The one file of a form and its media type, told by the part or by the ending of the file's name."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw

    try:
        form = await MultiPartParser(request.headers, stream(), max_files=1, max_fields=10).parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise Invalid(FieldError("", "not a form as multipart/form-data describes it")) from error
    files = [part for part in form.values() if isinstance(part, UploadFile)]
    if len(files) != 1:
        raise Invalid(FieldError("/file", "send one file"))
    ending = "." + (files[0].filename or "").rpartition(".")[2].lower()
    media = media_type(files[0].content_type)
    media = media if media in _READERS else _BY_ENDING.get(ending, "")
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
        rejected=[
            RejectionView(line=rejection.line, column=rejection.column, reason=rejection.reason)
            for rejection in report.rejected
        ],
    )
