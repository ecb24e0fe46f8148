"""Endpoints of API keys: for owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentKeys, CurrentPrincipal, CurrentService, PathId, context_of
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.rights import needs
from services.registration.domain.edition import Edition
from services.registration.domain.errors import FieldError, Invalid
from services.registration.keys import KeyFacts, OperatorKey, RotationFacts
from services.registration.service import OperatorService
from shared.access import Action, Scope
from shared.contract.events import Instant

router = APIRouter(prefix="/keys", tags=["keys"])


class KeyView(BaseModel):
    """An API key with its rights. The secret of a key is shown once, when the key is made."""

    key_id: str
    label: str
    scopes: list[Scope]
    editions: list[str] | None = Field(description="Editions that the key opens; null: all.")
    created_at: Instant | None = Field(description="Null for keys of before.")
    created_by: str = Field(description="The principal that made the key; empty for keys of before.")
    expires_at: Instant | None
    last_used_at: Instant | None = Field(description="Written once a minute at most.")
    revoked: bool
    works: bool = Field(description="Whether the key is neither revoked nor expired.")


class NewKeyView(KeyView):
    """An API key that was made just now."""

    key: str = Field(description="The key to send as `Authorization: Bearer`. It is kept as a hash: store it now.")


class Keys(BaseModel):
    """The keys of the operator, oldest first."""

    items: list[KeyView]


@router.post("", status_code=201, response_model=NewKeyView, openapi_extra=body_docs(KeyFacts))
@needs(Action.MANAGE_KEYS)
async def create_key(
    request: Request, service: CurrentService, keys: CurrentKeys, facts: Annotated[KeyFacts, body_of(KeyFacts)]
) -> Response:
    """Make an API key. If the answer is lost, revoke the key, which the list names, and make another."""
    await must_have_editions(service, facts.editions)
    return _made(request, *await keys.create(facts))


@router.get("")
@needs(Action.MANAGE_KEYS)
async def list_keys(request: Request, keys: CurrentKeys) -> Keys:
    """List the API keys of the operator, also ended keys."""
    found, uses = await keys.list_keys()
    return Keys(items=[_view(request, key, uses.get(key.id)) for key in found])


@router.delete("/{key_id}", response_model=KeyView)
@needs(Action.MANAGE_KEYS)
async def revoke_key(request: Request, keys: CurrentKeys, principal: CurrentPrincipal, key_id: PathId) -> Response:
    """Revoke an API key: it is refused at once by this process, within seconds by all. A repeat changes nothing."""
    key = await keys.revoke(key_id)
    await context_of(request).authenticator.read_again(principal.operator_id)
    return _answer(_view(request, key), 200)


@router.post("/{key_id}/rotation", status_code=201, response_model=NewKeyView, openapi_extra=body_docs(RotationFacts))
@needs(Action.MANAGE_KEYS)
async def rotate_key(
    request: Request,
    keys: CurrentKeys,
    principal: CurrentPrincipal,
    key_id: PathId,
    facts: Annotated[RotationFacts, body_of(RotationFacts)],
) -> Response:
    """Make a key with the rights of another, which expires after the overlap."""
    made = await keys.rotate(key_id, facts)
    await context_of(request).authenticator.read_again(principal.operator_id)
    return _made(request, *made)


async def must_have_editions(service: OperatorService, editions: Sequence[str] | None) -> None:
    """Raise `Invalid` for editions that the operator has not."""
    for index, edition_id in enumerate(editions or ()):
        if await service.unit_of_work.repository.find(Edition, edition_id, edition_id) is None:
            raise Invalid(FieldError(f"/editions/{index}", "there is no such edition"))


def _made(request: Request, key: OperatorKey, presented: str) -> Response:
    return _answer(NewKeyView(**dict(_view(request, key)), key=presented), 201)


def _view(request: Request, key: OperatorKey, last_used_at: datetime | None = None) -> KeyView:
    return KeyView(
        key_id=key.id,
        label=key.label,
        scopes=sorted(key.scopes),
        editions=None if key.editions is None else sorted(key.editions),
        created_at=key.created_at,
        created_by=key.created_by,
        expires_at=key.expires_at,
        last_used_at=last_used_at,
        revoked=key.revoked,
        works=key.works(context_of(request).clock()),
    )


def _answer(view: BaseModel, status: int) -> Response:
    return Response(view.model_dump_json(), status, {"Cache-Control": "no-store"}, media_type="application/json")
