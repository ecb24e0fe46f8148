"""Exports of the agenda: encounters, agendas of participants, attendance, and encounters that wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from typing import Final

from services.registration.exports.tables import Cell, ExportSource, ExportTable, Row, in_order
from shared.contract.events import EncounterState
from shared.contract.events.core import Interval
from shared.contract.waiting_phrases import WAITING_PHRASES
from shared.contract.waiting_sentences import WaitingWords, sentences_of
from shared.internal_api.edits import EncounterNow

_PLACE: Final = ("day", "starts_at", "ends_at", "zone", "table")
_PEOPLE: Final = ("person_1", "first_organisation", "person_2", "second_organisation", "guests")
_ENCOUNTERS: Final = (*_PLACE, *_PEOPLE, "state", "encounter_id")
_AGENDAS: Final = ("participant", "organisation", "email", *_PLACE, "what", "partner", "partner_organisation")
_ATTENDANCE: Final = (
    "participant",
    "organisation",
    "checked_in",
    *_PLACE,
    "partner",
    "partner_organisation",
    "outcome",
)
_WAITING: Final = (*_PEOPLE, "reason", "remedy", "encounter_id")
_ORGANISATIONS: Final = ("first_organisation", "second_organisation")
#: The two participants of an encounter; guests come after them.
_TWO: Final = 2


async def _encounters_of(source: ExportSource) -> list[EncounterNow]:
    """Return all encounters by time; encounters without a place come last. Raises `ServiceUnavailable`."""
    path = f"/editions/{source.edition.edition_id}/encounters"
    found = await source.clients.scheduler.all_items(path, EncounterNow, lambda encounter: encounter.encounter_id)
    return sorted(found, key=_order)


def _order(encounter: EncounterNow) -> tuple[bool, str, str, str]:
    place = encounter.place
    return (
        place is None,
        place.starts_at.isoformat() if place else "",
        place.table if place else "",
        encounter.encounter_id,
    )


async def _encounters(source: ExportSource) -> AsyncIterator[Row]:
    encounters = await _encounters_of(source)
    await source.load_people()
    for encounter in encounters:
        cells = _place(encounter, source) | _people(encounter, source)
        cells["state"] = source.words.word("encounter_states", encounter.state)
        yield in_order(_ENCOUNTERS, cells | {"encounter_id": encounter.encounter_id})


async def _agendas(source: ExportSource) -> AsyncIterator[Row]:
    by_person = await _by_person(source)
    for participant_id in source.people_in_order():
        person = source.person(participant_id)
        cells: dict[str, Cell] = {
            "participant": person.name,
            "organisation": person.organisation,
            "email": person.email,
        }
        entries = _sessions(participant_id, source)
        for encounter in by_person[participant_id]:
            entries.append((_start(encounter), _entry(encounter, participant_id, source)))
        for _, entry in sorted(entries, key=lambda entry: entry[0]):
            yield in_order(_AGENDAS, cells | entry)


async def _attendance(source: ExportSource) -> AsyncIterator[Row]:
    by_person = await _by_person(source)
    for participant_id in source.people_in_order():
        person = source.person(participant_id)
        cells: dict[str, Cell] = {
            "participant": person.name,
            "organisation": person.organisation,
            "checked_in": source.words.yes_or_no(person.checked_in),
        }
        for encounter in by_person[participant_id]:
            outcome = {"outcome": source.words.word("outcomes", _outcome(encounter, participant_id))}
            yield in_order(_ATTENDANCE, cells | _entry(encounter, participant_id, source) | outcome)
        if not by_person[participant_id]:
            yield in_order(_ATTENDANCE, cells)


async def _waiting(source: ExportSource) -> AsyncIterator[Row]:
    waiting = [encounter for encounter in await _encounters_of(source) if encounter.waiting_reason]
    await source.load_people()
    phrases = WAITING_PHRASES[source.words.language]
    for encounter in waiting:
        reason, remedy = encounter.waiting_reason, encounter.remedy
        if reason is None:
            continue
        sentences = sentences_of(reason, remedy, phrases, _reader_words(source))
        advice = sentences[1] if remedy else source.words.word("advice", reason)
        cells = _people(encounter, source)
        told: dict[str, Cell] = {"reason": sentences[0], "remedy": advice, "encounter_id": encounter.encounter_id}
        yield in_order(_WAITING, cells | told)


async def _by_person(source: ExportSource) -> dict[str, list[EncounterNow]]:
    """Return the encounters that have or had a place, by participant."""
    await source.load_people()
    by_person: dict[str, list[EncounterNow]] = defaultdict(list)
    for encounter in await _encounters_of(source):
        if encounter.place is not None:
            for participant_id in encounter.participant_ids:
                by_person[participant_id].append(encounter)
    return by_person


def _place(encounter: EncounterNow, source: ExportSource) -> dict[str, Cell]:
    place = encounter.place
    if place is None:
        return {}
    return _times(place, source.zone) | {"zone": source.zone_name(place.zone_id), "table": place.table}


def _times(time: Interval, zone: tzinfo) -> dict[str, Cell]:
    starts, ends = time.starts_at.astimezone(zone), time.ends_at.astimezone(zone)
    return {"day": starts.date(), "starts_at": starts.time(), "ends_at": ends.time()}


def _people(encounter: EncounterNow, source: ExportSource) -> dict[str, Cell]:
    cells: dict[str, Cell] = {}
    for number, participant_id in enumerate(encounter.participant_ids[:_TWO], 1):
        person = source.person(participant_id)
        cells |= {f"person_{number}": person.name, _ORGANISATIONS[number - 1]: person.organisation}
    guests = encounter.participant_ids[_TWO:]
    return cells | {"guests": "; ".join(source.person(guest).with_organisation for guest in guests)}


def _entry(encounter: EncounterNow, participant_id: str, source: ExportSource) -> dict[str, Cell]:
    """Return the cells of an encounter from a participant's side."""
    partners = [source.person(partner_id) for partner_id in encounter.participant_ids if partner_id != participant_id]
    return _place(encounter, source) | {
        "what": source.words.word("whats", "encounter"),
        "partner": "; ".join(partner.name for partner in partners),
        "partner_organisation": "; ".join(dict.fromkeys(partner.organisation for partner in partners)),
    }


