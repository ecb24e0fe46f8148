"""The client of registration: it asks as the signed-in person, and so has no right of its own."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.portal.settings import Settings
from shared.runtime import trace


class RegistrationAway(Exception):
    """Registration does not answer, or has a defect: try again."""


@dataclass(frozen=True)
class Reply:
    """An answer of registration: its status and its body."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Tell whether the request was done."""
        return httpx.codes.is_success(self.status)

    @property
    def is_overtaken(self) -> bool:
        """Tell whether the thing, or the effects of the change, differ from the effects that the person has seen."""
        return self.status in {httpx.codes.PRECONDITION_FAILED, httpx.codes.PRECONDITION_REQUIRED}

    @property
    def fault(self) -> str:
        """The reason of a refusal in registration's words: of the first fault, else of the whole."""
        errors = self.body.get("errors") or [{}]
        return str(errors[0].get("detail") or self.body.get("detail") or "")


class RegistrationProxy:
    """Sends requests to the public routes of registration. Every request may raise `RegistrationAway`."""

    def __init__(self, http: httpx.AsyncClient | None) -> None:
        self._http = http

    @classmethod
    def of(cls, settings: Settings) -> RegistrationProxy:
        """Return the client of the address in the settings."""
        if not settings.registration_url:
            return cls(None)
        http = httpx.AsyncClient(
            base_url=settings.registration_url.rstrip("/"),
            timeout=settings.registration_seconds,
            trust_env=False,
            verify=ssl.create_default_context(cafile=settings.registration_ca_file),
        )
        return cls(http)

    async def ask(
        self,
        method: str,
        path: str,
        credential: str,
        body: Mapping[str, Any] | None = None,
        *,
        revision: int | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request with a person's credential, or without any if it is empty.

        With a `revision`, the change is made only if the thing still has it.
        """
        if self._http is None:
            raise RegistrationAway("this installation does not say where registration is")
        headers = trace.request_headers()
        headers |= {"Authorization": f"Bearer {credential}"} if credential else {}
        headers |= {"If-Match": f'"{revision}"'} if revision is not None else {}
        try:
            response = await self._http.request(method, path, json=body, params=query, headers=headers)
            answer = response.json() if response.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise RegistrationAway("registration does not answer") from error
        if httpx.codes.is_server_error(response.status_code) or not isinstance(answer, dict):
            raise RegistrationAway("registration cannot answer now")
        return Reply(response.status_code, answer)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
