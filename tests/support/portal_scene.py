"""An edition with all that pages show: agendas, requests, waiting encounters, a full session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.contract.events import (
    AgendaChange,
    ChangeKind,
    EncounterChanged,
    Event,
    Language,
    Party,
    RequestState,
    Session,
    SessionKind,
    Slot,
    WaitingEncounter,
    WaitingReason,
)
from tests.support.notify_stage import COMMON, EVENTS, OPENING, QUARTER, agenda, edition, encounter, session
from tests.support.notify_stage import organisation as plain_organisation
from tests.support.notify_stage import participant as plain_participant

SLOTS = tuple(
    Slot(index=index, starts_at=OPENING + index * QUARTER, ends_at=OPENING + (index + 1) * QUARTER)
    for index in range(8)
)
PEOPLE = 8


def scheduled(slot: int, first: int, second: int, table: str = "1", **fields: Any) -> EncounterChanged:
    """Build an encounter at a table."""
    place = {**SLOTS[slot].model_dump(exclude={"index"}), "slot": slot, "zone_id": "zn_work", "table": table}
    return _encounter(first, second, state="scheduled", place=place, **fields)


def waiting(first: int, second: int) -> EncounterChanged:
    """Build an encounter that waits for a table."""
    return _encounter(first, second, state="waiting", waiting_reason=WaitingReason.NO_TABLE)


def _encounter(first: int, second: int, **fields: Any) -> EncounterChanged:
    return EncounterChanged(
        **COMMON,
        revision=1,
        encounter_id=f"enc_{first}{second}",
        participant_ids=(f"prt_{first}", f"prt_{second}"),
        organisation_ids=(f"org_{first}", f"org_{second}"),
        affinity=0.5,
        cause={"code": "pair_granted", "subject_id": "req"},
        **fields,
    )


def whole_edition() -> list[Event]:
    """Build an announced edition in which participant 0 sees every kind of entry, request and change."""
    talks = (
        Session(
            session_id="ses_4", kind=SessionKind.KEYNOTE, title="Keynote", zone_id="zn_talk",
            starts_at=SLOTS[4].starts_at, ends_at=SLOTS[5].ends_at,
        ),
        Session(
            session_id="ses_full", kind=SessionKind.PANEL, title="Full panel", zone_id="zn_talk", capacity=1,
            starts_at=SLOTS[6].starts_at, ends_at=SLOTS[6].ends_at,
        ),
    )  # fmt: skip
    moved, gone = encounter(1, 2, table="2"), encounter(3, 4)
    told = agenda(3, encounter(0, 1), moved, session(4)).model_copy(
        update={
            "changes": (
                AgendaChange(
                    kind=ChangeKind.MOVED,
                    entry_id=moved.entry_id,
                    after=moved,
                    before=moved.model_copy(
                        update={"starts_at": moved.starts_at + QUARTER, "ends_at": moved.ends_at + QUARTER}
                    ),
                ),
                AgendaChange(kind=ChangeKind.REMOVED, entry_id=gone.entry_id, before=gone),
            ),
            "waiting": (
                WaitingEncounter(
                    encounter_id="enc_05",
                    parties=(Party(participant_id="prt_5", organisation_id="org_5"),),
                    reason=WaitingReason.NO_TABLE,
                ),
            ),
        }
    )
    people = [
        participant(0, session_ids=("ses_4",)),
        *map(participant, range(1, PEOPLE - 1)),
        participant(PEOPLE - 1, session_ids=("ses_full",), checked_in=True),
    ]
    requests = [
        EVENTS.request("req_in", "prt_6", "prt_0"),
        EVENTS.request("req_out", "prt_0", "prt_3"),
        EVENTS.request("req_done", "prt_1", "prt_0", state=RequestState.ACCEPTED),
        EVENTS.request("req_no", "prt_0", "prt_4", state=RequestState.DECLINED),
        EVENTS.request("req_wait", "prt_0", "prt_5", state=RequestState.ACCEPTED),
    ]
    encounters = [
        scheduled(0, 0, 1, request_ids=("req_done",)), scheduled(1, 0, 2, "2"), scheduled(0, 3, 4, "2"), waiting(0, 5),
    ]  # fmt: skip
    houses = [plain_organisation(number, country="ES") for number in range(PEOPLE)]
    return [edition(2, slots=SLOTS, sessions=talks), *houses, *people, *requests, *encounters, told]


def participant(number: int, **fields: Any) -> Event:
    """Build a participant with a profile."""
    profile = {"needs": ["Packaging of recycled board"], "offers": [f"Sheet metal {number}"], "codes": ["nace:25.62"]}
    defaults: dict[str, Any] = {"profile": profile, "languages": (Language.ENGLISH,), "job_title": "Sales"}
    return plain_participant(number, **defaults | fields)


DURING = OPENING + timedelta(minutes=5)
#: The edition and a change of it, as registration returns them.
EDITION_AS_REGISTERED: dict[str, Any] = {
    "name": "Encuentro",
    "revision": 2,
    "phase": "open",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2026-11-26", "starts": "09:00:00", "ends": "11:00:00", "breaks": []}],
    "sessions": [],
    "zones": [{"zone_id": "zn_work", "kind": "workspace", "name": "Workspace", "tables": ["1", "2"]}],
    "quotas": {"max_encounters": None, "max_requests": 5, "min_encounters": None},
    "slot_minutes": 15,
    "freeze_minutes": 0,
}
AMENDMENT: dict[str, Any] = {
    "amendment_id": "amd_1",
    "kind": "edition",
    "entity_id": "edn_1",
    "amended_at": "2026-11-20T08:00:00Z",
    "undoes": None,
    "after": {"name": "Encuentro"},
}
