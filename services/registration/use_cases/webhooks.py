"""Use cases of webhooks: registration checks the rights, and asks the events service, which keeps and sends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from services.registration.domain.edition import Edition
from services.registration.domain.errors import CeilingReached, ChangedMeanwhile, FieldError, Invalid, NotFound
from services.registration.domain.webhooks import (
    NewWebhookFacts,
    StoredWebhook,
    WebhookFacts,
    WebhookReplayFacts,
    WebhookSecretFacts,
)
from services.registration.internal_clients import InternalClient, ServiceDeclined
from services.registration.service import OperatorService
from shared.internal_api.webhooks import NewWebhookView, Replayed, WebhookDeliveries, WebhookDeliveryView

_LONGEST_ID = 64


class WebhookService:
    """Use cases of the webhooks of a principal's operator.

    A principal of some editions has the webhooks of these editions only. Every call may raise `ServiceUnavailable`.
    """

    def __init__(self, service: OperatorService, events: InternalClient) -> None:
        self._service = service
        self._principal = service.unit_of_work.principal
        self._events = events
        self._path = f"/operators/{self._principal.operator_id}/webhooks"

    async def list_webhooks(self) -> list[StoredWebhook]:
        """List the webhooks, oldest first."""
        answer = await self._events.get(self._path)
        found = [StoredWebhook.model_validate(item) for item in answer["items"]]
        return [webhook for webhook in found if self._has(webhook.edition_id)]

    async def get(self, webhook_id: str) -> StoredWebhook:
        """Return a webhook. Raises `NotFound`."""
        if not (webhook_id.replace("_", "").isalnum() and webhook_id.isascii() and len(webhook_id) <= _LONGEST_ID):
            raise NotFound("there is no such webhook")
        found = StoredWebhook.model_validate(await _asked(self._events.get(f"{self._path}/{webhook_id}")))
        if not self._has(found.edition_id):
            raise NotFound("there is no such webhook")
        return found

    async def create(self, facts: NewWebhookFacts) -> NewWebhookView:
        """Add a webhook; return it with its secret.

        Raises:
            Invalid: the edition is unknown, or the installation does not send to the URL.
            CeilingReached: the operator has as many webhooks as it may have.
        """
        await self._must_have(facts.edition_id)
        made = await _asked(self._events.post(self._path, facts.model_dump(mode="json"), self._principal.actor))
        return NewWebhookView.model_validate(made)

    async def change(self, webhook_id: str, change: Callable[[StoredWebhook], WebhookFacts]) -> StoredWebhook:
        """Change the fields that `change` returns.

        Raises:
            Invalid: as `create`.
            ChangedMeanwhile: a concurrent request changes the webhook.
        """
        before = await self.get(webhook_id)
        facts = change(before)
        if facts.edition_id != before.edition_id:
            await self._must_have(facts.edition_id)
        body = facts.model_dump(mode="json") | {"revision": before.revision}
        return StoredWebhook.model_validate(
            await _asked(self._events.put(f"{self._path}/{webhook_id}", body, self._principal.actor))
        )

    async def delete(self, webhook_id: str) -> None:
        """Delete a webhook with its deliveries. Raises `NotFound`."""
        await self.get(webhook_id)
        await _asked(self._events.delete(f"{self._path}/{webhook_id}"))

    async def rotate(self, webhook_id: str, facts: WebhookSecretFacts) -> NewWebhookView:
        """Make a new secret; return the webhook with it. Raises `NotFound`."""
        return NewWebhookView.model_validate(await self._posted(webhook_id, "secret", facts.model_dump(mode="json")))

    async def test(self, webhook_id: str) -> WebhookDeliveryView:
        """Send a test message, and return its delivery. Raises `NotFound`."""
        return WebhookDeliveryView.model_validate(await self._posted(webhook_id, "test", {}))

    async def deliveries(self, webhook_id: str, parameters: Mapping[str, str]) -> WebhookDeliveries:
        """Return a page of deliveries, newest first. Raises `NotFound`."""
        await self.get(webhook_id)
        found = await _asked(self._events.get(f"{self._path}/{webhook_id}/deliveries", parameters))
        return WebhookDeliveries.model_validate(found)

    async def replay(self, webhook_id: str, facts: WebhookReplayFacts) -> Replayed:
        """Send ended deliveries again, under their message ids. Raises `NotFound`."""
        body = facts.model_dump(mode="json")
        return Replayed.model_validate(await self._posted(webhook_id, "replay", body))

    async def replay_single(self, webhook_id: str, message_id: str) -> Replayed:
        """Send a delivery again. Raises `NotFound`."""
        body = {"message_id": message_id, "only_failed": False}
        try:
            return Replayed.model_validate(await self._posted(webhook_id, "replay", body))
        except Invalid as error:  # no id
            raise NotFound("there is no such delivery") from error

    async def _posted(self, webhook_id: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        await self.get(webhook_id)
        return await _asked(self._events.post(f"{self._path}/{webhook_id}/{name}", body, self._principal.actor))

    def _has(self, edition_id: str | None) -> bool:
        return self._principal.editions is None or edition_id in self._principal.editions

    async def _must_have(self, edition_id: str | None) -> None:
        if edition_id is None and self._principal.editions is not None:
            raise Invalid(FieldError("/edition_id", "your rights are for some editions: name one of them"))
        if edition_id is None:
            return
        found = await self._service.unit_of_work.repository.find(Edition, edition_id, edition_id)
        if found is None or not self._has(edition_id):
            raise Invalid(FieldError("/edition_id", "there is no such edition"))


async def _asked(answer: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Return an answer of the events service; raise a refusal as registration's own."""
    try:
        return await answer
    except ServiceDeclined as declined:
        match declined.status:
            case HTTPStatus.NOT_FOUND:
                raise NotFound(str(declined)) from declined
            case HTTPStatus.CONFLICT:
                raise CeilingReached(str(declined)) from declined
            case HTTPStatus.PRECONDITION_FAILED:
                raise ChangedMeanwhile from declined
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                faults = declined.more.get("errors") or [{"pointer": "", "detail": str(declined)}]
                raise Invalid(*(FieldError(fault["pointer"], fault["detail"]) for fault in faults)) from declined
        raise
