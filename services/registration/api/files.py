"""Media types of files, and the parameters of endpoints that return them."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Header, Query

from services.registration.exports.service import ExportFormat
from shared.contract.events import Language

CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA: Final = {ExportFormat.CSV: f"{CSV}; charset=utf-8", ExportFormat.XLSX: XLSX}
_BINARY: Final = {"type": "string", "format": "binary"}

Reader = Annotated[
    Language | None, Query(alias="lang", description="Language of headings and words; else that of `Accept-Language`.")
]
Accepted = Annotated[str, Header(max_length=1000, include_in_schema=False)]


def file_docs(*media: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of an endpoint that returns a file."""
    return {200: {"description": "The file.", "content": {kind: {"schema": _BINARY} for kind in media}}}


def attachment(name: str) -> str:
    """Return the header of a file to save (RFC 6266): the name in UTF-8, and in ASCII for old clients."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
