"""Errors as problem details (RFC 9457): the table from exceptions to problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.types import Scope

from services.registration.api.admission import TooManyAtOnce, TooManyRequests
from services.registration.authenticator import TooManyRefusals, UnknownKey
from services.registration.domain.agenda import EditBreaksRules, MissingIfMatch
from services.registration.domain.errors import (
    AtRevision,
    CeilingReached,
    ConfirmationRequired,
    Conflict,
    FieldError,
    IfMatchRequired,
    Invalid,
    KeyReused,
    Malformed,
    NotFound,
    PreviewError,
    PreviewRequired,
    PreviewStale,
    Stale,
)
from services.registration.domain.parsing import MOST_FAULTS, pointer_to
from services.registration.import_capacity import ImportRunning
from services.registration.internal_clients import ServiceDeclined, ServiceUnavailable
from services.registration.waiting_readers import TooManyReaders
from shared.access import MissingRight, NotVisible
from shared.contract.fault_words import reason_of
from shared.internal_api.edit_errors import EditErrorCode, by_status

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_SECONDS = "2"
_IMPORT_RETRY_SECONDS = "10"


class TooLarge(Exception):
    """The body has too many bytes; the message says how many are accepted."""


class Unsupported(Exception):
    """The endpoint does not accept the media type of the body; the message lists the accepted types."""


class FaultView(BaseModel):
    """A fault of the request: a JSON pointer into the body, or the name of a parameter, and the reason."""

    pointer: str
    detail: str
    slug: str | None = Field(default=None, description="The rule of a fact that cannot be; stable.")
    value: str | None = Field(default=None, description="The value that cannot be.")


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(description="URN of the kind of problem; stable.")
    title: str
    status: int
    detail: str
    instance: str
    etag: str | None = Field(default=None, description="The ETag of the entity now, to be sent as `If-Match`.")
    errors: list[FaultView] | None = Field(default=None, description="The faults of the request, if it has any.")
    token: str | None = Field(default=None, description="Confirms the change with these effects, as `?token=`.")
    preview: dict[str, Any] | None = Field(
        default=None,
        description="The effects that the change would have: as the dry run of the same request shows them.",
    )


@dataclass(frozen=True)
class ProblemKind:
    """A kind of problem, with its HTTP status and headers."""

    status: HTTPStatus
    slug: str
    title: str
    headers: Mapping[str, str] = field(default_factory=dict)


_AWAY = ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "away", "Try again soon", {"Retry-After": _RETRY_AFTER_SECONDS})
_NOT_FOUND = ProblemKind(HTTPStatus.NOT_FOUND, "not-found", "There is no such resource")
_KINDS: dict[type[Exception], ProblemKind] = {
    Malformed: ProblemKind(HTTPStatus.BAD_REQUEST, "malformed", "The body is not JSON"),
    UnknownKey: ProblemKind(
        HTTPStatus.UNAUTHORIZED,
        "unauthorised",
        "A valid API key is needed",
        {"WWW-Authenticate": 'Bearer realm="tertulia"'},
    ),
    TooManyRefusals: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-refusals", "Too many keys of this source were refused"
    ),
    MissingRight: ProblemKind(HTTPStatus.FORBIDDEN, "forbidden", "A right is missing"),
    NotVisible: _NOT_FOUND,
    NotFound: _NOT_FOUND,
    CeilingReached: ProblemKind(HTTPStatus.CONFLICT, "ceiling-reached", "The operator may have no more of these"),
    Conflict: ProblemKind(HTTPStatus.CONFLICT, "conflict", "The present state does not allow it"),
    Stale: ProblemKind(HTTPStatus.PRECONDITION_FAILED, "stale", "It has changed meanwhile"),
    TooLarge: ProblemKind(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The body is too large", {"Connection": "close"}
    ),
    Unsupported: ProblemKind(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The media type is not taken here"
    ),
    Invalid: ProblemKind(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", "The request is not valid"),
    EditBreaksRules: ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "rules-broken", "It would break rules that nothing may break"
    ),
    MissingIfMatch: ProblemKind(HTTPStatus.PRECONDITION_REQUIRED, "unguarded", "If-Match is needed"),
    IfMatchRequired: ProblemKind(HTTPStatus.PRECONDITION_REQUIRED, "if-match-required", "If-Match is needed"),
    ConfirmationRequired: ProblemKind(
        HTTPStatus.PRECONDITION_REQUIRED, "confirmation-required", "A confirmation is needed"
    ),
    PreviewRequired: ProblemKind(
        HTTPStatus.PRECONDITION_REQUIRED, "preview-required", "Look at the preview before you confirm it"
    ),
    PreviewStale: ProblemKind(
        HTTPStatus.PRECONDITION_FAILED, "preview-stale", "The effects differ from those of the preview"
    ),
    KeyReused: ProblemKind(
        HTTPStatus.UNPROCESSABLE_ENTITY, "key-reused", "The idempotency key was used for another request"
    ),
    ImportRunning: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "import-running",
        "One import at a time",
        {"Retry-After": _IMPORT_RETRY_SECONDS},
    ),
    ServiceUnavailable: _AWAY,
    TooManyRequests: ProblemKind(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", "The operator calls too often"),
    TooManyReaders: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-readers",
        "Too many readers of the operator wait",
        {"Retry-After": _RETRY_AFTER_SECONDS},
    ),
    TooManyAtOnce: ProblemKind(
        HTTPStatus.TOO_MANY_REQUESTS, "too-many-at-once", "Too many calls of the operator are under way"
    ),
}
_DEFECT = ProblemKind(HTTPStatus.INTERNAL_SERVER_ERROR, "defect", "A defect of the service")


def _documented(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _types(codes: Iterable[str]) -> str:
    return ", ".join(f"`{_type_of(code)}`" for code in codes)


def _type_of(slug: str) -> str:
    return f"urn:tertulia:problem:{slug}"


def _phrase_of(status: HTTPStatus) -> str:
    """Return the phrase of a status, with the types of its problems if there are several."""
    slugs = {kind.slug: None for kind in _KINDS.values() if kind.status is status}
    return f"{status.phrase}. The type is one of: {_types(slugs)}" if len(slugs) > 1 else status.phrase


#: Answers that every endpoint may give, for the OpenAPI document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: _documented(_phrase_of(HTTPStatus(status)))
    for status in (400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428, 429, 431, 503)
}
for _again in (429, 503):
    RESPONSES[_again]["headers"] = {
        "Retry-After": {"description": "Seconds after which to try again.", "schema": {"type": "integer"}}
    }


def rejections(codes: Iterable[EditErrorCode]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of an endpoint whose requests the scheduler may reject.

    A response lists the problem types of these codes besides the general types of its status.
    """
    return {
        int(status): _documented(f"{status.phrase}. The type is a general one, or one of: {_types(some)}")
        for status, some in by_status(codes).items()
    }


