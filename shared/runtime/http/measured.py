"""Middleware that measures requests, by the template of their route."""

from __future__ import annotations

import re
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime.http.server import OPERATIONAL_PATHS
from shared.runtime.metrics import HTTP_SECONDS

#: A parameter of a route's template, perhaps with a converter: `{table:path}`.
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_NO_ANSWER = "0"
#: The field of a request's state with the seconds for which its client asked to wait. They are not measured.
WAITED: Final = "waited"


class MeasuredRequests:
    """ASGI middleware that notes the time until an answer begins. The length of a download or a stream does not count.

    A request whose client hung up before an answer has status 0.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPERATIONAL_PATHS:  # probes would hide the requests of people
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), _NO_ANSWER

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                _observe(scope, status, time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            if status == _NO_ANSWER:
                _observe(scope, status, time.perf_counter() - began)


def _observe(scope: Scope, status: str, seconds: float) -> None:
    seconds = max(0.0, seconds - scope.get("state", {}).get(WAITED, 0.0))
    HTTP_SECONDS.labels(route=_route(scope), method=scope["method"], status=status).observe(seconds)


def _route(scope: Scope) -> str:
    """Return the template of the route with the prefix of its router, which FastAPI does not put into `route`."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return "unmatched"
    values = scope["path_params"]
    own = _PARAMETER.sub(lambda found: str(values.get(found[1], "")), template)
    return scope["path"].removesuffix(own) + template if scope["path"].endswith(own) else template
