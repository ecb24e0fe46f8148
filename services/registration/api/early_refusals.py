"""Refusals before the framework looks at the request: calls beyond an operator's limits, and keys of slowed sources.

Routing, parameters and dependencies cost more than all else that a refusal needs. A client that ignores refusals could
fill the event loop with them: hence the short way, and the pause before the answer.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from services.registration.api import problems
from services.registration.api.access import ApiContext, key_in
from services.registration.api.admission import price_of
from shared.runtime.refused_keys import source_of

_PREFIX = "/v1/"


class EarlyRefusals:
    """ASGI middleware that answers 429 if the caches tell that the call is refused. All other calls go on."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        self._app = app
        self._context = context
        #: Refusals that wait for their answer, in half of the places for requests at most. More are answered at once.
        self._waiting = 0
        self._most_waiting = context.settings.http_requests // 2

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller, refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        if self._waiting < self._most_waiting:
            self._waiting += 1
            try:
                await self._context.admission.slow_down(caller)
            finally:
                self._waiting -= 1
        await problems.refused(scope, refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[str, Exception | None]:
        """Return operator or source of a call, and its refusal; None if the application has to decide."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            return "", None
        authenticator = self._context.authenticator
        operator_id = authenticator.known_operator(_key_of(scope))
        if operator_id is not None:
            return operator_id, self._context.admission.refusal(operator_id, price_of(scope))
        address = scope["client"][0] if scope.get("client") else ""
        return source_of(address), authenticator.early_refusal(address)


def _key_of(scope: Scope) -> str:
    """Return the API key of a request, as the dependency of the endpoints reads it."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return key_in(value.decode("latin-1"))
    return ""
