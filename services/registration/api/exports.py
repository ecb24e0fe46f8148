"""Endpoints that export an edition as files for people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.files import CSV, MEDIA, XLSX, Accepted, Reader, attachment, file_docs
from services.registration.api.rights import needs
from services.registration.domain.errors import NotFound
from services.registration.exports.service import EXPORTS, ExportFormat, export
from services.registration.exports.tables import ExportSource
from services.registration.exports.words import ExportWords, language_of
from services.registration.service import OperatorService
from shared.access import Action
from shared.contract.events import Language

router = APIRouter(prefix="/editions/{edition_id}/exports", tags=["exports"])

_PIECE_BYTES: Final = 64 * 1024

Cancelled = Annotated[
    bool, Query(description="Whether cancelled participants, organisations and requests are included.")
]


@router.get("/{kind}.csv", response_class=Response, responses=file_docs(CSV))
@needs(Action.EXPORT)
async def export_csv(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    kind: PathId,
    lang: Reader = None,
    cancelled: Cancelled = False,
    accept_language: Accepted = "",
) -> Response:
    """Export a list of the edition as a CSV file that Excel opens in the reader's language.

    UTF-8 with its mark; commas between the cells in English, semicolons in the five further languages, as in Excel.
    Times are local times of the edition. The lists of participants, organisations and match requests can be imported
    again unchanged. A text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    source = await _source(request, service, edition_id, lang or language_of(accept_language), cancelled)
    return await _file(request, source, kind, ExportFormat.CSV)


@router.get("/{kind}.xlsx", response_class=Response, responses=file_docs(XLSX))
@needs(Action.EXPORT)
async def export_workbook(
    request: Request,
    service: CurrentService,
    edition_id: PathId,
    kind: PathId,
    lang: Reader = None,
    cancelled: Cancelled = False,
    accept_language: Accepted = "",
) -> Response:
    """Export a list of the edition as an Excel workbook, with the rows of the CSV file.

    Days and times are dates of the spreadsheet. A text that begins as a formula is kept as a quoted text.
    """
    source = await _source(request, service, edition_id, lang or language_of(accept_language), cancelled)
    return await _file(request, source, kind, ExportFormat.XLSX)


async def _source(
    request: Request,
    service: OperatorService,
    edition_id: str,
    language: Language,
    cancelled: bool,
) -> ExportSource:
    edition = await service.editions.get(edition_id)
    repository, clients = service.unit_of_work.repository, context_of(request).clients
    return ExportSource(repository, clients, edition, ExportWords(language), with_cancelled=cancelled)


async def _file(request: Request, source: ExportSource, kind: str, file_format: ExportFormat) -> Response:
    """Return a finished export. Raises `NotFound`."""
    if kind not in EXPORTS:
        raise NotFound(f"there is no such export; there are {', '.join(EXPORTS)}")
    today = context_of(request).clock().astimezone(ZoneInfo(source.edition.timezone)).date()
    file = await export(source, kind, file_format, today)
    headers = {"Content-Disposition": attachment(file.name), "Cache-Control": "no-store"}
    return StreamingResponse(_pieces(file.content), media_type=MEDIA[file_format], headers=headers)


async def _pieces(content: IO[bytes]) -> AsyncIterator[bytes]:
    with content:
        while piece := content.read(_PIECE_BYTES):
            yield piece
