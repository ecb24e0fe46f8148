"""Endpoints of webhooks: receivers of an operator's change feed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, IfMatch, PathId, context_of
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.events import FollowQuery
from services.registration.api.rights import needs
from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.parsing import apply_patch
from services.registration.domain.webhooks import (
    NewWebhookFacts,
    StoredWebhook,
    WebhookFacts,
    WebhookReplayFacts,
    WebhookSecretFacts,
)
from services.registration.unit_of_work import must_match
from services.registration.use_cases.webhooks import WebhookService
from shared.access import Action
from shared.internal_api.webhooks import (
    NewWebhookView,
    Replayed,
    WebhookDeliveries,
    WebhookDeliveryState,
    WebhookDeliveryView,
    WebhookView,
)

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


async def _webhooks(request: Request, service: CurrentService) -> WebhookService:
    return WebhookService(service, context_of(request).clients.events)


CurrentWebhooks = Annotated[WebhookService, Depends(_webhooks)]


class WebhookList(BaseModel):
    """The webhooks of the operator, oldest first."""

    items: list[WebhookView]


class DeliveriesQuery(BaseModel):
    """The page of deliveries to read."""

    state: WebhookDeliveryState | None = Field(default=None, description="Only deliveries in this state.")
    after: str = Field(default="", max_length=64, pattern=r"^[A-Za-z0-9_]*$", description="`next` of the page before.")
    limit: int = Field(default=100, ge=1, le=500, description="Most items on the page.")


@router.post("", status_code=201, response_model=NewWebhookView, openapi_extra=body_docs(NewWebhookFacts))
@needs(Action.MANAGE_WEBHOOKS)
async def create_webhook(
    webhooks: CurrentWebhooks, facts: Annotated[NewWebhookFacts, body_of(NewWebhookFacts)]
) -> Response:
    """Make a webhook. Its secret is shown now only; if the answer is lost, rotate it."""
    made = await webhooks.create(facts.model_copy(update={"types": _full_types(facts.types)}))
    return _reply(made, 201)


@router.get("")
@needs(Action.MANAGE_WEBHOOKS)
async def list_webhooks(webhooks: CurrentWebhooks) -> WebhookList:
    """List the webhooks, also disabled webhooks, with the reason."""
    return WebhookList(items=[*await webhooks.list_webhooks()])


@router.get("/{webhook_id}", response_model=WebhookView)
@needs(Action.MANAGE_WEBHOOKS)
async def get_webhook(webhooks: CurrentWebhooks, webhook_id: PathId) -> Response:
    """Return a webhook."""
    return _reply(await webhooks.get(webhook_id), 200)


@router.patch("/{webhook_id}", response_model=WebhookView, openapi_extra=patch_docs(WebhookFacts))
@needs(Action.MANAGE_WEBHOOKS)
async def change_webhook(
    webhooks: CurrentWebhooks, webhook_id: PathId, patch: PatchBody, revisions: IfMatch = None
) -> Response:
    """Change a webhook. `is_disabled` of `false` enables it again, also after days without a delivery."""

    def change(webhook: StoredWebhook) -> WebhookFacts:
        must_match(webhook, revisions)
        facts = apply_patch(webhook, WebhookFacts, patch)
        return facts.model_copy(update={"types": _full_types(facts.types)})

    return _reply(await webhooks.change(webhook_id, change), 200)


@router.delete("/{webhook_id}", status_code=204)
@needs(Action.MANAGE_WEBHOOKS)
async def delete_webhook(webhooks: CurrentWebhooks, webhook_id: PathId) -> Response:
    """Delete a webhook with its deliveries. Messages that are under way may still arrive."""
    await webhooks.delete(webhook_id)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/secret", status_code=201, response_model=NewWebhookView, openapi_extra=body_docs(WebhookSecretFacts)
)
@needs(Action.MANAGE_WEBHOOKS)
async def rotate_webhook_secret(
    webhooks: CurrentWebhooks, webhook_id: PathId, facts: Annotated[WebhookSecretFacts, body_of(WebhookSecretFacts)]
) -> Response:
    """Make a new secret. Messages carry the signatures of both until the overlap ends."""
    return _reply(await webhooks.rotate(webhook_id, facts), 201)


@router.post("/{webhook_id}/test")
@needs(Action.MANAGE_WEBHOOKS)
async def test_webhook(webhooks: CurrentWebhooks, webhook_id: PathId) -> WebhookDeliveryView:
    """Send a message of the type `org.tertulia.webhook.test.v1` now, once, and return the receiver's answer."""
    return await webhooks.test(webhook_id)


@router.get("/{webhook_id}/deliveries")
@needs(Action.MANAGE_WEBHOOKS)
async def list_webhook_deliveries(
    webhooks: CurrentWebhooks, webhook_id: PathId, query: Annotated[DeliveriesQuery, Query()]
) -> WebhookDeliveries:
    """List deliveries, newest first: open deliveries, and deliveries that ended in the last 30 days."""
    return await webhooks.deliveries(webhook_id, query.model_dump(mode="json", exclude_none=True))


@router.post("/{webhook_id}/deliveries/{message_id}/replay", status_code=202)
@needs(Action.MANAGE_WEBHOOKS)
async def replay_webhook_delivery(webhooks: CurrentWebhooks, webhook_id: PathId, message_id: PathId) -> Replayed:
    """Send a delivery again, under its message id. An open delivery is not counted."""
    return await webhooks.replay_single(webhook_id, message_id)


@router.post("/{webhook_id}/replay", status_code=202, openapi_extra=body_docs(WebhookReplayFacts))
@needs(Action.MANAGE_WEBHOOKS)
async def replay_webhook(
    webhooks: CurrentWebhooks, webhook_id: PathId, facts: Annotated[WebhookReplayFacts, body_of(WebhookReplayFacts)]
) -> Replayed:
    """Send ended deliveries again, under their message ids: all that failed, or all of a time."""
    return await webhooks.replay(webhook_id, facts)


def _full_types(asked: tuple[str, ...]) -> tuple[str, ...]:
    """Return the full types of kinds of events. Raises `Invalid`."""
    full: list[str] = []
    for index, name in enumerate(asked):
        try:
            full += FollowQuery(types=name).filter().types.split(",")
        except Invalid as error:
            raise Invalid(FieldError(f"/types/{index}", error.faults[0].detail)) from error
    return tuple(dict.fromkeys(filter(None, full)))


def _reply(webhook: WebhookView, status: int) -> Response:
    """Return a webhook without the fields that only the API's own code has."""
    shown = webhook if isinstance(webhook, NewWebhookView) else WebhookView(**webhook.model_dump())
    headers = {"ETag": f'"{webhook.revision}"', "Cache-Control": "no-store"}
    return Response(shown.model_dump_json(), status, headers, media_type="application/json")
