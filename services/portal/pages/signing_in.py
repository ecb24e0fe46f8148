"""Signing in: participants by the link of their mails, staff by a link that is mailed to them; and signing out."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from services.portal.pages.context import PERSON_COOKIE, STAFF_COOKIE, Person, Staff, context_of
from services.portal.pages.forms import checked_form
from services.portal.pages.languages import language_of
from services.portal.visitors import LONGEST_CREDENTIAL, Visitor
from shared.access import PrincipalKind, StaffRole

router = APIRouter()
#: The link of a participant ends by itself. A browser forgets it after this time without a visit.
_PERSON_SECONDS: Final = 120 * 24 * 3600
_STAFF_SECONDS: Final = 12 * 3600


@router.get("/p/{link}")
async def enter_as_participant(request: Request, link: str) -> Response:
    """Keep the link of a mail as a cookie, and show the agenda."""
    visitor = await context_of(request).visitors.find(link)
    if visitor is None or visitor.kind is not PrincipalKind.PARTICIPANT:
        return _page(request, "link_ended.html.j2", status=404)
    response = RedirectResponse("/agenda", 303)
    _remember(request, response, PERSON_COOKIE, link, _PERSON_SECONDS)
    return response


@router.get("/staff")
async def ask_for_address(request: Request) -> Response:
    """Show the form that mails a sign-in link to staff."""
    return _page(request, "staff_sign_in.html.j2", is_sent=False)


@router.post("/staff")
async def mail_link(
    request: Request, email: Annotated[str, Form(max_length=254)], operator_id: Annotated[str, Form(max_length=64)]
) -> Response:
    """Have registration mail a link, if there is an account. The page does not tell whether there is."""
    asked = {"email": email.strip(), "operator_id": operator_id.strip()}
    await context_of(request).registration.ask("POST", "/v1/sign-in-links", "", asked)
    return _page(request, "staff_sign_in.html.j2", is_sent=True)


@router.get("/sign-in")
async def show_button(request: Request, link: str = "") -> Response:
    """Show the button that uses a mailed link: programs that open all links of a mail press no buttons."""
    return _page(request, "staff_enter.html.j2", link=link[:LONGEST_CREDENTIAL], is_refused=False)


@router.post("/sign-in")
async def enter_as_staff(request: Request, link: Annotated[str, Form(max_length=LONGEST_CREDENTIAL)]) -> Response:
    """Use the link up and begin a session."""
    reply = await context_of(request).registration.ask("POST", "/v1/sessions", "", {"link": link})
    if not reply.is_success:
        return _page(request, "staff_enter.html.j2", link="", is_refused=True, status=403)
    visitor = await context_of(request).visitors.find(reply.body["session"])
    response = RedirectResponse(_first_page_of(visitor), 303)
    _remember(request, response, STAFF_COOKIE, reply.body["session"], _STAFF_SECONDS)
    return response


@router.post("/sign-out")
async def sign_out_participant(request: Request, person: Person) -> Response:
    """Forget the participant's link in this browser."""
    await checked_form(request, person)
    response = RedirectResponse("/", 303)
    response.delete_cookie(PERSON_COOKIE)
    return response


@router.post("/staff/sign-out")
async def sign_out_staff(request: Request, staff: Staff) -> Response:
    """End the session."""
    await checked_form(request, staff)
    await context_of(request).registration.ask("DELETE", "/v1/sessions/current", staff.credential)
    response = RedirectResponse("/staff", 303)
    response.delete_cookie(STAFF_COOKIE)
    return response


@router.get("/")
async def first(request: Request) -> Response:
    """Show the first page of the signed-in person, else how to sign in."""
    if PERSON_COOKIE in request.cookies:
        return RedirectResponse("/agenda", 303)
    if STAFF_COOKIE in request.cookies:
        return RedirectResponse("/editions", 303)
    return _page(request, "first.html.j2")


def _first_page_of(staff: Visitor | None) -> str:
    """Return the page that a role works with: the desk or the wall of its only edition, else the list of editions."""
    part = {StaffRole.DESK: "desk", StaffRole.VIEWER: "wall"}.get(staff.role) if staff and staff.role else None
    editions = list(staff.editions or ()) if staff else []
    return f"/editions/{editions[0]}/{part}" if part and len(editions) == 1 else "/editions"


def _page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    return context_of(request).writer.page(template, language_of(request), values, status=status)


def _remember(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        secure=context_of(request).settings.has_secure_cookies,
        httponly=True,
        samesite="lax",
    )
