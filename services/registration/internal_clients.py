"""HTTP clients of the services that registration asks on behalf of an operator (`shared.internal_api.server`)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel

from services.registration.settings import Settings
from shared.internal_api.server import ACTOR_HEADER
from shared.runtime import trace

_LONGEST_DETAIL = 1000
#: Items that a service lists with a call.
_PAGE = 1000
AnyItem = TypeVar("AnyItem", bound=BaseModel)


class ServiceUnavailable(Exception):
    """The service does not answer, or cannot answer now: try again."""


class ServiceDeclined(Exception):
    """The service declined the request, with an HTTP status, a kind of problem (slug) and a detail."""

    def __init__(self, status: int, slug: str, detail: str, more: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.more = more


class InternalClient:
    """A client of the internal API of a service. Answers are JSON objects.

    Every request may raise `ServiceUnavailable` (no address set, no connection, no answer in time, a defect of the
    service) and `ServiceDeclined`.
    """

    def __init__(self, name: str, client: httpx.AsyncClient | None) -> None:
        self._name = name
        self._client = client

    @property
    def has_address(self) -> bool:
        """Tell whether the installation says where the service is."""
        return self._client is not None

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send a GET request; `path` is without the leading `/internal`."""
        return await self._request("GET", path, parameters=parameters)

    async def all_items(self, path: str, kind: type[AnyItem], after: Callable[[AnyItem], str]) -> list[AnyItem]:
        """Return all items of a list, page by page; `after` names the item beyond which the next page begins."""
        found: list[AnyItem] = []
        while True:
            page = {"limit": str(_PAGE), "after": after(found[-1]) if found else ""}
            items = [kind.model_validate(item) for item in (await self.get(path, page))["items"]]
            found += items
            if len(items) < _PAGE:
                return found
            await asyncio.sleep(0)

    async def post(self, path: str, body: Mapping[str, Any], actor: str | None = None) -> dict[str, Any]:
        """Send a POST request with a JSON body; with the author of the change that it asks for."""
        return await self._request("POST", path, body=body, actor=actor)

    async def put(self, path: str, body: Mapping[str, Any], actor: str | None = None) -> dict[str, Any]:
        """Send a PUT request with a JSON body; with the author of the change that it asks for."""
        return await self._request("PUT", path, body=body, actor=actor)

    async def delete(self, path: str) -> dict[str, Any]:
        """Send a DELETE request."""
        return await self._request("DELETE", path)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _request(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        actor: str | None = None,
    ) -> dict[str, Any]:
        if self._client is None:
            raise ServiceUnavailable(f"this installation does not say where {self._name} is")
        headers = trace.request_headers() | ({ACTOR_HEADER: actor} if actor else {})
        try:
            response = await self._client.request(
                method, f"/internal{path}", params=parameters, json=body, headers=headers
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ServiceUnavailable(f"{self._name} does not answer") from error
        if response.is_success and isinstance(answer, dict):
            return answer
        raise self._error(response.status_code, answer)

    def _error(self, status: int, answer: object) -> Exception:
        """Return the error of an answer. A defect of the service, or a refused token, is no fault of the operator."""
        if (
            not isinstance(answer, dict)
            or status == httpx.codes.UNAUTHORIZED
            or not httpx.codes.is_client_error(status)
        ):
            return ServiceUnavailable(f"{self._name} cannot answer now")
        more = {key: value for key, value in answer.items() if key not in ("slug", "detail")}
        slug, detail = str(answer.get("slug", "refused")), str(answer.get("detail", ""))
        return ServiceDeclined(status, slug, detail[:_LONGEST_DETAIL], more)


@dataclass(frozen=True)
class InternalClients:
    """The clients of the services that registration asks."""

    matching: InternalClient
    scheduler: InternalClient
    notify: InternalClient = field(default_factory=lambda: InternalClient("notify", None))
    events: InternalClient = field(default_factory=lambda: InternalClient("events", None))

    async def close(self) -> None:
        """Close the connections."""
        await self.matching.close()
        await self.scheduler.close()
        await self.notify.close()
        await self.events.close()


def no_clients() -> InternalClients:
    """Return clients that never answer, as in an installation that sets no addresses."""
    return InternalClients(InternalClient("matching", None), InternalClient("scheduler", None))


def clients_of(settings: Settings) -> InternalClients:
    """Return clients for the addresses in the settings."""
    return InternalClients(
        _client("matching", settings.matching_url, settings),
        _client("scheduler", settings.scheduler_url, settings),
        _client("notify", settings.notify_url, settings),
        _client("events", settings.events_url, settings),
    )


def _client(name: str, url: str, settings: Settings) -> InternalClient:
    token = settings.internal_token.get_secret_value()
    if not url or not token:
        return InternalClient(name, None)
    client = httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {token}"},
        timeout=settings.peer_seconds,
        trust_env=False,
        verify=ssl.create_default_context(cafile=settings.peer_ca_file),
    )
    return InternalClient(name, client)
