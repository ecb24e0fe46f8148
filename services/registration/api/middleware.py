"""Middleware around every request: its id, and the answer to unexpected exceptions."""

from __future__ import annotations

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.registration.api import problems
from shared.runtime import trace
from shared.runtime.log import get_logger
from shared.runtime.retry import is_transient

_log = get_logger(__name__)


class RequestMiddleware:
    """ASGI middleware that answers exceptions with problem details.

    Every answer carries the id of its request, which is on every log line of the request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
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


def _log_failure(error: Exception) -> None:
    if is_transient(error):
        _log.warning("database_away", error=type(error).__name__)
    else:
        _log.error("request_failed", exc_info=error)
