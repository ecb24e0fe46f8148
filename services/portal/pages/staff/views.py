"""Pages that show an edition: the list of editions, the board, waiting encounters and the wall."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.domain.board import board_of, filtered, wall_of
from services.portal.domain.figures import figures_of
from services.portal.pages.context import Staff, context_of
from services.portal.pages.languages import language_of
from services.portal.pages.staff.common import StaffView
from shared.access import Action
from shared.contract.waiting_phrases import WAITING_PHRASES

router = APIRouter()
_LONGEST_SEARCH = 100


@router.get("/editions")
async def list_editions(request: Request, staff: Staff) -> Response:
    """List the editions of the person."""
    reply = await context_of(request).registration.ask("GET", "/v1/editions", staff.credential)
    editions = reply.body.get("items", []) if reply.is_success else []
    values = {"editions": editions, "token": staff.form_token, "staff": staff, "action": Action}
    return context_of(request).writer.page("staff/editions.html.j2", language_of(request), values)


@router.get("/editions/{edition_id}/board")
async def show_board(request: Request, staff: Staff, edition_id: str, q: str = "") -> Response:
    """Show tables and slots, and the encounters that wait; with a search, the encounters that it finds."""
    view = await StaffView.of(request, staff, edition_id, Action.READ_AGENDA)
    words = q[:_LONGEST_SEARCH]
    board = board_of(view.picture)
    reasons = WAITING_PHRASES[view.language].reasons
    found = filtered(view.picture, board, words)
    return view.page("board.html.j2", board=board, q=words, found=found, reasons=reasons)


@router.get("/editions/{edition_id}/figures")
async def show_figures(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the figures of the edition."""
    view = await StaffView.of(request, staff, edition_id, Action.PLAN_AGENDA)
    return view.page("figures.html.j2", figures=figures_of(view.picture))


@router.get("/editions/{edition_id}/wall")
async def show_wall(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the present and the next slot, for a screen in the hall."""
    view = await StaffView.of(request, staff, edition_id, Action.READ_AGENDA)
    now = context_of(request).clock()
    return view.page("wall.html.j2", wall=wall_of(view.picture, now), now=now)
