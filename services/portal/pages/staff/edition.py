"""The set-up of an edition, and the log of changes that can be undone."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.context import NoSuchPage, Staff
from services.portal.pages.forms import FormFields, checked_form
from services.portal.pages.staff.common import StaffChange, StaffView
from shared.access import Action

router = APIRouter()
_MOST_CHANGES, _LONGEST_NUMBER, _LONGEST_ID = "500", 6, 64
_NUMBERS = ("slot_minutes", "max_encounters", "max_requests", "freeze_minutes")


@router.get("/editions/{edition_id}/setup")
async def show_setup(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the settings of the edition as a form."""
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_EDITIONS)
    whole = await view.ask("GET", "")
    if not whole.is_success:
        raise NoSuchPage(edition_id)
    return view.page("setup.html.j2", whole=whole.body)


@router.post("/editions/{edition_id}/setup")
async def save_setup(request: Request, staff: Staff, edition_id: str) -> Response:
    """Keep the settings, or publish the edition: the effects first."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.CHANGE_EDITIONS)
    whole = await view.ask("GET", "")
    if not whole.is_success:
        raise NoSuchPage(edition_id)
    patch = {"phase": "published"} if form.get("do") == "publish" else _patch_of(whole.body, form)
    change = StaffChange("PATCH", "", patch, f"{view.address}/setup", _number(form.get("revision", "")) or 0)
    return await view.confirmed(form, change, [(name, value) for name, value in form.items() if name != "effects"])


@router.get("/editions/{edition_id}/log")
async def show_log(request: Request, staff: Staff, edition_id: str) -> Response:
    """Show the changes of the last days, the newest first."""
    view = await StaffView.of(request, staff, edition_id, Action.READ_AMENDMENTS)
    reply = await view.ask("GET", "/amendments", query={"limit": _MOST_CHANGES})
    return view.page("log.html.j2", changes=[*reversed(reply.body.get("items", []))])


@router.post("/editions/{edition_id}/log/{amendment_id}")
async def undo_change(request: Request, staff: Staff, edition_id: str, amendment_id: str) -> Response:
    """Undo a change: the effects first."""
    form = await checked_form(request, staff)
    view = await StaffView.of(request, staff, edition_id, Action.UNDO)
    if not amendment_id.replace("_", "").isalnum() or len(amendment_id) > _LONGEST_ID:
        raise NoSuchPage(amendment_id)
    change = StaffChange("POST", f"/amendments/{amendment_id}/undo", None, f"{view.address}/log")
    return await view.confirmed(form, change)


def _patch_of(whole: dict[str, Any], form: FormFields) -> dict[str, Any]:
    """Return the fields of the form that differ from the edition."""
    days = [
        {**day, **{name: form.get(f"day-{index}-{name}") or day[name] for name in ("date", "starts", "ends")}}
        for index, day in enumerate(whole["days"])
    ]
    zones = [
        {**zone, "tables": form.lines(f"tables-{index}")} if f"tables-{index}" in form else zone
        for index, zone in enumerate(whole["zones"])
    ]
    numbers = {name: _number(form.get(name, "")) for name in _NUMBERS}
    quotas = {**whole["quotas"], **{name: numbers[name] for name in ("max_encounters", "max_requests")}}
    wanted: dict[str, Any] = {"name": form.get("name", "").strip(), "days": days, "zones": zones, "quotas": quotas}
    wanted |= {name: numbers[name] for name in ("slot_minutes", "freeze_minutes") if numbers[name] is not None}
    return {name: value for name, value in wanted.items() if value != whole.get(name)}


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else None