def _sessions(participant_id: str, source: ExportSource) -> list[tuple[datetime, dict[str, Cell]]]:
    person, timezone = source.person(participant_id), source.edition.timezone
    entries: list[tuple[datetime, dict[str, Cell]]] = []
    for session in source.edition.sessions:
        what = "session" if session.session_id in person.session_ids else "line"
        if what == "line" and session.session_id not in person.waiting_session_ids:
            continue
        timed = session.in_zone(timezone)
        cells = _times(timed, source.zone) | {"zone": source.zone_name(session.zone_id)}
        cells["what"] = f"{source.words.word('whats', what)}: {session.title}"
        entries.append((timed.starts_at, cells))
    return entries


def _start(encounter: EncounterNow) -> datetime:
    assert encounter.place is not None  # noqa: S101 - only encounters with a place are entries
    return encounter.place.starts_at


def _outcome(encounter: EncounterNow, participant_id: str) -> str:
    if encounter.state not in (EncounterState.HELD, EncounterState.MISSED):
        return "unreported"
    return "absent" if participant_id in encounter.absent_ids else "came"


def _reader_words(source: ExportSource) -> WaitingWords:
    def time(moment: datetime) -> str:
        return f"{moment.astimezone(source.zone):%Y-%m-%d %H:%M}"

    return WaitingWords(lambda participant_id: source.person(participant_id).name, source.zone_name, time)


ENCOUNTERS: Final = ExportTable(_ENCOUNTERS, _encounters)
AGENDAS: Final = ExportTable(_AGENDAS, _agendas)
ATTENDANCE: Final = ExportTable(_ATTENDANCE, _attendance)
WAITING: Final = ExportTable(_WAITING, _waiting)
