"""The services that registration asks on behalf of an operator, over HTTP (`shared.internal_api.server`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from services.registration.settings import Settings

_LONGEST_DETAIL = 1000


class PeerAway(Exception):
    """The service asked does not answer, or cannot now: try again."""


class PeerDeclined(Exception):
    """The service asked says no: with this HTTP status, kind of problem and detail."""

    def __init__(self, status: int, slug: str, detail: str, more: Mapping[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.more = more


class InternalClient:
    """A service that can be asked. Answers are JSON objects.

    Every question may raise `PeerAway` (no address set, no connection, no answer in time, its own defect) and
    `PeerDeclined`.
    """

    def __init__(self, name: str, client: httpx.AsyncClient | None) -> None:
        self._name = name
        self._client = client

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Ask for what is at `path`, without the leading `/internal`."""
        return await self._ask("GET", path, parameters=parameters)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask with a JSON body."""
        return await self._ask("POST", path, body=body)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        if self._client is None:
            raise PeerAway(f"this installation does not say where {self._name} is")
        try:
            response = await self._client.request(method, f"/internal{path}", params=parameters, json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise PeerAway(f"{self._name} does not answer") from error
        if response.is_success and isinstance(answer, dict):
            return answer
        raise self._refusal(response.status_code, answer)

    def _refusal(self, status: int, answer: object) -> Exception:
        """Its own defect, or a token that is not ours, is nothing that the operator did."""
        if (
            not isinstance(answer, dict)
            or status == httpx.codes.UNAUTHORIZED
            or not httpx.codes.is_client_error(status)
        ):
            return PeerAway(f"{self._name} cannot answer now")
        more = {key: value for key, value in answer.items() if key not in ("slug", "detail")}
        slug, detail = str(answer.get("slug", "refused")), str(answer.get("detail", ""))
        return PeerDeclined(status, slug, detail[:_LONGEST_DETAIL], more)


@dataclass(frozen=True)
class Peers:
    """Whom registration may ask."""

    matching: InternalClient
    scheduler: InternalClient

    async def close(self) -> None:
        """Let go of the connections."""
        await self.matching.close()
        await self.scheduler.close()


def nobody() -> Peers:
    """Peers none of which answers: what an installation has that sets no addresses."""
    return Peers(InternalClient("matching", None), InternalClient("scheduler", None))


def peers_of(settings: Settings) -> Peers:
    """Those whose addresses the settings give."""
    return Peers(
        _peer("matching", settings.matching_url, settings), _peer("scheduler", settings.scheduler_url, settings)
    )


def _peer(name: str, url: str, settings: Settings) -> InternalClient:
    token = settings.internal_token.get_secret_value()
    if not url or not token:
        return InternalClient(name, None)
    client = httpx.AsyncClient(
        base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=settings.peer_seconds, trust_env=False
    )
    return InternalClient(name, client)
