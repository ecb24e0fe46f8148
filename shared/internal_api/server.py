"""The internal API: requests from registration, the only public service, to the services behind it, over HTTP.

A service with an internal API serves its routes under `/internal`, to clients that present the installation's token.
It trusts its client to have checked the operator's key, and that the edition belongs to that operator.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contract.fault_words import reason_of
from shared.runtime import trace
from shared.runtime.refused_keys import RefusalsBySource
from shared.runtime.settings import ServiceSettings

#: The header that names the author of a change.
ACTOR_HEADER: Final = "Tertulia-Actor"
_ACTOR = re.compile(r"[a-z]+(:[A-Za-z0-9_.-]{1,100})?")
#: Largest request body in bytes. Registration limits its own bodies too.
LARGEST_BODY = 768 * 1024

Body = TypeVar("Body", bound=BaseModel)


class Declined(Exception):
    """A request is declined. `status` is the HTTP status to pass on, `slug` the kind of problem."""

    def __init__(self, status: int, slug: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"slug": slug, "detail": detail, **more}


def internal_routes(settings: ServiceSettings, routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return the routes under `/internal`, protected by the token; no routes if no token is set."""
    token = settings.internal_token.get_secret_value()
    if not token:
        return []
    application = Starlette(
        routes=list(routes),
        middleware=[Middleware(_TokenNeeded, token=token)],
        exception_handlers={Declined: _on_declined},
    )
    return [Mount("/internal", app=application)]


def actor_of(request: Request) -> str | None:
    """Return the author of a change, as registration names it: see `shared.access.Principal.actor`."""
    named = request.headers.get(ACTOR_HEADER, "")
    return named if _ACTOR.fullmatch(named) else None


def query_of(request: Request, kind: type[Body]) -> Body:
    """Return the parameters of a request. Raise `Declined` if they break the schema."""
    try:
        return kind.model_validate(dict(request.query_params))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the query"
        raise Declined(422, "invalid", f"{where}: {reason_of(first)}") from error


async def body_of(request: Request, kind: type[Body], most_bytes: int = LARGEST_BODY) -> Body:
    """Return the body of a request.

    Raises:
        Declined: the body has more than `most_bytes`, or breaks the schema.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > most_bytes:
            raise Declined(413, "too-large", f"the body may have at most {most_bytes} bytes")
    try:
        return kind.model_validate_json(bytes(read))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the body"
        raise Declined(422, "invalid", f"{where}: {reason_of(first)}") from error


async def _on_declined(_: Request, error: Exception) -> Response:
    assert isinstance(error, Declined)  # noqa: S101 - the one exception this handles
    return JSONResponse(error.body, error.status)


class _TokenNeeded:
    """Answers 401 to requests without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._refused = RefusalsBySource()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = scope.get("headers", ())
        if scope["type"] == "http":
            trace.follow_request(headers)
        presented = dict(headers).get(b"authorization", b"")
        if scope["type"] != "http" or hmac.compare_digest(presented, self._expected):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        self._refused.refuse(client[0] if client else "", "internal")
        await JSONResponse(
            {
                "slug": "unauthorised",
                "detail": "the token is not the internal token of this installation (TERTULIA_INTERNAL_TOKEN)",
            },
            401,
        )(scope, receive, send)
