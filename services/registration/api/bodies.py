"""Request bodies: the key is checked first, then the size and the media type, then the JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.registration.api.access import CurrentService, context_of
from services.registration.api.problems import Problem, TooLarge, Unsupported
from services.registration.domain.agenda import AttendanceFacts, EditFacts
from services.registration.domain.consents import ConsentFacts
from services.registration.domain.edition import EditionFacts, SessionFacts, ZoneFacts
from services.registration.domain.edition_parts import FillingFacts
from services.registration.domain.entity import Facts
from services.registration.domain.match_request import MatchRequestFacts, OwnRequestFacts
from services.registration.domain.members import PostponementFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.parsing import parse_facts, parse_patch
from services.registration.domain.participant import MergeFacts, ParticipantFacts, ReplacementFacts
from services.registration.domain.profile_text import ProfileTextFacts
from services.registration.domain.webhooks import (
    NewWebhookFacts,
    WebhookFacts,
    WebhookReplayFacts,
    WebhookSecretFacts,
)
from services.registration.keys import KeyFacts, RotationFacts
from services.registration.retention import RetentionFacts
from services.registration.staff.accounts import LinkFacts, SignInFacts, StaffFacts
from services.registration.use_cases.addresses import AddressFacts

AnyFacts = TypeVar("AnyFacts", bound=Facts)

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
_ANONYMOUS_BYTES = 4096
_KINDS: tuple[type[Facts], ...] = (
    EditionFacts,
    OrganisationFacts,
    ParticipantFacts,
    StaffFacts,
    WebhookFacts,
)

#: Bodies that create no entity, so that there is nothing to patch.
_ACTIONS: tuple[type[Facts], ...] = (
    AddressFacts,
    AttendanceFacts,
    ConsentFacts,
    EditFacts,
    FillingFacts,
    KeyFacts,
    LinkFacts,
    MatchRequestFacts,
    MergeFacts,
    NewWebhookFacts,
    OwnRequestFacts,
    PostponementFacts,
    ProfileTextFacts,
    ReplacementFacts,
    RetentionFacts,
    RotationFacts,
    SessionFacts,
    SignInFacts,
    WebhookReplayFacts,
    WebhookSecretFacts,
    ZoneFacts,
)


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Read the whole body, counting its bytes: `Content-Length` may be missing or wrong. Raises `TooLarge`."""
    chunks: list[bytes] = []
    left = most_bytes
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced[:20]) > most_bytes:
        raise TooLarge(f"at most {most_bytes} bytes are taken")
    async for chunk in request.stream():
        left -= len(chunk)
        if left < 0:
            raise TooLarge(f"at most {most_bytes} bytes are taken")
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(value: str | None) -> str:
    """Return a media type without its parameters, in lower case; empty if none is given."""
    return (value or "").partition(";")[0].strip().lower()


def body_of(kind: type[AnyFacts]) -> Any:  # noqa: ANN401 - what Depends returns stands for the body
    """Return the dependency that reads the body as facts of this kind."""

    async def read(request: Request, _: CurrentService) -> AnyFacts:
        return parse_facts(kind, await _json(request, JSON))

    return Depends(read)


def anonymous_body_of(kind: type[AnyFacts]) -> Any:  # noqa: ANN401 - as above
    """Return the dependency that reads the body of a request without a credential, of a few KiB at most."""

    async def read(request: Request) -> AnyFacts:
        return parse_facts(kind, await _json(request, JSON, most_bytes=_ANONYMOUS_BYTES))

    return Depends(read)


async def _patch(request: Request, _: CurrentService) -> dict[str, Any]:
    return parse_patch(await _json(request, MERGE_PATCH, JSON))


PatchBody = Annotated[dict[str, Any], Depends(_patch)]


def body_docs(kind: type[Facts]) -> dict[str, Any]:
    """Return the OpenAPI entry of a body of these facts."""
    return _request_body(JSON, kind.__name__)


def patch_docs(kind: type[Facts]) -> dict[str, Any]:
    """Return the OpenAPI entry of a merge patch of these facts."""
    return _request_body(MERGE_PATCH, _patch_name(kind))


def body_schemas() -> dict[str, Any]:
    """Return the OpenAPI components that `body_docs`, `patch_docs` and the problems refer to."""
    kinds: list[type[BaseModel]] = [*_KINDS, *_ACTIONS, Problem]
    documented: list[tuple[type[BaseModel], Literal["validation"]]] = [(kind, "validation") for kind in kinds]
    _, made = models_json_schema(documented, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = made["$defs"]
    for kind in _KINDS:
        whole = schemas[kind.__name__]
        schemas[_patch_name(kind)] = {
            **{name: value for name, value in whole.items() if name != "required"},
            "title": _patch_name(kind),
            "description": "Any of these fields; null resets a field to its default (RFC 7396).",
        }
    return schemas


async def _json(request: Request, *media_types: str, most_bytes: int | None = None) -> bytes:
    if media_type(request.headers.get("content-type")) not in media_types:
        raise Unsupported(f"send {' or '.join(media_types)}")
    return await read_body(request, most_bytes or context_of(request).settings.max_body_bytes)


def _patch_name(kind: type[Facts]) -> str:
    return kind.__name__.removesuffix("Facts") + "Patch"


def _request_body(media: str, schema: str) -> dict[str, Any]:
    content = {media: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}
