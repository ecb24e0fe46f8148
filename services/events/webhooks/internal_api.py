"""HTTP in, for registration: the webhooks of an operator. Registration has checked the rights of the principal."""

from __future__ import annotations

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.events.webhooks.service import Webhooks
from shared.internal_api.server import actor_of, body_of, query_of
from shared.internal_api.webhooks import (
    ChangedWebhook,
    NewWebhook,
    Replay,
    SecretRotation,
    WebhookDeliveryState,
)

_ALL = "/operators/{operator_id}/webhooks"
_ONE = _ALL + "/{webhook_id}"


class DeliveriesPage(BaseModel):
    """A page of deliveries: up to `limit` behind the place `after`."""

    state: WebhookDeliveryState | None = None
    after: str = Field(default="", max_length=64)
    limit: int = Field(default=100, ge=1, le=500)


def webhook_routes(webhooks: Webhooks) -> list[BaseRoute]:
    """Return the routes of webhooks."""

    async def many(request: Request) -> Response:
        operator_id = request.path_params["operator_id"]
        if request.method == "POST":
            asked = await body_of(request, NewWebhook)
            return _answer(await webhooks.create(operator_id, asked, actor_of(request) or ""))
        items = await webhooks.list_webhooks(operator_id)
        return JSONResponse({"items": [view.model_dump(mode="json") for view in items]})

    async def single(request: Request) -> Response:
        ids = _ids(request)
        match request.method:
            case "PUT":
                return _answer(await webhooks.change(*ids, await body_of(request, ChangedWebhook)))
            case "DELETE":
                await webhooks.delete(*ids)
                return JSONResponse({})
        return _answer(await webhooks.get(*ids))

    async def rotate(request: Request) -> Response:
        return _answer(await webhooks.rotate(*_ids(request), await body_of(request, SecretRotation)))

    async def test(request: Request) -> Response:
        return _answer(await webhooks.test(*_ids(request)))

    async def deliveries(request: Request) -> Response:
        page = query_of(request, DeliveriesPage)
        return _answer(await webhooks.deliveries(*_ids(request), page.state, page.after, page.limit))

    async def replay(request: Request) -> Response:
        return _answer(await webhooks.replay(*_ids(request), await body_of(request, Replay)))

    return [
        Route(_ALL, many, methods=["GET", "POST"]),
        Route(_ONE, single, methods=["GET", "PUT", "DELETE"]),
        Route(f"{_ONE}/secret", rotate, methods=["POST"]),
        Route(f"{_ONE}/test", test, methods=["POST"]),
        Route(f"{_ONE}/deliveries", deliveries),
        Route(f"{_ONE}/replay", replay, methods=["POST"]),
    ]


def _ids(request: Request) -> tuple[str, str]:
    return request.path_params["operator_id"], request.path_params["webhook_id"]


def _answer(view: BaseModel) -> Response:
    return JSONResponse(view.model_dump(mode="json"))
