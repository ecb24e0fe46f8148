"""HTTP calls of registration with the key of an operator."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp

from bench import BenchmarkError

Payload = dict[str, Any]
#: A body: the fields of JSON, or the text of a CSV file.
Content = Payload | str | None
_CALL_SECONDS = 120.0
_TRIES = 200
_PAUSE_SECONDS = 0.5
_AWAY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class OperatorApi:
    """Calls of an operator. A call without an answer within two minutes has the status 0."""

    def __init__(self, address: str, key: str) -> None:
        self._address = address
        self._headers = {"Authorization": f"Bearer {key}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def status_of(
        self, method: str, path: str, content: Content = None, *, headers: dict[str, str] | None = None
    ) -> int:
        """Make a call once and return its status. `headers` replace the operator's headers."""
        status, _, _ = await self._exchange(method, path, content, self._headers if headers is None else headers)
        return status

    async def call(self, method: str, path: str, content: Content = None) -> Payload:
        """Make a call until it is answered, with the pauses that `Retry-After` asks for, and return the answer.

        Raises:
            BenchmarkError: the call was refused.
        """
        for _ in range(_TRIES):
            status, pause, text = await self._exchange(method, path, content, self._headers)
            if 0 < status < HTTPStatus.BAD_REQUEST:
                answer: Payload = json.loads(text)
                return answer
            if status and status not in _AWAY:
                raise BenchmarkError(f"{method} {path}: {status} {text[:500]}")
            await asyncio.sleep(pause)
        raise BenchmarkError(f"{method} {path}: no answer after {_TRIES} tries")

    async def _exchange(
        self, method: str, path: str, content: Content, headers: dict[str, str]
    ) -> tuple[int, float, str]:
        """Return the status, the seconds to wait before the next try, and the text."""
        if self._http is None:
            raise RuntimeError("the client is closed: enter it with `async with` before a call")
        data = json.dumps(content) if isinstance(content, dict) else content
        if data is not None:
            headers = headers | {"Content-Type": "application/json" if isinstance(content, dict) else "text/csv"}
        if method == "PATCH":
            headers = headers | {"If-Match": "*"}  # each entity of the benchmark has a single writer
        try:
            async with self._http.request(method, f"{self._address}/v1{path}", data=data, headers=headers) as response:
                pause = float(response.headers.get("Retry-After", _PAUSE_SECONDS))
                return response.status, pause, await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, _PAUSE_SECONDS, ""
