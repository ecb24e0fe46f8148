"""HTTP answers: an entity with its revision as `ETag`, or a page of entities with a link to the next (RFC 8288)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel, Field

from services.registration.domain.entity import Entity
from services.registration.domain.errors import FieldError
from services.registration.previews import PreviewGate, PreviewView

AnyEntity = TypeVar("AnyEntity", bound=Entity)


class Page(BaseModel, Generic[AnyEntity]):
    """A page of a list, by id."""

    items: list[AnyEntity]
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class WarningView(BaseModel):
    """Something that a request could not give: a JSON pointer to it, and the reason."""

    pointer: str
    detail: str


class Warned(BaseModel):
    """The warnings beside the fields of an entity."""

    warnings: list[WarningView] = Field(description="Things that could not be given back, with the reasons.")


class Tried(BaseModel):
    """The answer to a dry run: nothing was changed."""

    token: str = Field(description="Confirms the change with exactly these effects, as `?token=`.")
    preview: PreviewView


def tried_or(view: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response of an endpoint that returns the entity, or the answer to a dry run."""
    return {200: {"model": view | Tried, "description": "The entity, or the preview of a dry run."}}


def outcome(gate: PreviewGate, entity: Entity) -> Response:
    """Return 200 with the changed entity; in a dry run, with the preview of the change."""
    if not gate.dry_run:
        return reply(entity)
    previewed = gate.previewed or gate.unchanged(entity)
    return _json(Tried(token=previewed.token, preview=previewed.preview), HTTPStatus.OK, {})


def reply(entity: Entity) -> Response:
    """Return 200 with an entity."""
    return _json(entity, HTTPStatus.OK, {"ETag": f'"{entity.revision}"'})


def warned(view: type[Warned], entity: Entity, warnings: Iterable[FieldError]) -> Response:
    """Return 200 with an entity and warnings."""
    listed = [WarningView(pointer=warning.pointer, detail=warning.detail) for warning in warnings]
    fields = {name: getattr(entity, name) for name in type(entity).model_fields}
    body = view.model_construct(**fields, warnings=listed)
    return _json(body, HTTPStatus.OK, {"ETag": f'"{entity.revision}"'})


def created(entity: Entity, request: Request) -> Response:
    """Return 201 with an entity and its location."""
    location = f"{request.url.path.rstrip('/')}/{entity.id}"
    return _json(entity, HTTPStatus.CREATED, {"ETag": f'"{entity.revision}"', "Location": location})


def page(entities: Sequence[AnyEntity], limit: int, request: Request) -> Response:
    """Return 200 with at most `limit` of the entities. An entity beyond the limit tells that there is a next page."""
    shown: list[Entity] = list(entities[:limit])
    after = shown[-1].id if len(entities) > limit else None
    headers = {}
    if after:
        query = urlencode({**request.query_params, "after": after})
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return _json(Page[Entity].model_construct(items=shown, next=after), HTTPStatus.OK, headers)


def _json(model: BaseModel, status: HTTPStatus, headers: dict[str, str]) -> Response:
    content = model.model_dump_json(serialize_as_any=True)
    return Response(content, status, headers, media_type="application/json")
