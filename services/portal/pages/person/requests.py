"""The match requests of a participant."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.requests import shown_requests
from services.portal.pages.context import NoSuchPage, Person
from services.portal.pages.forms import checked_form
from services.portal.pages.person.common import PersonView

router = APIRouter()
_VERBS = {"accept": "acceptance", "decline": "refusal", "withdraw": "withdrawal", "retract": "retraction"}


@router.get("/requests")
async def show_requests(request: Request, person: Person) -> Response:
    """Show the requests that wait for the participant's answer, and the sent requests."""
    view = await PersonView.of(request, person)
    return view.page("requests.html.j2", requests=shown_requests(view.picture, person.id))


@router.post("/requests/{request_id}")
async def answer_request(request: Request, person: Person, request_id: str) -> Response:
    """Accept, decline or withdraw a request, as the participant."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    verb = _VERBS.get(form.get("do", ""))
    if verb is None or request_id not in {found.request_id for found in view.picture.requests_of(person.id)}:
        raise NoSuchPage(request_id)
    reply = await view.ask("POST", f"/match-requests/{request_id}/{verb}")
    back = "/people" if form.get("back") == "people" else "/requests"
    return RedirectResponse(f"{back}?said={'done' if reply.is_success else 'refused'}", 303)
