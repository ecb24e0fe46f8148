"""Signing in of staff by a mailed link, and signing out. Asking and entering need no credential.

A link scanner that opens the link changes nothing: GET shows a button, and the POST of the button uses the link.
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse
from starlette.routing import Route

from services.registration.api.access import CurrentPrincipal, context_of, key_in, staff_of
from services.registration.api.bodies import anonymous_body_of, body_docs, read_body
from services.registration.api.reference_page import POLICY, head
from services.registration.api.rights import needs, open_to_all
from services.registration.authenticator import TooManyRefusals, UnknownKey
from services.registration.internal_clients import ServiceUnavailable
from services.registration.keys import digest_of
from services.registration.staff.accounts import LinkFacts, SignInFacts, StaffSession, secret_of_session
from services.registration.staff.use_cases import SignIn
from shared.access import Action
from shared.contract.events import Instant

router = APIRouter(tags=["access"])
#: Most bytes of the form of a button.
FORM_BYTES = 4096
_NO_STORE = {"Cache-Control": "no-store"}


class BegunSession(BaseModel):
    """A session that was begun just now."""

    session: str = Field(description="To send as `Authorization: Bearer`. It is kept as a hash: store it now.")
    expires_at: Instant


@router.post("/sign-in-links", status_code=202, openapi_extra=body_docs(SignInFacts) | {"security": []})
@open_to_all
async def ask_for_link(request: Request, facts: Annotated[SignInFacts, anonymous_body_of(SignInFacts)]) -> Response:
    """Mail a sign-in link, if there is a staff account of this address. The answer does not tell whether there is."""
    sign_in_of(request).ask(facts, _address_of(request))
    return Response(status_code=202)


@router.post(
    "/sessions", status_code=201, response_model=BegunSession, openapi_extra=body_docs(LinkFacts) | {"security": []}
)
@open_to_all
async def begin_session(request: Request, facts: Annotated[LinkFacts, anonymous_body_of(LinkFacts)]) -> Response:
    """Use the secret of a sign-in link up, and begin a session of 12 hours."""
    text, session = await sign_in_of(request).enter(facts.link, _address_of(request))
    view = BegunSession(session=text, expires_at=session.expires_at)
    return Response(view.model_dump_json(), 201, _NO_STORE, media_type="application/json")


@router.delete("/sessions/current", status_code=204)
@needs(Action.SEE_OWN_RIGHTS)
async def end_session(request: Request, principal: CurrentPrincipal) -> Response:
    """Sign out: end the session that the request is made with. A key is not ended."""
    presented = secret_of_session(key_in(request.headers.get("authorization", "")))
    if presented is not None:
        await staff_of(request).end_session(digest_of(presented[1]))
        await context_of(request).authenticator.read_again(principal.operator_id)
    return Response(status_code=204)


def add_sign_in_page(app: FastAPI) -> None:
    """Add `GET /sign-in`, at which a mailed link arrives, and the `POST` of its button."""

    async def show(request: Request) -> Response:
        link = request.query_params.get("link", "")[:300]
        return page(
            "Sign in",
            '<form method="post" action="sign-in">'
            f'<input type="hidden" name="link" value="{escape(link)}"><button>Sign in</button></form>',
        )

    async def enter(request: Request) -> Response:
        form = parse_qs((await read_body(request, FORM_BYTES)).decode(errors="replace"))
        try:
            text, session = await sign_in_of(request).enter(form.get("link", [""])[0], _address_of(request))
        except (UnknownKey, TooManyRefusals, ServiceUnavailable) as refused:
            return page("Not signed in", f"<p>{escape(str(refused))}</p>", 403)
        return page("Signed in", signed_in(text, session))

    app.router.routes.extend((Route("/sign-in", show), Route("/sign-in", enter, methods=["POST"])))


def signed_in(text: str, session: StaffSession) -> str:
    """Return the body of the page that shows a session once."""
    return (
        f"<p>You are signed in until {session.expires_at:%Y-%m-%d %H:%M} UTC. Programs and the commands of "
        f"<code>tertulia</code> take this as the key; it is shown this once:</p><p><code>{escape(text)}</code></p>"
    )


def page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """Return a small page. The body is HTML."""
    content = f"{head(title)}</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    policy = POLICY["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
    return HTMLResponse(content, status, POLICY | _NO_STORE | {"Content-Security-Policy": policy})


def sign_in_of(request: Request) -> SignIn:
    """Return the sign-in of the installation. Raises `ServiceUnavailable` without an address for its links."""
    sign_in = context_of(request).sign_in
    if sign_in is None:
        raise ServiceUnavailable("this installation mails no sign-in links: TERTULIA_SIGN_IN_URL is not set")
    return sign_in


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""
