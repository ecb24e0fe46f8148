"""HTTP in, on the internal API: requests that registration makes for an organiser."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.notify.domain.reach import reach_of
from services.notify.ports import (
    Ledger,
    Mailer,
    MailServerUnavailable,
    NotAccepted,
    Refused,
    RenderedMail,
    Unconfirmed,
)
from shared.internal_api.address_mail import ADDRESS_MAIL, AddressMail
from shared.internal_api.server import Declined, body_of
from shared.internal_api.sign_in import SIGN_IN_MAIL, MailHandedOver, SignInMail

_MAIL_BYTES = 16 * 1024


class ReachPage(BaseModel):
    """A page of participants by id: up to `limit` after the id `after`."""

    after: str = Field(default="", max_length=200)
    limit: int = Field(default=100, ge=1, le=1000)


def routes_of(
    ledger: Ledger, mailer: Mailer, write: Callable[[SignInMail | AddressMail], RenderedMail]
) -> list[BaseRoute]:
    """Return the routes of notify's internal API."""

    async def reach(request: Request) -> Response:
        try:
            page = ReachPage.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise Declined(422, "invalid", "after is an id, and limit a number from 1 to 1000") from error
        found = await ledger.page(request.path_params["edition_id"], page.after, page.limit)
        return JSONResponse({"items": [reach_of(delivery).model_dump(mode="json") for delivery in found]})

    async def mail_sign_in(request: Request) -> Response:
        return await mail(await body_of(request, SignInMail, _MAIL_BYTES))

    async def mail_address(request: Request) -> Response:
        return await mail(await body_of(request, AddressMail, _MAIL_BYTES))

    async def mail(asked: SignInMail | AddressMail) -> Response:
        try:
            async with mailer.open() as connection:
                await connection.send(write(asked), _nothing_before)
        except Refused as error:
            raise Declined(422, "refused", "the mail server refuses the address") from error
        except (MailServerUnavailable, NotAccepted, Unconfirmed) as error:
            raise Declined(503, "unavailable", "the mail server does not take the mail now") from error
        return JSONResponse(MailHandedOver().model_dump())

    return [
        Route("/editions/{edition_id}/reach", reach),
        Route(SIGN_IN_MAIL, mail_sign_in, methods=["POST"]),
        Route(ADDRESS_MAIL, mail_address, methods=["POST"]),
    ]


async def _nothing_before() -> None:
    """Do nothing between the envelope and the mail: it is in no ledger."""
