"""The demo's client of registration's HTTP API: a few calls in flight, each safe to repeat: a crash costs time only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from deploy.demo.plan import Payload

#: Calls in flight at a time.
IN_FLIGHT = 16
#: How long a call is tried again while registration is away.
PATIENCE_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")


class Refused(Exception):
    """Registration answered with an error that trying again cannot mend; the message holds its problem details."""


class RegistrationClient:
    """Calls registration for one operator. POSTs carry an `Idempotency-Key`: a repeat never makes a second thing."""

    def __init__(self, address: str, api_key: str, key_prefix: str) -> None:
        self._key_prefix = key_prefix
        self._http = httpx.AsyncClient(
            base_url=f"{address}/v1",
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx.Timeout(20.0),
            limits=httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def post(self, path: str, key: str, body: Payload | None = None) -> Payload:
        """POST; `key` names what is done, within the run."""
        return await self._call("POST", path, body, {"Idempotency-Key": f"{self._key_prefix}-{key}"})

    async def patch(self, path: str, body: Payload) -> Payload:
        """PATCH: a repeat finds nothing left to change."""
        return await self._call("PATCH", path, body, {})

    async def get(self, path: str) -> Payload:
        return await self._call("GET", path, None, {})

    async def _call(self, method: str, path: str, body: Payload | None, headers: dict[str, str]) -> Payload:
        until = time.monotonic() + PATIENCE_SECONDS
        pause = _FIRST_PAUSE
        while True:
            try:
                response = await self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__} {error}".strip()
            else:
                if response.status_code not in {429, 502, 503, 504}:
                    return _answer(response)
                problem = f"{response.status_code} {response.text[:200]}"
            if time.monotonic() > until:
                raise Refused(f"{method} {path}: registration stayed away for {PATIENCE_SECONDS:.0f} s: {problem}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _answer(response: httpx.Response) -> Payload:
    if response.is_error:
        request = response.request
        raise Refused(f"{request.method} {request.url.path}: {response.status_code} {response.text[:2000]}")
    answer: dict[str, Any] = response.json()
    return answer


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
