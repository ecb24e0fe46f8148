"""HTTP answers: an entity with its revision as `ETag`, or a page of entities with a link to the next (RFC 8288)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from services.registration.api.sight import visible
from services.registration.change_gate import ChangeGate
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import FieldError
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.previews import PreviewView
from services.registration.service import OperatorService

AnyEntity = TypeVar("AnyEntity", bound=Entity)


class Page(BaseModel, Generic[AnyEntity]):
    """A page of a list, by id."""

    items: list[AnyEntity]
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class WarningView(BaseModel):
    """A doubtful fact of an entity, or something that a request could not give."""

    slug: str = Field(description="The rule that warns; stable.")
    where: str = Field(description="JSON pointer to the field.")
    value: str = Field(description="The doubtful value; empty if the message tells it.")
    message: str = Field(description="The fault in words, and the remedy.")
    pointer: str = Field(description="The same as `where`, as in `errors` of a problem.")
    detail: str = Field(description="The same as `message`, as in `errors` of a problem.")

    @classmethod
    def of(cls, warning: FieldError) -> WarningView:
        """Return the view of a warning."""
        return cls(
            slug=warning.slug or "not-given",
            where=warning.pointer,
            value=warning.value,
            message=warning.detail,
            pointer=warning.pointer,
            detail=warning.detail,
        )


class Warned(BaseModel):
    """The warnings beside the fields of an entity."""

    warnings: list[WarningView] = Field(
        default=[], description="Doubtful facts, and things that could not be given; left out if there are none."
    )


class WarnedEdition(Edition, Warned):
    """An edition, with warnings about its facts."""


class WarnedOrganisation(Organisation, Warned):
    """An organisation, with warnings about its facts."""


class WarnedParticipant(Participant, Warned):
    """A participant, with warnings about the facts."""


class Tried(Warned):
    """The answer to a dry run: nothing was changed. The warnings are of the facts after the change."""

    token: str = Field(description="Confirms the change with exactly these effects, as `?token=`.")
    preview: PreviewView


def tried_or(view: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of an endpoint that returns the entity, or the answer to a dry run."""
    return {200: {"model": view | Tried, "description": "The entity, or the preview of a dry run."}}


async def outcome(
    service: OperatorService, gate: ChangeGate, entity: Entity, more: Iterable[FieldError] = ()
) -> Response:
    """Return 200 with the changed entity, its warnings and `more`; in a dry run, with the preview and the warnings."""
    warnings = (*more, *await service.warnings(entity))
    if not gate.dry_run:
        return _with_warnings(entity, warnings, HTTPStatus.OK, _etag(entity) | amendment_header(gate))
    return _with_warnings(tried(gate, entity), warnings, HTTPStatus.OK, {})


def amendment_header(gate: ChangeGate) -> dict[str, str]:
    """Return the header that names the amendment of a change; none if the change leaves none."""
    return {"Tertulia-Amendment": gate.amendment_id} if gate.amendment_id else {}


def tried(gate: ChangeGate, entity: Entity) -> Tried:
    """Return the answer to a dry run, without the warnings."""
    previewed = gate.previewed or gate.unchanged(entity)
    return Tried(token=previewed.token, preview=previewed.preview)


def reply(entity: Entity) -> Response:
    """Return 200 with an entity."""
    return _json(visible(entity), HTTPStatus.OK, _etag(entity))


def warned(view: type[Warned], entity: Entity, warnings: Iterable[FieldError]) -> Response:
    """Return 200 with an entity and a list of warnings, which may be empty."""
    fields = {name: getattr(entity, name) for name in type(entity).model_fields}
    body = view.model_construct(**fields, warnings=[*map(WarningView.of, warnings)])
    return _json(visible(body), HTTPStatus.OK, _etag(entity))


async def created(service: OperatorService, entity: Entity, request: Request) -> Response:
    """Return 201 with an entity and its location, and its warnings if there are any."""
    collection = request.url.path.partition("/by-external-id/")[0].rstrip("/")
    location = f"{collection}/{entity.id}"
    return _with_warnings(
        entity, await service.warnings(entity), HTTPStatus.CREATED, _etag(entity) | {"Location": location}
    )


def page(entities: Sequence[AnyEntity], limit: int, request: Request) -> Response:
    """Return 200 with at most `limit` of the entities. An entity beyond the limit tells that there is a next page."""
    shown: list[Entity] = list(entities[:limit])
    after = shown[-1].id if len(entities) > limit else None
    headers = {}
    if after:
        query = urlencode({**request.query_params, "after": after})
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return _json({"items": [*map(visible, shown)], "next": after}, HTTPStatus.OK, headers)


def found(entities: Sequence[Entity], limit: int) -> Response:
    """Return 200 with at most `limit` of the entities that a search found."""
    shown = [*map(visible, entities[:limit])]
    return _json({"items": shown, "more": len(entities) > limit}, HTTPStatus.OK, {})


def _with_warnings(
    answer: BaseModel, warnings: Iterable[FieldError], status: HTTPStatus, headers: dict[str, str]
) -> Response:
    """Return an answer with the warnings; without the field if there are none."""
    body = {name: value for name, value in visible(answer).items() if name != "warnings"}
    if listed := [WarningView.of(warning).model_dump() for warning in warnings]:
        body["warnings"] = listed
    return Response(to_json(body), status, headers, media_type="application/json")


def _etag(entity: Entity) -> dict[str, str]:
    return {"ETag": f'"{entity.revision}"'}


def _json(body: dict[str, Any], status: HTTPStatus, headers: dict[str, str]) -> Response:
    return Response(to_json(body), status, headers, media_type="application/json")
