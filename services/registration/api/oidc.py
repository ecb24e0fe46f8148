"""Sign-in by an OpenID Connect provider: the way there, and the way back."""

from __future__ import annotations

import hmac

from fastapi import FastAPI, Request, Response
from starlette.responses import RedirectResponse
from starlette.routing import Route

from services.registration.api.access import context_of, is_id
from services.registration.api.sign_in import page, sign_in_of, signed_in
from services.registration.authenticator import UnknownKey
from services.registration.staff.oidc import OidcFailed, OidcProvider, attempt_in, cookie_of

_PATH = "/sign-in/oidc"
_COOKIE = "tertulia-oidc"
_MINUTES = 10


def add_oidc_pages(app: FastAPI) -> None:
    """Add `GET /sign-in/oidc?operator_id=`, and the address to which the provider sends the browser back."""

    async def leave(request: Request) -> Response:
        operator_id = request.query_params.get("operator_id", "")
        if not is_id(operator_id):
            return page("Not signed in", "<p>Name your operator: /sign-in/oidc?operator_id=…</p>", 400)
        try:
            address, attempt = await _provider_of(request).begin(operator_id)
        except OidcFailed as failed:
            return page("Not signed in", f"<p>{failed}</p>", 502)
        answer = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
        is_secure = context_of(request).settings.sign_in_url.startswith("https:")
        answer.set_cookie(
            _COOKIE, cookie_of(attempt), _MINUTES * 60, path=_PATH, secure=is_secure, httponly=True, samesite="lax"
        )
        return answer

    async def come_back(request: Request) -> Response:
        attempt, query = attempt_in(request.cookies.get(_COOKIE, "")), request.query_params
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), query.get("state", "").encode()):
            answer = page("Not signed in", "<p>This sign-in did not begin here, or took too long.</p>", 400)
        elif "code" not in query:
            answer = page("Not signed in", "<p>The provider did not let you in: begin again.</p>", 403)
        else:
            try:
                email = await _provider_of(request).email_of(query["code"][:2000], attempt)
                answer = page("Signed in", signed_in(*await sign_in_of(request).enter_as(attempt.operator_id, email)))
            except (OidcFailed, UnknownKey) as failed:
                answer = page("Not signed in", f"<p>{failed}</p>", 403)
        answer.delete_cookie(_COOKIE, path=_PATH)
        return answer

    app.router.routes.extend((Route(_PATH, leave), Route(f"{_PATH}/callback", come_back)))


def _provider_of(request: Request) -> OidcProvider:
    provider = context_of(request).oidc
    if provider is None:
        raise OidcFailed("this installation has no provider: ask for a sign-in link")
    return provider
