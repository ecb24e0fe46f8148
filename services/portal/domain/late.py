"""A day that runs late: a pause before all that has not begun, and an end as much later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo


def days_with_pause(edition: Mapping[str, Any], starts: datetime, late: timedelta) -> dict[str, Any] | None:
    """Return the patch of an edition, as registration has it, that puts a pause before the slot at `starts`.

    Sessions of the day that begin then or later move along. `starts` is a local time. None if the day has no room.
    """
    days, found = [], False
    for day in edition.get("days", ()):
        if day["date"] != starts.date().isoformat():
            days.append(day)
            continue
        ends = datetime.fromisoformat(f"{day['date']}T{day['ends']}") + late
        if ends.date() != starts.date():
            return None
        pause = {"starts": _hour(starts), "ends": _hour(starts + late)}
        moved = [_moved_break(pause_before, starts, late) for pause_before in day.get("breaks", ())]
        days.append({**day, "ends": _hour(ends), "breaks": [*moved, pause]})
        found = True
    if not found:
        return None
    zone = ZoneInfo(edition["timezone"])
    sessions = [_moved_session(session, starts, late, zone) for session in edition.get("sessions", ())]
    return {"days": days, "sessions": sessions}


def _moved_break(pause: Mapping[str, str], starts: datetime, late: timedelta) -> dict[str, str]:
    begins = datetime.fromisoformat(f"{starts.date()}T{pause['starts']}")
    if begins < starts:
        return dict(pause)
    ends = datetime.fromisoformat(f"{starts.date()}T{pause['ends']}")
    return {"starts": _hour(begins + late), "ends": _hour(ends + late)}


def _moved_session(session: Mapping[str, Any], starts: datetime, late: timedelta, zone: ZoneInfo) -> dict[str, Any]:
    begins, ends = (datetime.fromisoformat(session[name]) for name in ("starts_at", "ends_at"))
    local = (begins.astimezone(zone) if begins.tzinfo else begins).replace(tzinfo=None)
    if local.date() != starts.date() or local < starts:
        return dict(session)
    return {**session, "starts_at": (begins + late).isoformat(), "ends_at": (ends + late).isoformat()}


def _hour(moment: datetime) -> str:
    return moment.time().isoformat()
