"""HTTP in, on the internal API: requests that registration makes for an organiser."""

from __future__ import annotations

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.notify.domain.reach import reach_of
from services.notify.ports import Ledger
from shared.internal_api.server import Declined


class ReachPage(BaseModel):
    """A page of participants by id: up to `limit` after the id `after`."""

    after: str = Field(default="", max_length=200)
    limit: int = Field(default=100, ge=1, le=1000)


def routes_of(ledger: Ledger) -> list[BaseRoute]:
    """Return the routes of notify's internal API."""

    async def reach(request: Request) -> Response:
        try:
            page = ReachPage.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise Declined(422, "invalid", "after is an id, and limit a number from 1 to 1000") from error
        found = await ledger.page(request.path_params["edition_id"], page.after, page.limit)
        return JSONResponse({"items": [reach_of(delivery).model_dump(mode="json") for delivery in found]})

    return [Route("/editions/{edition_id}/reach", reach)]
