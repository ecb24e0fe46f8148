"""Endpoints that return templates of lists to import."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from services.registration.api.access import CurrentService, PathId
from services.registration.api.files import CSV, MEDIA, XLSX, Accepted, Reader, file_docs
from services.registration.api.rights import needs
from services.registration.domain.errors import NotFound
from services.registration.exports.list_files import TEMPLATES, template
from services.registration.exports.service import ExportFormat
from services.registration.exports.words import ExportWords, language_of
from shared.access import Action
from shared.contract.events import Language

router = APIRouter(prefix="/editions/{edition_id}/imports", tags=["imports"])


@router.get("/{kind}/template", response_class=Response, responses=file_docs(CSV))
@router.get("/{kind}/template.csv", response_class=Response, responses=file_docs(CSV))
@needs(Action.READ_EDITIONS)
async def template_csv(
    service: CurrentService, edition_id: PathId, kind: PathId, lang: Reader = None, accept_language: Accepted = ""
) -> Response:
    """Return the headings of a kind of list with an example row, as a CSV file. The example is never imported.

    Headings in all six languages are taken, whatever the language of the template.
    """
    await service.editions.get(edition_id)
    return _template(kind, lang or language_of(accept_language), ExportFormat.CSV)


@router.get("/{kind}/template.xlsx", response_class=Response, responses=file_docs(XLSX))
@needs(Action.READ_EDITIONS)
async def template_workbook(
    service: CurrentService, edition_id: PathId, kind: PathId, lang: Reader = None, accept_language: Accepted = ""
) -> Response:
    """Return the template as an Excel workbook, whose cells offer kinds, countries, languages, and yes or no."""
    await service.editions.get(edition_id)
    return _template(kind, lang or language_of(accept_language), ExportFormat.XLSX)


def _template(kind: str, language: Language, file_format: ExportFormat) -> Response:
    if kind not in TEMPLATES:
        raise NotFound(f"there is no such list; there are {', '.join(TEMPLATES)}")
    headers = {"Content-Disposition": f'attachment; filename="{kind}-{language}.{file_format}"'}
    content = template(kind, ExportWords(language), file_format)
    return Response(content, media_type=MEDIA[file_format], headers=headers)
