"""Sign-in of staff by an OpenID Connect provider (Core 1.0, code flow with PKCE), if the installation names one.

The provider only proves an address: roles stay those of the staff account of that address.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, ValidationError

from services.registration.keys import new_secret
from shared.contract.ids import Id
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)
#: Signature algorithms that are taken. `none` and shared secrets are not.
_ALGORITHMS: Final = ["RS256", "PS256", "ES256", "ES384", "EdDSA"]
_KEPT_SECONDS: Final = 600.0
_LEEWAY_SECONDS: Final = 60
_MOST_BYTES: Final = 256 * 1024


class OidcFailed(Exception):
    """The provider does not answer, or its answer proves nothing; the message is for the person who signs in."""


class Attempt(BaseModel):
    """A sign-in that has begun. The browser holds it in a cookie until it comes back from the provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator_id: Id
    state: str
    nonce: str
    verifier: str


class OidcProvider:
    """A provider of identities. `http` has a time-out, and follows no redirects."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, http: httpx.AsyncClient, clock: Clock
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._client = (client_id, client_secret)
        self._redirect_uri = redirect_uri
        self._http = http
        self._clock = clock
        self._kept: dict[str, tuple[float, Mapping[str, Any]]] = {}

    async def begin(self, operator_id: str) -> tuple[str, Attempt]:
        """Return the address of the provider's page, and the attempt to keep. Raises `OidcFailed`."""
        attempt = Attempt(operator_id=operator_id, state=new_secret(), nonce=new_secret(), verifier=new_secret())
        address: str = prepare_grant_uri(
            (await self._configuration())["authorization_endpoint"],
            self._client[0],
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid email",
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return address, attempt

    async def email_of(self, code: str, attempt: Attempt) -> str:
        """Return the address that the provider has verified.

        Raises:
            OidcFailed: the code or the token is not accepted, or the address is not verified.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
        }
        endpoint = (await self._configuration())["token_endpoint"]
        answer = await self._json("POST", endpoint, data=form, auth=self._client)
        claims = await self._claims(str(answer.get("id_token", "")), attempt)
        if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            raise OidcFailed("the provider has not verified your address: verify it there, then sign in again")
        email: str = claims["email"]
        return email

    async def _claims(self, token: str, attempt: Attempt) -> CodeIDToken:
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self._client[0]},
        }
        parameters = {"nonce": attempt.nonce, "client_id": self._client[0]}
        for is_fresh in (False, True):  # a provider changes its keys now and then
            try:
                keys = KeySet.import_key_set(await self._keys(is_fresh=is_fresh))  # type: ignore[arg-type] # JSON
                decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
                claims = CodeIDToken(decoded.claims, decoded.header, options, parameters)
                claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY_SECONDS)
            except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
                refusal = error
            else:
                return claims
        _log.warning("oidc_token_refused", kind=type(refusal).__name__)
        raise OidcFailed("the provider's answer does not prove who you are: sign in again")

    async def _configuration(self) -> Mapping[str, Any]:
        found = await self._kept_json(f"{self._issuer}/.well-known/openid-configuration")
        endpoints = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if found.get("issuer", "").rstrip("/") != self._issuer or not all(
            isinstance(found.get(name), str) for name in endpoints
        ):
            raise OidcFailed("the provider describes itself as another one: tell whoever runs this installation")
        return found

    async def _keys(self, *, is_fresh: bool) -> Mapping[str, Any]:
        address = (await self._configuration())["jwks_uri"]
        if is_fresh:
            self._kept.pop(address, None)
        return await self._kept_json(address)

    async def _kept_json(self, address: str) -> Mapping[str, Any]:
        until, found = self._kept.get(address, (-math.inf, {}))
        if until <= time.monotonic():
            found = await self._json("GET", address)
            self._kept[address] = (time.monotonic() + _KEPT_SECONDS, found)
        return found

    async def _json(self, method: str, address: str, **options: Any) -> Mapping[str, Any]:  # noqa: ANN401 - httpx's
        try:
            response = await self._http.request(method, address, headers={"Accept": "application/json"}, **options)
            answer = response.raise_for_status().json() if len(response.content) <= _MOST_BYTES else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            _log.warning("oidc_no_answer", kind=type(error).__name__)
            raise OidcFailed("the provider does not answer, or refuses: try again in a minute") from error
        if not isinstance(answer, dict):
            raise OidcFailed("the provider's answer cannot be read: try again in a minute")
        return answer


def attempt_in(cookie: str) -> Attempt | None:
    """Return the attempt that a cookie holds; None if it holds none."""
    try:
        return Attempt.model_validate_json(bytes.fromhex(cookie))
    except (ValueError, ValidationError):
        return None


def cookie_of(attempt: Attempt) -> str:
    """Return the value of the cookie of an attempt."""
    return attempt.model_dump_json().encode().hex()
