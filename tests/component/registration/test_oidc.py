"""Sign-in by an OpenID Connect provider that the test plays: its signature, its claims, and its faults."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.registration.api.access import ApiContext
from services.registration.staff.oidc import OidcProvider
from services.registration.staff.use_cases import SignIn
from tests.support.registration_api import client_of

_ISSUER = "https://login.example"
_KEY, _OTHER_KEY = (RSAKey.generate_key(2048, {"kid": kid}, private=True) for kid in ("one", "two"))


class Provider:
    """An OpenID Connect provider. `claims` replace those of its tokens; `key` signs them."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.key, self.published = _KEY, [_KEY]
        self.is_away = False
        self.asked: Mapping[str, list[str]] = {}
        self.now = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_away:
            raise httpx.ConnectError("away")
        path = request.url.path
        if path.endswith("openid-configuration"):
            names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
            return httpx.Response(200, json={"issuer": _ISSUER} | {k: f"{_ISSUER}/{v}" for k, v in names.items()})
        if path == "/keys":
            return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.published]})
        form = parse_qs(request.content.decode())
        challenge = create_s256_code_challenge(form["code_verifier"][0])
        if form["code"] != ["c0de"] or challenge != self.asked["code_challenge"][0]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        claims = {
            "iss": _ISSUER,
            "sub": "1",
            "aud": "tertulia",
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": self.asked["nonce"][0],
            "email": "eva@itecam.example",
            "email_verified": True,
        }
        kept = {name: value for name, value in (claims | self.claims).items() if value is not None}
        return httpx.Response(200, json={"id_token": jwt.encode({"alg": "RS256", "kid": self.key.kid}, kept, self.key)})


class _NoMails:
    async def mail_link(self, member: object, secret: str) -> None:
        raise AssertionError


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def context(context: ApiContext, provider: Provider) -> ApiContext:
    assert context.staff is not None
    provider.now = int(context.clock().timestamp())
    http = httpx.AsyncClient(transport=httpx.MockTransport(provider.answer))
    oidc = OidcProvider(_ISSUER, "tertulia", "s3cret", "http://registration/sign-in/oidc/callback", http, context.clock)
    sign_in = SignIn(context.staff, _NoMails(), context.clock)
    return dataclasses.replace(context, oidc=oidc, sign_in=sign_in)


async def sign_in(context: ApiContext, provider: Provider, **changes: str) -> httpx.Response:
    """Go to the provider and come back as a browser does. `changes` are made to the query of the way back."""
    async with client_of(context, None) as browser:
        left = await browser.get("http://registration/sign-in/oidc?operator_id=itecam")
        assert left.status_code == 303, left.text
        provider.asked = parse_qs(urlsplit(left.headers["location"]).query)
        query = {"code": "c0de", "state": provider.asked["state"][0]} | changes
        return await browser.get("http://registration/sign-in/oidc/callback", params=query)


@pytest.fixture
async def eva(api: httpx.AsyncClient) -> None:
    body = {"email": "eva@itecam.example", "name": "Eva Sanz", "role": "viewer"}
    assert (await api.post("/staff", json=body)).status_code == 201


@pytest.mark.usefixtures("eva")
async def test_a_proven_address_begins_the_session_of_its_account(context: ApiContext, provider: Provider) -> None:
    entered = await sign_in(context, provider)
    assert (entered.status_code, "S1.itecam." in entered.text) == (200, True)
    assert provider.asked["redirect_uri"] == ["http://registration/sign-in/oidc/callback"]
    assert provider.asked["code_challenge_method"] == ["S256"]
    session = entered.text.partition("<code>S1.")[2].partition("</code>")[0]
    async with client_of(context, None) as browser:
        rights = await browser.get("/me", headers={"Authorization": f"Bearer S1.{session}"})
        assert rights.json()["role"] == "viewer"


@pytest.mark.usefixtures("eva")
async def test_a_provider_that_changes_its_keys_is_read_again(context: ApiContext, provider: Provider) -> None:
    assert (await sign_in(context, provider)).status_code == 200
    provider.key, provider.published = _OTHER_KEY, [_OTHER_KEY]
    assert (await sign_in(context, provider)).status_code == 200


@pytest.mark.usefixtures("eva")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"nonce": "replayed"},
        {"nonce": None},
        {"exp": 1},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
        {"email": "nobody@itecam.example"},
    ],
)
async def test_a_token_that_proves_nothing_opens_nothing(
    context: ApiContext, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    refused = await sign_in(context, provider)
    assert (refused.status_code, "S1." in refused.text) == (403, False)


@pytest.mark.usefixtures("eva")
async def test_a_token_signed_by_another_key_opens_nothing(context: ApiContext, provider: Provider) -> None:
    provider.key = _OTHER_KEY
    assert (await sign_in(context, provider)).status_code == 403


@pytest.mark.usefixtures("eva")
@pytest.mark.parametrize(("changes", "status"), [({"state": "forged"}, 400), ({"code": "stolen"}, 403)])
async def test_a_way_back_that_was_not_begun_here_is_refused(
    context: ApiContext, provider: Provider, changes: dict[str, str], status: int
) -> None:
    refused = await sign_in(context, provider, **changes)
    assert (refused.status_code, "S1." in refused.text) == (status, False)


async def test_a_provider_that_is_away_is_told(context: ApiContext, provider: Provider) -> None:
    provider.is_away = True
    async with client_of(context, None) as browser:
        left = await browser.get("http://registration/sign-in/oidc?operator_id=itecam")
    assert (left.status_code, "does not answer" in left.text) == (502, True)


async def test_without_a_provider_the_way_is_closed(context: ApiContext) -> None:
    async with client_of(dataclasses.replace(context, oidc=None), None) as browser:
        left = await browser.get("http://registration/sign-in/oidc?operator_id=itecam")
    assert (left.status_code, "sign-in link" in left.text) == (502, True)
