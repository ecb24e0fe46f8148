"""Refusals of calls beyond an operator's limits, before the framework looks at the request.

Routing, parameters and dependencies cost more than all else that a refusal needs. A client that ignores refusals could
fill the event loop with them: hence the short way, and the pause before the answer.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from services.registration.api import problems
from services.registration.api.access import ApiContext, key_in
from services.registration.api.admission import price_of

_PREFIX = "/v1/"


class EarlyRefusals:
    """ASGI middleware that answers 429 if the caches tell that the call is refused. All other calls go on."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            operator_id = self._context.authenticator.known_operator(_key_of(scope))
            if operator_id is not None:
                admission = self._context.admission
                refusal = admission.refusal(operator_id, price_of(scope))
                if refusal is not None:
                    await admission.slow_down(operator_id)
                    await problems.refused(scope, refusal)(scope, receive, send)
                    return
        await self._app(scope, receive, send)


def _key_of(scope: Scope) -> str:
    """Return the API key of a request, as the dependency of the endpoints reads it."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return key_in(value.decode("latin-1"))
    return ""