def install(app: FastAPI) -> None:
    """Answer every exception of the table, and the exceptions of the framework, with a problem."""
    for exception in _KINDS:
        app.add_exception_handler(exception, _on_known)
    app.add_exception_handler(ServiceDeclined, _on_declined)
    app.add_exception_handler(RequestValidationError, _on_parameters)
    app.add_exception_handler(HTTPException, _on_framework)


def unavailable(scope: Scope) -> Response:
    """Return 503: the database does not answer."""
    return _response(_AWAY, "the database does not answer; nothing is known to be wrong with the request", scope)


def defect(scope: Scope) -> Response:
    """Return 500: an unexpected exception."""
    return _response(_DEFECT, "it has been logged; the request may or may not have been carried out", scope)


def refused(scope: Scope, error: Exception) -> Response:
    """Return the problem of a refusal, before the framework has seen the request."""
    return _known(scope, error)


async def _on_known(request: Request, error: Exception) -> Response:
    return _known(request.scope, error)


def _known(scope: Scope, error: Exception) -> Response:
    kind = next(_KINDS[ancestor] for ancestor in type(error).__mro__ if ancestor in _KINDS)
    if isinstance(error, TooManyRefusals):
        kind = replace(kind, headers={"Retry-After": str(error.seconds)})
    if isinstance(error, TooManyRequests):
        kind = replace(kind, headers={"Retry-After": error.retry_after})
    faults = error.faults if isinstance(error, Invalid) else ()
    etag = f'"{error.revision}"' if isinstance(error, AtRevision) else None
    previewed = error if isinstance(error, PreviewError) else None
    return _response(kind, str(error) or kind.title, scope, faults, etag, previewed)


async def _on_declined(request: Request, error: Exception) -> Response:
    """Pass on the problem with which another service declined."""
    assert isinstance(error, ServiceDeclined)  # noqa: S101 - the one exception this handles
    status = HTTPStatus(error.status)
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if status is HTTPStatus.TOO_MANY_REQUESTS else {}
    return _response(
        ProblemKind(status, error.slug, status.phrase, headers), str(error) or status.phrase, request.scope
    )


async def _on_parameters(request: Request, error: Exception) -> Response:
    """Answer an invalid path, query or header parameter."""
    details = error.errors()[:MOST_FAULTS] if isinstance(error, RequestValidationError) else ()
    faults = [FieldError(pointer_to(detail["loc"]), reason_of(detail)) for detail in details]
    return await _on_known(request, Invalid(*faults))


async def _on_framework(request: Request, error: Exception) -> Response:
    """Answer an unknown route or method."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if "Allow" in headers:  # Starlette writes the methods in the order of a set, which differs by process
        headers["Allow"] = ", ".join(sorted(headers["Allow"].split(", ")))
    slug = status.phrase.lower().replace(" ", "-")
    return _response(
        ProblemKind(status, slug, status.phrase, headers), status.description or status.phrase, request.scope
    )


def _fault(fault: FieldError) -> FaultView:
    return FaultView(pointer=fault.pointer, detail=fault.detail, slug=fault.slug or None, value=fault.value or None)


def _response(
    kind: ProblemKind,
    detail: str,
    scope: Scope,
    faults: tuple[FieldError, ...] = (),
    etag: str | None = None,
    previewed: PreviewError | None = None,
) -> Response:
    problem = Problem(
        type=_type_of(kind.slug),
        title=kind.title,
        status=kind.status,
        detail=detail[:1000],
        instance=scope.get("raw_path", b"").decode("ascii", "replace"),
        etag=etag,
        errors=[*map(_fault, faults)] or None,
        token=previewed and previewed.token,
        preview=previewed and previewed.preview.model_dump(mode="json"),
    )
    headers = {**kind.headers, "Content-Type": MEDIA_TYPE} | ({"ETag": etag} if etag else {})
    return Response(to_json(problem, exclude_none=True), kind.status, headers)
