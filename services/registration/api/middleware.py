"""Middleware around every request: its duration, and the answer to unexpected exceptions."""

from __future__ import annotations

import re
import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.registration.api import problems
from shared.runtime import trace
from shared.runtime.http.server import OPERATIONAL_PATHS
from shared.runtime.log import get_logger
from shared.runtime.metrics import HTTP_SECONDS
from shared.runtime.retry import is_transient

_log = get_logger(__name__)
#: A parameter of a route's template, perhaps with a converter: `{table:path}`.
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


class RequestMiddleware:
    """ASGI middleware that measures requests by route template, and answers exceptions with problem details.

    Every answer carries the id of its request, which is on every log line of the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        request_id = trace.follow_request(scope["headers"]).encode()

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (trace.REQUEST_ID.encode(), request_id)]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        except ClientDisconnect:
            raise
        except Exception as error:
            _log_failure(error)
            if status:  # half an answer is out: only closing the connection tells the client
                raise
            answer = problems.unavailable(scope) if is_transient(error) else problems.defect(scope)
            await answer(scope, receive, note_status)
        finally:
            _observe(scope, status, time.perf_counter() - began)


def _observe(scope: Scope, status: int, seconds: float) -> None:
    if scope["path"] not in OPERATIONAL_PATHS:  # probes would hide the requests of people
        HTTP_SECONDS.labels(route=_route(scope), method=scope["method"], status=str(status)).observe(seconds)


def _route(scope: Scope) -> str:
    """Return the template of the route with the prefix of its router, which FastAPI does not put into `route`."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return "unmatched"
    values = scope["path_params"]
    own = _PARAMETER.sub(lambda found: str(values.get(found[1], "")), template)
    return scope["path"].removesuffix(own) + template if scope["path"].endswith(own) else template


def _log_failure(error: Exception) -> None:
    if is_transient(error):
        _log.warning("database_away", error=type(error).__name__)
    else:
        _log.error("request_failed", exc_info=error)
