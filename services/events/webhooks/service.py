"""Use cases of webhooks, for an operator whose rights registration has checked."""

from __future__ import annotations

from services.events.domain.cursor import START
from services.events.webhooks.addresses import TargetRules, UnsafeTarget, read_target
from services.events.webhooks.delivery import WebhookDelivery
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.intake import Intake
from services.events.webhooks.sender import Sender
from services.events.webhooks.store import MongoDeliveries, MongoEndpoints
from shared.contract.ids import new_id
from shared.internal_api.server import Declined
from shared.internal_api.webhooks import (
    MOST_WEBHOOKS,
    ChangedWebhook,
    NewWebhook,
    NewWebhookView,
    Replay,
    Replayed,
    SecretRotation,
    WebhookDeliveries,
    WebhookDeliveryState,
    WebhookDeliveryView,
    WebhookView,
)
from shared.runtime.clock import Clock


class Webhooks:
    """The webhooks of all operators. All calls raise `Declined`."""

    def __init__(
        self,
        endpoints: MongoEndpoints,
        deliveries: MongoDeliveries,
        intake: Intake,
        sender: Sender,
        rules: TargetRules,
        clock: Clock,
    ) -> None:
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._intake = intake
        self._sender = sender
        self._rules = rules
        self._clock = clock

    async def list_webhooks(self, operator_id: str) -> list[WebhookView]:
        """Return the webhooks of an operator, oldest first."""
        now = self._clock()
        return [endpoint.view(now) for endpoint in await self._endpoints.of_operator(operator_id)]

    async def get(self, operator_id: str, webhook_id: str) -> WebhookView:
        """Return a webhook."""
        return (await self._endpoint(operator_id, webhook_id)).view(self._clock())

    async def create(self, operator_id: str, asked: NewWebhook, actor: str) -> NewWebhookView:
        """Add a webhook, and return it with its secret. It tells events from now on, or from the start."""
        self._judge(asked.url)
        if len(await self._endpoints.of_operator(operator_id)) >= MOST_WEBHOOKS:
            detail = f"an operator may have {MOST_WEBHOOKS} webhooks: delete one first"
            raise Declined(409, "ceiling-reached", detail)
        read_to = START if asked.from_start else await self._intake.end_of_feed(operator_id)
        endpoint = Endpoint.new(operator_id, asked, read_to, self._clock(), actor)
        await self._endpoints.add(endpoint)
        return self._with_secret(endpoint)

    async def change(self, operator_id: str, webhook_id: str, asked: ChangedWebhook) -> WebhookView:
        """Change the fields of a webhook. A webhook that is enabled again tells all events since it was disabled."""
        endpoint = await self._endpoint(operator_id, webhook_id)
        if asked.url != endpoint.url:
            self._judge(asked.url)
        changed = endpoint.changed(asked, self._clock())
        if asked.revision != endpoint.revision or not await self._endpoints.replace(changed):
            raise Declined(412, "changed-meanwhile", "the webhook was changed meanwhile: read it again")
        return changed.view(self._clock())

    async def delete(self, operator_id: str, webhook_id: str) -> None:
        """Delete a webhook with its deliveries."""
        await self._endpoint(operator_id, webhook_id)
        await self._endpoints.remove(webhook_id)
        await self._deliveries.remove_of(webhook_id)

    async def rotate(self, operator_id: str, webhook_id: str, asked: SecretRotation) -> NewWebhookView:
        """Make a new secret, and return it. The older secret signs too, until the overlap ends."""
        rotated = (await self._endpoint(operator_id, webhook_id)).rotated(asked, self._clock())
        if not await self._endpoints.replace(rotated):
            raise Declined(412, "changed-meanwhile", "the webhook was changed meanwhile: try again")
        return self._with_secret(rotated)

    async def test(self, operator_id: str, webhook_id: str) -> WebhookDeliveryView:
        """Send a test message, once, and return its delivery. A disabled webhook can be tested, too."""
        endpoint = await self._endpoint(operator_id, webhook_id)
        delivery = WebhookDelivery.of_test(endpoint, new_id("evt"), self._clock())
        tried = (await self._sender.send(endpoint, delivery, is_last=True)).delivery
        await self._deliveries.add([tried])
        return tried.view()

    async def deliveries(
        self, operator_id: str, webhook_id: str, state: WebhookDeliveryState | None, after: str, limit: int
    ) -> WebhookDeliveries:
        """Return a page of the deliveries of a webhook, newest first."""
        await self._endpoint(operator_id, webhook_id)
        found = await self._deliveries.page(webhook_id, state, after, limit)
        following = found[-1].listed if len(found) == limit else None
        return WebhookDeliveries(items=[delivery.view() for delivery in found], next=following)

    async def replay(self, operator_id: str, webhook_id: str, asked: Replay) -> Replayed:
        """Send ended deliveries again, under their message ids. They are tried as new messages are."""
        await self._endpoint(operator_id, webhook_id)
        if asked.message_id is not None and await self._deliveries.find(webhook_id, asked.message_id) is None:
            raise Declined(404, "not-found", "there is no such delivery; deliveries are kept for a limited time")
        count = await self._deliveries.open_again(webhook_id, asked, self._clock())
        await self._endpoints.reopen(webhook_id, new_id("rpl"))
        return Replayed(deliveries=count)

    async def _endpoint(self, operator_id: str, webhook_id: str) -> Endpoint:
        found = await self._endpoints.find(operator_id, webhook_id)
        if found is None:
            raise Declined(404, "not-found", "there is no such webhook")
        return found

    def _judge(self, url: str) -> None:
        try:
            read_target(url, self._rules)
        except UnsafeTarget as error:
            fault = {"pointer": "/url", "detail": str(error)}
            raise Declined(422, "invalid", "the request is not accepted", errors=[fault]) from error

    def _with_secret(self, endpoint: Endpoint) -> NewWebhookView:
        view = endpoint.view(self._clock())
        return NewWebhookView(**view.model_dump(), secret=endpoint.secrets[0].receivers_part)
