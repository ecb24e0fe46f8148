"""Answers out: a thing with its revision as `ETag`, or a page of things with a link to the next (RFC 8288)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel, Field

from services.registration.domain.things import Thing

AnyThing = TypeVar("AnyThing", bound=Thing)


class Page(BaseModel, Generic[AnyThing]):
    """Some of a list, by id."""

    items: list[AnyThing]
    next: str | None = Field(description="What to send as `after` for the next page; null on the last.")


def reply(thing: Thing) -> Response:
    """200 with a thing."""
    return _json(thing, HTTPStatus.OK, {"ETag": f'"{thing.revision}"'})


def created(thing: Thing, request: Request) -> Response:
    """201 with a thing and where it is now."""
    location = f"{request.url.path.rstrip('/')}/{thing.id}"
    return _json(thing, HTTPStatus.CREATED, {"ETag": f'"{thing.revision}"', "Location": location})


def page(things: Sequence[AnyThing], limit: int, request: Request) -> Response:
    """200 with at most `limit` of these, of which the store was asked for one more to see whether there are."""
    shown: list[Thing] = list(things[:limit])
    after = shown[-1].id if len(things) > limit else None
    headers = {}
    if after:
        query = urlencode({**request.query_params, "after": after})
        headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
    return _json(Page[Thing].model_construct(items=shown, next=after), HTTPStatus.OK, headers)


def _json(model: BaseModel, status: HTTPStatus, headers: dict[str, str]) -> Response:
    content = model.model_dump_json(serialize_as_any=True)
    return Response(content, status, headers, media_type="application/json")
