"""The page of an encounter: place, lock, representative, attendance; and the undoing of edits."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.domain.board import ShownEncounter, places_of, shown_encounter
from services.portal.domain.picture import EditionPicture
from services.portal.pages.context import NoSuchPage, Staff, context_of
from services.portal.pages.forms import FormFields, checked_form
from services.portal.pages.staff.common import StaffChange, StaffView
from services.portal.registration import RegistrationAway
from shared.access import Action
from shared.contract.events import ParticipantChanged, Remedy, Status
from shared.contract.waiting_phrases import WAITING_PHRASES
from shared.contract.waiting_sentences import WaitingWords, sentences_of

router = APIRouter()
_EDITS = "/agenda/edits"


@router.get("/editions/{edition_id}/encounters/{encounter_id}")
async def show_encounter(request: Request, staff: Staff, edition_id: str, encounter_id: str) -> Response:
    """Show an encounter, the reason and the remedy if it waits, and the forms that change it."""
    view = await StaffView.of(request, staff, edition_id, Action.READ_AGENDA)
    shown = _encounter(view.picture, encounter_id)
    remedy = await _remedy(view, shown) if staff.may(Action.PLAN_AGENDA, edition_id) else ()
    return view.page(
        "encounter.html.j2",
        shown=shown,
        remedy=remedy,
        places=places_of(view.picture, shown.encounter),
        colleagues=_colleagues(view.picture, shown),
        now=context_of(request).clock(),
    )


@router.post("/editions/{edition_id}/encounters/{encounter_id}")
async def edit_encounter(request: Request, staff: Staff, edition_id: str, encounter_id: str) -> Response:
    """Place, lock or unlock an encounter, or have a colleague stand in: the effects first, then the edit."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.EDIT_AGENDA)
    shown = _encounter(view.picture, encounter_id)
    back = f"{view.address}/encounters/{encounter_id}"
    change = StaffChange("POST", _EDITS, {"edit": _edit_of(view, shown, form)}, back)
    names = ("do", "place", "swap", "by")
    return await view.confirmed(form, change, [(name, form[name]) for name in names if name in form])


@router.post("/editions/{edition_id}/undo-edit")
async def undo_edit(request: Request, staff: Staff, edition_id: str) -> Response:
    """Undo the last edit by hand: the effects first."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.EDIT_AGENDA)
    change = StaffChange("POST", _EDITS, {"edit": {"type": "undo"}}, f"{view.address}/board")
    return await view.confirmed(form, change)


@router.post("/editions/{edition_id}/attendance/{encounter_id}")
async def report_attendance(request: Request, staff: Staff, edition_id: str, encounter_id: str) -> Response:
    """Record that an encounter was held, or that somebody was absent: then a waiting encounter takes the place."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.REPORT_ATTENDANCE)
    encounter = _encounter(view.picture, encounter_id).encounter
    absent = [form["absent"]] if form.get("absent") in encounter.participant_ids else []
    body = {"outcome": "missed" if absent else "held", "absent": absent}
    reply = await view.ask("POST", f"/encounters/{encounter_id}/attendance", body)
    return view.done(reply, f"{view.address}/desk/now")


def _encounter(picture: EditionPicture, encounter_id: str) -> ShownEncounter:
    encounter = picture.encounters.get(encounter_id)
    if encounter is None:
        raise NoSuchPage(encounter_id)
    return shown_encounter(picture, encounter)


def _edit_of(view: StaffView, shown: ShownEncounter, form: FormFields) -> dict[str, Any]:
    """Return the edit that a form asks for. Raises `NoSuchPage` if it asks for none."""
    encounter = shown.encounter
    common = {"encounter_id": encounter.encounter_id}
    match form.get("do"):
        case "place":
            slot, _, zone_id = form.get("place", "").partition("@")
            known = {str(place.slot.index): place.slot.index for place in places_of(view.picture, encounter)}
            if slot not in known or zone_id not in {zone.zone_id for zone in view.edition.zones}:
                raise NoSuchPage("place")
            return {"type": "place", **common, "slot": known[slot], "zone_id": zone_id}
        case "lock" | "unlock" as wanted:
            return {"type": "lock", **common, "is_locked": wanted == "lock"}
        case "swap" if form.get("by") and form.get("swap") in encounter.participant_ids:
            return {"type": "swap", **common, "participant_id": form["swap"], "by": form["by"][:64]}
    raise NoSuchPage("edit")


def _colleagues(picture: EditionPicture, shown: ShownEncounter) -> dict[str, list[ParticipantChanged]]:
    """Return the colleagues who could stand in, by participant of the encounter."""
    found: dict[str, list[ParticipantChanged]] = {}
    for participant_id in shown.encounter.participant_ids:
        member = picture.participants.get(participant_id)
        if member is None:
            continue
        found[participant_id] = [
            person
            for person in picture.participants.values()
            if person.organisation_id == member.organisation_id
            and person.participant_id not in shown.encounter.participant_ids
            and person.status is Status.ACTIVE
        ]
    return found


async def _remedy(view: StaffView, shown: ShownEncounter) -> tuple[str, ...]:
    """Return the reason of a waiting encounter and its remedy, as sentences."""
    encounter = shown.encounter
    if encounter.waiting_reason is None:
        return ()
    remedy = None
    try:
        reply = await view.ask("GET", f"/encounters/{encounter.encounter_id}/remedy")
        if reply.is_success and reply.body.get("remedy"):
            remedy = Remedy.model_validate(reply.body["remedy"])
    except RegistrationAway:
        remedy = None
    picture, writer = view.picture, context_of(view.request).writer
    words = WaitingWords(
        person=lambda person_id: picture.participants[person_id].name if person_id in picture.participants else "?",
        zone=picture.zone_name,
        time=lambda moment: writer.day_and_time(moment, view.language, view.edition.timezone),
    )
    return sentences_of(encounter.waiting_reason, remedy, WAITING_PHRASES[view.language], words)
