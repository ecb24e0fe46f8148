"""Pages for paper: an agenda a person, a card a table, a list a delegation, badges."""

from __future__ import annotations

import segno
from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from services.portal.domain.printing import agendas_to_print, badges_to_print, cards_to_print, delegations_to_print
from services.portal.pages.context import NoSuchPage, Staff, context_of
from services.portal.pages.staff.common import StaffView
from shared.access import Action

router = APIRouter()
_LONGEST_SEARCH = 100
_SHEETS = {
    "agendas": agendas_to_print,
    "tables": cards_to_print,
    "delegations": delegations_to_print,
    "badges": badges_to_print,
}


@router.get("/editions/{edition_id}/print")
async def choose_sheets(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the sheets that can be printed."""
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    return view.page("print.html.j2")


@router.get("/editions/{edition_id}/print/{what}")
async def print_sheets(request: Request, staff: Staff, edition_id: str, what: str, q: str = "") -> Response:
    """Show sheets for paper, of all people or of the results of a search."""
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    if what not in _SHEETS:
        raise NoSuchPage(what)
    sheets = _SHEETS[what](view.picture, q[:_LONGEST_SEARCH])
    desk = f"{context_of(request).settings.portal_url}{view.address}/desk?q="

    def code_of(participant_id: str) -> Markup:
        """Return the QR code that opens the person at the desk: it holds an id, and no personal data."""
        return Markup(segno.make(desk + participant_id, micro=False).svg_inline(scale=3))  # noqa: S704 - of ids alone

    return view.page(f"print_{what}.html.j2", sheets=sheets, code_of=code_of, q=q[:_LONGEST_SEARCH])
