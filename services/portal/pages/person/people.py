"""People to meet: recommended, searched, asked."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.meeting import (
    Acquaintance,
    MeetingSearch,
    acquaintance,
    facets,
    find_people,
    may_be_asked,
)
from services.portal.pages.context import NoSuchPage, Person
from services.portal.pages.forms import checked_form
from services.portal.pages.person.common import PersonView
from services.portal.registration import RegistrationAway

router = APIRouter()
_RECOMMENDED, _MOST_PAGES, _LONGEST_SEARCH = 6, 500, 100


@router.get("/people")
async def show_people(
    request: Request, person: Person, q: str = "", kind: str = "", country: str = "", page: str = "0"
) -> Response:
    """Show the people who fit best, and a search of all."""
    view = await PersonView.of(request, person)
    number = int(page) if page.isdecimal() and len(page) <= len(str(_MOST_PAGES)) else 0
    search = MeetingSearch(q[:_LONGEST_SEARCH], kind[:40], country[:2], number)
    kinds, countries = facets(view.picture)
    recommended = await _recommended(view) if search.is_empty and not search.page else ()
    found = find_people(view.picture, person.id, search, view.language)
    return view.page(
        "people.html.j2", search=search, kinds=kinds, countries=countries, recommended=recommended, found=found
    )


@router.post("/people/{participant_id}")
async def ask_to_meet(request: Request, person: Person, participant_id: str) -> Response:
    """Ask a person to meet."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    if participant_id not in view.picture.participants or not may_be_asked(view.picture, person.id, participant_id):
        raise NoSuchPage(participant_id)
    priority = 3 if form.get("wanted") == "most" else 2
    reply = await view.ask("POST", "/match-requests", {"target_id": participant_id, "priority": priority})
    if reply.is_success:
        return RedirectResponse("/requests?said=asked", 303)
    return view.page("not_done.html.j2", 409, fault=reply.fault, back="/people")


async def _recommended(view: PersonView) -> tuple[Acquaintance, ...]:
    """Return the people who fit best, with the reason; empty while registration or matching is away."""
    try:
        reply = await view.ask("GET", "/candidates", query={"limit": str(_RECOMMENDED)})
    except RegistrationAway:
        return ()
    told = reply.body.get("told", {})
    ids = [item["participant_id"] for item in reply.body.get("items", ()) if "participant_id" in item]
    return tuple(
        acquaintance(view.picture, view.person.id, participant_id, view.language, told.get(participant_id, ""))
        for participant_id in ids
        if may_be_asked(view.picture, view.person.id, participant_id)
    )
