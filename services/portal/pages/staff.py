"""Pages of staff: editions, the board, the desk and the wall."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.board import board_of, wall_of
from services.portal.domain.desk import desk_list
from services.portal.domain.picture import EditionPicture
from services.portal.pages.context import NoSuchPage, Staff, context_of, picture_for
from services.portal.pages.forms import checked_form
from services.portal.pages.languages import language_of
from services.portal.visitors import Visitor
from shared.access import Action

router = APIRouter()


@router.get("/editions")
async def list_editions(request: Request, staff: Staff) -> Response:
    """List the editions of the person."""
    reply = await context_of(request).registration.ask("GET", "/v1/editions", staff.credential)
    editions = reply.body.get("items", []) if reply.is_success else []
    values = {"editions": editions, "token": staff.form_token, "staff": staff, "action": Action}
    return context_of(request).writer.page("staff/editions.html.j2", language_of(request), values)


@router.get("/editions/{edition_id}/board")
async def show_board(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show tables and slots, and the encounters that wait."""
    picture = await _picture(request, staff, edition_id, Action.READ_AGENDA)
    return _page(request, staff, picture, "staff/board.html.j2", board=board_of(picture))


@router.get("/editions/{edition_id}/wall")
async def show_wall(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the present and the next slot, for a screen in the hall."""
    picture, now = await _picture(request, staff, edition_id, Action.READ_AGENDA), context_of(request).clock()
    return _page(request, staff, picture, "staff/wall.html.j2", wall=wall_of(picture, now), now=now)


@router.get("/editions/{edition_id}/desk")
async def show_desk(request: Request, staff: Staff, edition_id: str, q: str = "") -> Response:
    """Show the people who match a search, or the missing people to expect next."""
    picture = await _picture(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    found = desk_list(picture, q[:100], context_of(request).clock())
    return _page(request, staff, picture, "staff/desk.html.j2", found=found, q=q[:100])


@router.post("/editions/{edition_id}/desk/{participant_id}")
async def check_in(request: Request, staff: Staff, edition_id: str, participant_id: str) -> Response:
    """Check a participant in, or take the check-in back."""
    form = await checked_form(request, staff)
    picture = await _picture(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    if participant_id not in picture.participants:
        raise NoSuchPage(participant_id)
    method = "DELETE" if form.get("do") == "undo" else "POST"
    path = f"/v1/editions/{edition_id}/participants/{participant_id}/check-in"
    await context_of(request).registration.ask(method, path, staff.credential)
    return RedirectResponse(f"/editions/{edition_id}/desk", 303)


async def _picture(request: Request, staff: Visitor, edition_id: str, action: Action) -> EditionPicture:
    if not staff.may(action, edition_id):
        raise NoSuchPage(edition_id)
    return await picture_for(request, staff, edition_id)


def _page(request: Request, staff: Visitor, picture: EditionPicture, template: str, **values: object) -> Response:
    timezone = picture.edition.timezone if picture.edition else "UTC"
    common: dict[str, object] = {
        "edition": picture.edition,
        "staff": staff,
        "token": staff.form_token,
        "number": picture.number,
    }
    common |= {"path": request.url.path, "action": Action}
    return context_of(request).writer.page(template, language_of(request), common | values, timezone)
