"""A client of registration's HTTP API. Every call is safe to repeat: a crash of registration costs time only."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from demo.plan import Payload

#: Calls in flight at a time.
IN_FLIGHT = 16
#: Seconds for which a call is repeated while registration does not answer.
RETRY_SECONDS = 60.0
_CALL_SECONDS = 20.0
_AWAY = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

Item = TypeVar("Item")


class RegistrationRefused(Exception):
    """Registration answered with an error that a repeated call cannot mend. The message holds the problem details.

    `status` is the HTTP status, or 0 after `RETRY_SECONDS` without an answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class RegistrationClient:
    """Calls registration for an operator. A POST carries an `Idempotency-Key`: its repetition creates nothing new.

    A call without an answer within `call_seconds` is repeated, at the next of the `spares` if there are any.
    """

    def __init__(
        self,
        address: str,
        api_key: str,
        key_prefix: str,
        *,
        spares: Sequence[str] = (),
        call_seconds: float = _CALL_SECONDS,
    ) -> None:
        self._key_prefix = key_prefix
        self._addresses = deque([address, *spares])
        self._call_seconds = call_seconds
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._call_seconds),
            connector=aiohttp.TCPConnector(limit=IN_FLIGHT),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def post(self, path: str, key: str, body: Payload | None = None) -> Payload:
        """POST a body. `key` identifies the call within the run."""
        return await self._call("POST", path, body, {"Idempotency-Key": f"{self._key_prefix}-{key}"})

    async def patch(self, path: str, body: Payload, revision: int | None = None) -> Payload:
        """PATCH a body: a repetition changes nothing. Registration refuses (412) any `revision` but the newest.

        Without a `revision` the change is made at any revision: the caller is the only writer. The change is made
        whatever it moves, without a look at its preview.
        """
        if_match = "*" if revision is None else f'"{revision}"'
        return await self._call("PATCH", f"{path}?token=*", body, {"If-Match": if_match})

    async def get(self, path: str) -> Payload:
        return await self._call("GET", path, None, {})

    async def _call(self, method: str, path: str, body: Payload | None, headers: dict[str, str]) -> Payload:
        until = time.monotonic() + RETRY_SECONDS
        pause = _FIRST_PAUSE
        while True:
            try:
                status, text = await self._exchange(method, path, body, headers)
            except (aiohttp.ClientError, TimeoutError) as error:
                problem = f"{type(error).__name__} {error}".strip()
            else:
                if status < HTTPStatus.BAD_REQUEST:
                    answer: Payload = json.loads(text)
                    return answer
                if status not in _AWAY:
                    raise RegistrationRefused(f"{method} {path}: {status} {text[:2000]}", status)
                problem = f"{status} {text[:200]}"
            self._addresses.rotate(-1)
            if time.monotonic() > until:
                raise RegistrationRefused(
                    f"{method} {path}: registration stayed away for {RETRY_SECONDS:.0f} s: {problem}"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _exchange(self, method: str, path: str, body: Payload | None, headers: dict[str, str]) -> tuple[int, str]:
        if self._http is None:
            raise RuntimeError("the client is closed: enter it with `async with` before a call")
        async with self._http.request(method, f"{self._addresses[0]}/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.text()


async def run_in_flight(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Run `work` on every item, started in order, at most `IN_FLIGHT` at a time. The first error cancels the rest."""
    queue = iter(list(items))

    async def run() -> None:
        for item in queue:
            await work(item)

    await run_together(*(run() for _ in range(IN_FLIGHT)))


async def run_together(*works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines at once. The first error cancels the rest, and is raised without a group around it."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
