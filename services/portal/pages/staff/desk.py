"""The desk: search, check-in, walk-ins, the encounters of this moment, and a day that runs late."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.board import wall_of
from services.portal.domain.desk import desk_list, organisations_named
from services.portal.domain.late import days_with_pause
from services.portal.pages.context import NoSuchPage, Staff, context_of
from services.portal.pages.forms import checked_form
from services.portal.pages.staff.common import StaffChange, StaffView
from shared.access import Action

router = APIRouter()
_LONGEST_SEARCH, _LATEST = 100, 60


@router.get("/editions/{edition_id}/desk")
async def show_desk(request: Request, staff: Staff, edition_id: str, q: str = "") -> Response:
    """Show the people who match a search, or the missing people to expect next."""
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    words = q[:_LONGEST_SEARCH]
    return view.page("desk.html.j2", found=desk_list(view.picture, words, context_of(request).clock()), q=words)


@router.get("/editions/{edition_id}/desk/now")
async def show_now(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the encounters of the present slot, to report absences."""
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    now = context_of(request).clock()
    return view.page("desk_now.html.j2", wall=wall_of(view.picture, now))


@router.get("/editions/{edition_id}/desk/new")
async def show_walk_in(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the form for an unregistered person."""
    view = await StaffView.of(request, staff, edition_id, Action.REGISTER)
    return view.page("walk_in.html.j2", fields={}, fault="")


@router.post("/editions/{edition_id}/desk/new")
async def register_walk_in(request: Request, staff: Staff, edition_id: str) -> Response:
    """Register a person and, if it is not known, the organisation; then check the person in."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.REGISTER)
    known = organisations_named(view.picture, form.get("organisation", ""))
    if known:
        organisation_id = known[0]
    else:
        house = {
            "name": form.get("organisation", "").strip(),
            "kind": form.get("kind", "sme"),
            "country": form.get("country", "").strip().upper(),
        }
        made = await view.ask("POST", "/organisations", house)
        if not made.is_success:
            return view.page("walk_in.html.j2", 409, fields=form, fault=made.fault)
        organisation_id = str(made.body["organisation_id"])
    person = {
        "organisation_id": organisation_id,
        "name": form.get("name", "").strip(),
        "email": form.get("email", "").strip(),
        "languages": [form.get("language", "en")],
    }
    made = await view.ask("POST", "/participants", person)
    if not made.is_success:
        return view.page("walk_in.html.j2", 409, fields=form, fault=made.fault)
    participant_id = str(made.body["participant_id"])
    return view.done(await view.ask("POST", f"/participants/{participant_id}/check-in"), f"{view.address}/desk")


@router.get("/editions/{edition_id}/late")
async def show_late(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the form that moves the rest of the day."""
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_EDITIONS)
    return view.page("late.html.j2")


@router.post("/editions/{edition_id}/late")
async def run_late(request: Request, staff: Staff, edition_id: str) -> Response:
    """Have all that has not begun start some minutes later: the effects first."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_EDITIONS)
    text = form.get("minutes", "")
    if not text.isdecimal() or not 1 <= int(text[:3]) <= _LATEST:
        raise NoSuchPage("minutes")
    whole = await view.ask("GET", "")
    now = context_of(request).clock().astimezone(ZoneInfo(view.edition.timezone)).replace(tzinfo=None)
    coming = [
        slot.starts_at.astimezone(ZoneInfo(view.edition.timezone)).replace(tzinfo=None) for slot in view.edition.slots
    ]
    starts = next((moment for moment in coming if moment > now), None)
    patch = days_with_pause(whole.body, starts, timedelta(minutes=int(text))) if starts and whole.is_success else None
    if patch is None:
        return view.page("not_done.html.j2", 409, fault="", back=f"{view.address}/late")
    change = StaffChange("PATCH", "", patch, f"{view.address}/board", int(whole.body["revision"]))
    return await view.confirmed(form, change, [("minutes", text)])


@router.post("/editions/{edition_id}/desk/{participant_id}")
async def check_in(request: Request, staff: Staff, edition_id: str, participant_id: str) -> Response:
    """Check a participant in, or take the check-in back."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    if participant_id not in view.picture.participants:
        raise NoSuchPage(participant_id)
    method = "DELETE" if form.get("do") == "undo" else "POST"
    reply = await view.ask(method, f"/participants/{participant_id}/check-in")
    if not reply.is_success:
        return view.done(reply, f"{view.address}/desk")
    return RedirectResponse(f"{view.address}/desk?said=done", 303)
