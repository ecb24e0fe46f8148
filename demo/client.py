"""A client of registration's HTTP API: a few calls in flight, each safe to repeat: a crash costs time only."""

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
#: How long a call is tried again while registration is away.
RETRY_SECONDS = 60.0
_CALL_SECONDS = 20.0
_AWAY = frozenset({429, 502, 503, 504})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")


class RegistrationRefused(Exception):
    """Registration answered with an error that trying again cannot mend; the message holds its problem details.

    `status` is its HTTP status; 0 if it did not answer at all for too long.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class RegistrationClient:
    """Calls registration for one operator. POSTs carry an `Idempotency-Key`: a repeat never makes a second thing.

    A call that is not answered within `call_seconds` is repeated, at the next of the `spares` if there are any.
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
        """POST; `key` names what is done, within the run."""
        return await self._call("POST", path, body, {"Idempotency-Key": f"{self._key_prefix}-{key}"})

    async def patch(self, path: str, body: Payload, revision: int | None = None) -> Payload:
        """PATCH: a repeat finds nothing left to change. With a revision, refused (412) unless it is the newest."""
        return await self._call("PATCH", path, body, {} if revision is None else {"If-Match": f'"{revision}"'})

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
            raise RuntimeError("enter the client first")
        async with self._http.request(method, f"{self._addresses[0]}/v1{path}", json=body, headers=headers) as response:
            return response.status, await response.text()


async def in_flight(things: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Does the work for each thing, begun in order, at most `IN_FLIGHT` at a time; the first error ends all."""
    queue = iter(list(things))

    async def run() -> None:
        for thing in queue:
            await work(thing)

    await together(*(run() for _ in range(IN_FLIGHT)))


async def together(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all at once; the first error cancels the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
