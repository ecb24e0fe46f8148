"""Endpoints that import files."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.registration.amendments import ListCounts
from services.registration.api.access import CurrentService, Gate, PathId, context_of
from services.registration.api.bodies import media_type, read_body
from services.registration.api.files import CSV, MEDIA, XLSX
from services.registration.api.import_replies import (
    RefusedList,
    ReportView,
    refused_list,
    report_view,
)
from services.registration.api.problems import Unsupported
from services.registration.api.rights import needs
from services.registration.change_gate import ChangeGate
from services.registration.confirmation import token_of
from services.registration.domain.edition import Edition
from services.registration.domain.errors import FieldError, Invalid
from services.registration.exports.list_files import marked_copy
from services.registration.exports.service import ExportFormat
from services.registration.import_capacity import ImportProgress
from services.registration.import_files.process import read_file
from services.registration.import_files.sheet import Sheet, UnreadableFile
from services.registration.imports.defaults import defaults_of
from services.registration.imports.mapping import mapping_of
from services.registration.imports.organisations import OrganisationImport
from services.registration.imports.participants import ParticipantImport
from services.registration.imports.people_lists import AvailabilityImport, MatchRequestImport, SessionChoiceImport
from services.registration.imports.plan import ImportPlan, ListImport, planned
from services.registration.imports.rows import ListDefaults
from services.registration.previews import PreviewView, is_announced
from shared.access import Action
from shared.contract.events import Language, OrganisationKind
from shared.runtime.fair_turns import FairTurns

router = APIRouter(prefix="/editions/{edition_id}/imports", tags=["imports"])

_FORM = "multipart/form-data"
#: Media types that clients send for lists; the bytes tell the format. Windows names CSV files after Excel.
_LISTS = frozenset(
    {
        CSV,
        XLSX,
        "",
        "application/csv",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "application/vnd.ms-excel.sheet.macroenabled.12",
        "application/x-www-form-urlencoded",
        "application/zip",
        "binary/octet-stream",
        "text/comma-separated-values",
        "text/plain",
        "text/tab-separated-values",
        "text/x-csv",
    }
)
_PIECE_BYTES = 64 * 1024
_ENDINGS = frozenset({"csv", "tsv", "txt", "xlsx", "xlsm"})

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


@dataclass(frozen=True)
class ListRequest:
    """The parameters of an import beside its file, its dry run and its token."""

    country: str | None
    kind: OrganisationKind | None
    language: Language | None
    sheet: str
    mapping: str | None
    hidden: bool

    def options(self) -> dict[str, Any]:
        """Return the options of the reader of files."""
        return {"sheet": self.sheet, "hidden": self.hidden}

    def defaults(self, edition: Edition) -> ListDefaults:
        """Return the values of fields that the list leaves out. Raises `Invalid`."""
        return defaults_of(edition, self.country, self.kind, self.language)


async def _list_request(
    country: Annotated[
        str | None, Query(max_length=100, description="Country of new organisations whose rows name none.")
    ] = None,
    kind: Annotated[
        OrganisationKind | None, Query(description="Kind of new organisations whose rows name none.")
    ] = None,
    language: Annotated[
        Language | None, Query(description="Language of new participants whose rows name none.")
    ] = None,
    sheet: Annotated[
        str, Query(max_length=100, description="Name of a workbook's sheet; else the sheet whose headings fit best.")
    ] = "",
    mapping: Annotated[
        str | None,
        Query(
            max_length=20_000,
            description="JSON object of fields by heading or column letter; an empty field ignores the column. It is "
            "remembered for the operator's next lists of this kind; `{}` forgets it.",
        ),
    ] = None,
    hidden: Annotated[
        bool, Query(description="Read the hidden rows of a workbook too; else they are counted and left.")
    ] = False,
) -> ListRequest:
    return ListRequest(country, kind, language, sheet, mapping, hidden)


Parameters = Annotated[ListRequest, Depends(_list_request)]


@router.post("/organisations", openapi_extra=_FILE, response_model=ReportView)
@needs(Action.IMPORT)
async def organisations(
    request: Request, service: CurrentService, edition_id: PathId, parameters: Parameters, gate: Gate
) -> Response:
    """Register or change organisations from a list, by name. Importing the same file again changes nothing.

    The list is a CSV file or a workbook as people have it: the row of headings is found, headings are known in six
    languages, and unknown columns are ignored. A row of a cancelled organisation reinstates it, and the participants
    that were cancelled with it. An empty cell clears an optional field; a missing column leaves the field unchanged.
    Faulty rows are reported, correct rows are imported. With `dry_run` nothing is written, and `Accept: text/csv`
    returns a marked copy of the list. An operator has one import at a time: another is refused with 429.
    """
    edition = await service.editions.get_changeable(edition_id)
    kind = OrganisationImport(service, edition_id, parameters.defaults(edition))
    return await _imported(request, "organisations", kind, edition, parameters, gate)


@router.post("/participants", openapi_extra=_FILE, response_model=ReportView)
@needs(Action.IMPORT)
async def participants(
    request: Request, service: CurrentService, edition_id: PathId, parameters: Parameters, gate: Gate
) -> Response:
    """Register or change participants from a list, by e-mail address. Importing the same file again changes nothing.

    Organisations that are not registered are made along the way. Several people may share a mailbox. A row of a
    cancelled participant reinstates the participant. `warnings` names full sessions: the participant waits in line.
    Several rows are written concurrently, so the last seats of a session do not always go to the first rows of the
    file. The format is that of the import of organisations.
    """
    edition = await service.editions.get_changeable(edition_id)
    kind = ParticipantImport(service, edition_id, parameters.defaults(edition))
    return await _imported(request, "participants", kind, edition, parameters, gate)


@router.post("/match-requests", openapi_extra=_FILE, response_model=ReportView)
@needs(Action.IMPORT)
async def match_requests(
    request: Request, service: CurrentService, edition_id: PathId, parameters: Parameters, gate: Gate
) -> Response:
    """Make match requests from a list of requesters and targets, each by address, name or own id.

    A row without a target asks for proposals; `partners_wanted` is their number. A request that exists is unchanged.
    """
    edition = await service.editions.get_changeable(edition_id)
    return await _imported(
        request, "match-requests", MatchRequestImport(service, edition_id), edition, parameters, gate
    )


@router.post("/availability", openapi_extra=_FILE, response_model=ReportView)
@needs(Action.IMPORT)
async def availability(
    request: Request, service: CurrentService, edition_id: PathId, parameters: Parameters, gate: Gate
) -> Response:
    """Set the times in which participants can meet, from a list of participants and local times.

    The rows of a participant together replace the times before, and count as a single row.
    """
    edition = await service.editions.get_changeable(edition_id)
    return await _imported(request, "availability", AvailabilityImport(service, edition_id), edition, parameters, gate)


@router.post("/session-choices", openapi_extra=_FILE, response_model=ReportView)
@needs(Action.IMPORT)
async def session_choices(
    request: Request, service: CurrentService, edition_id: PathId, parameters: Parameters, gate: Gate
) -> Response:
    """Add sessions to the choices of participants, from a list of participants and sessions.

    Sessions are named by id or title. The rows of a participant count as a single row.
    """
    edition = await service.editions.get_changeable(edition_id)
    return await _imported(request, "session-choices", SessionChoiceImport(service, edition), edition, parameters, gate)


async def _imported(
    request: Request, vocabulary: str, kind: ListImport, edition: Edition, parameters: ListRequest, gate: ChangeGate
) -> Response:
    """Plan a list, and write it unless it is a dry run, or needs the token of its preview.

    Raises:
        ImportRunning: the operator has an import already, or no place is free for a file.
        PreviewRequired: the list changes more than the edition allows without a token.
        PreviewStale: the token confirms different effects.
        ServiceUnavailable: the scheduler cannot tell the effects of a list that needs a look.
    """
    operator_id = kind.service.unit_of_work.repository.operator_id
    mappings = context_of(request).mappings
    given = None if parameters.mapping is None else mapping_of(parameters.mapping, vocabulary)
    mapping = await mappings.find(operator_id, vocabulary) if given is None else given
    async with _read(request, kind, vocabulary, parameters, mapping) as (sheet, digest, turns, progress):
        kind.courtesy, kind.progress = context_of(request).imports.courtesy, progress
        plan = await planned(kind, sheet, turns)
        if gate.dry_run and (marked := _marked(request)):
            return await _copy(sheet, plan, vocabulary, marked)
        content = (vocabulary, digest, asdict(parameters) | {"mapping": mapping}, plan.bases)

        def shown(token: str, preview: PreviewView) -> RefusedList:
            return refused_list(report_view(plan.report(), token), preview)

        if not await gate.admits_list(edition, plan.steps, content, shown, _unseen(plan, edition)):
            token, preview = gate.looked_at
            # Each match request would be a decision of matching: its effects are not looked at.
            is_known = gate.effects.are_known and vocabulary != "match-requests"
            return _answer(report_view(plan.report(), token, preview if is_known else None))
        if given is not None:
            await mappings.keep(operator_id, vocabulary, given)
        async with gate.amends_list(edition, _counts(plan, vocabulary), kind.service.unit_of_work.clock()):
            report = await plan.write(turns)
        return _answer(report_view(report).model_copy(update={"amendment_id": gate.amendment_id}))


def _counts(plan: ImportPlan, vocabulary: str) -> ListCounts:
    outcomes = Counter(row.outcome for row in plan.rows)
    return ListCounts(
        list=vocabulary,
        created=outcomes["created"],
        changed=outcomes["changed"],
        reinstated=outcomes["reinstated"],
    )


def _unseen(plan: ImportPlan, edition: Edition) -> str | None:
    """Return the reason to look at a list whose effects no scheduler tells; None if it changes few entries."""
    if not is_announced(edition) or plan.changed_rows <= edition.preview_above_people:
        return None
    return (
        f"the list changes {plan.changed_rows} entries that are registered; agendas are announced, and the edition "
        f"lets {edition.preview_above_people} pass unseen (preview_above_people)"
    )


def _answer(view: ReportView) -> Response:
    return Response(view.model_dump_json(), media_type="application/json")


def _marked(request: Request) -> ExportFormat | None:
    """Return the format in which a marked copy is wanted; None if the report is wanted."""
    accepted = request.headers.get("accept", "")
    return ExportFormat.CSV if CSV in accepted else ExportFormat.XLSX if XLSX in accepted else None


async def _copy(sheet: Sheet, plan: ImportPlan, vocabulary: str, file_format: ExportFormat) -> Response:
    content = await asyncio.to_thread(marked_copy, sheet, plan.report(), file_format)
    headers = {"Content-Disposition": f'attachment; filename="{vocabulary}-checked.{file_format}"'}
    return Response(content, media_type=MEDIA[file_format], headers=headers)


@asynccontextmanager
async def _read(
    request: Request, kind: ListImport, vocabulary: str, parameters: ListRequest, mapping: Mapping[str, str]
) -> AsyncIterator[tuple[Sheet, str, FairTurns, ImportProgress]]:
    """Admit an import, then read its file. Yields the list, the digest of the file, its turns, and its progress.

    Raises:
        ImportRunning: the operator has an import already, or no place is free for a file.
    """
    imports = context_of(request).imports
    operator_id = kind.service.unit_of_work.repository.operator_id
    with imports.admitted(operator_id) as progress:
        progress.edition_id, progress.list = request.path_params["edition_id"], vocabulary
        raw = await _file(request)
        async with imports.turn(operator_id):
            try:
                options = parameters.options() | {"marks": kind.marks, "whole": _marked(request) is not None}
                sheet = await read_file(raw, vocabulary, context_of(request).settings, mapping=mapping, **options)
            except UnreadableFile as error:
                raise Invalid(FieldError("", str(error))) from error
            digest = token_of(raw)
            del raw
            yield sheet, digest, imports.slices, progress


async def _file(request: Request) -> bytes:
    """Return the bytes of the file. Raises `Unsupported` and `Invalid`."""
    media = media_type(request.headers.get("content-type"))
    if media not in _LISTS | {_FORM}:
        raise Unsupported(f"send {CSV}, {XLSX} or {_FORM}")
    raw = await read_body(request, context_of(request).settings.max_import_bytes)
    return await _file_of(request, raw) if media == _FORM else raw


async def _file_of(request: Request, raw: bytes) -> bytes:
    """Return the file of a form."""

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
    ending = (files[0].filename or "").rpartition(".")[2].lower()
    if media_type(files[0].content_type) not in _LISTS and ending not in _ENDINGS:
        raise Unsupported(f"the file must be {CSV} or {XLSX}")
    content = await files[0].read()
    await form.close()
    return content
