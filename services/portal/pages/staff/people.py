"""People and requests of an edition: find, correct, cancel, answer on behalf."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.domain.agenda import shown_agenda
from services.portal.domain.directory import listed_people, waiting_requests
from services.portal.domain.requests import shown_requests
from services.portal.pages.context import NoSuchPage, Staff
from services.portal.pages.forms import checked_form
from services.portal.pages.staff.common import StaffChange, StaffView
from shared.access import Action
from shared.contract.events import Language

router = APIRouter()
_LONGEST_SEARCH = 100
_ANSWERS = {"accept": "acceptance", "decline": "refusal", "withdraw": "withdrawal"}


@router.get("/editions/{edition_id}/people")
async def show_people(request: Request, staff: Staff, edition_id: str, q: str = "") -> Response:
    """Show the people that a search finds, also cancelled people."""
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_PARTIES)
    return view.page("people.html.j2", found=listed_people(view.picture, q[:_LONGEST_SEARCH]), q=q[:_LONGEST_SEARCH])


@router.get("/editions/{edition_id}/people/{participant_id}")
async def show_person(request: Request, staff: Staff, edition_id: str, participant_id: str) -> Response:
    """Show a person with agenda and requests, and the forms that correct or cancel."""
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_PARTIES)
    participant = view.picture.participants.get(participant_id)
    if participant is None:
        raise NoSuchPage(participant_id)
    return view.page(
        "person.html.j2",
        participant=participant,
        house=view.picture.organisations.get(participant.organisation_id),
        agenda=shown_agenda(view.picture, participant_id),
        requests=shown_requests(view.picture, participant_id),
        languages=[*Language],
    )


@router.post("/editions/{edition_id}/people/{participant_id}")
async def change_person(request: Request, staff: Staff, edition_id: str, participant_id: str) -> Response:
    """Correct, cancel or reinstate a person: the effects first. Or end the person's links."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_PARTIES)
    participant = view.picture.participants.get(participant_id)
    if participant is None:
        raise NoSuchPage(participant_id)
    path, back = f"/participants/{participant_id}", f"{view.address}/people/{participant_id}"
    match form.get("do"):
        case "revoke":
            return view.done(await view.ask("POST", f"{path}/links/revocation"), back)
        case "cancel" | "reinstate" as wanted:
            verb = "cancellation" if wanted == "cancel" else "reinstatement"
            return await view.confirmed(form, StaffChange("POST", f"{path}/{verb}", None, back), [("do", wanted)])
        case "save":
            names = ("name", "job_title", "phone", "language", "revision", "do")
            languages = [form.get("language", ""), *participant.languages]
            patch: dict[str, Any] = {
                "name": form.get("name", "").strip(),
                "job_title": form.get("job_title", "").strip() or None,
                "phone": form.get("phone", "").strip() or None,
                "languages": [*dict.fromkeys(languages)][:3],
            }
            text = form.get("revision", "")
            revision = int(text) if text.isdecimal() and len(text) < len("1000000000") else 0
            change = StaffChange("PATCH", path, patch, back, revision)
            return await view.confirmed(form, change, [(name, form[name]) for name in names if name in form])
    raise NoSuchPage("person")


@router.get("/editions/{edition_id}/requests")
async def show_requests_of_all(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the requests that wait for an answer, the oldest first."""
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_REQUESTS)
    return view.page("requests.html.j2", requests=waiting_requests(view.picture))


@router.post("/editions/{edition_id}/requests/{request_id}")
async def answer_for_person(request: Request, staff: Staff, edition_id: str, request_id: str) -> Response:
    """Accept, decline or withdraw a request on behalf of its participant: the effects first."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_REQUESTS)
    verb = _ANSWERS.get(form.get("do", ""))
    if verb is None or request_id not in view.picture.requests:
        raise NoSuchPage(request_id)
    change = StaffChange("POST", f"/match-requests/{request_id}/{verb}", None, f"{view.address}/requests")
    return await view.confirmed(form, change, [("do", form["do"])])
