"""Golden samples: a record of every event, as integrations see it. A changed sample is a changed contract.

`TERTULIA_WRITE_GOLDEN=1 pytest tests/contract/test_events.py` writes the samples anew: look at the difference before it
is committed, because within `.v1` a line may be added, never changed or removed.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.registration.domain.participant import FIELDS_OF_THE_PERSON
from shared.contract import cloudevents
from shared.contract.cloudevents import Undecodable
from shared.contract.events import (
    AffinityScored,
    AgendaChange,
    AgendaChanged,
    AgendaEntry,
    Cause,
    CauseCode,
    Certificate,
    ChangeKind,
    Channel,
    Consent,
    DeliveryState,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    EntryKind,
    Event,
    Fee,
    Goal,
    HelpContact,
    Interval,
    Language,
    LevelResult,
    MatchRequestChanged,
    NeedMet,
    NotificationRecorded,
    OrganisationChanged,
    OrganisationErased,
    OrganisationKind,
    Origin,
    ParticipantChanged,
    ParticipantErased,
    Party,
    Phase,
    Place,
    Profile,
    Quotas,
    Reason,
    Remedy,
    RemedyKind,
    RemedyStep,
    RequestState,
    Session,
    SessionKind,
    Slot,
    Venue,
    WaitingEncounter,
    WaitingReason,
    Zone,
    ZoneKind,
)
from shared.contract.topics import EVENT_TYPES, TOPICS, topic_of

GOLDEN = Path(__file__).parent / "golden"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NINE = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
WHO = {"operator_id": "itecam", "edition_id": "edn_2026", "revision": 3, "occurred_at": NINE - timedelta(days=2)}

ENTRY = AgendaEntry(
    kind=EntryKind.ENCOUNTER,
    entry_id="enc_1",
    sequence=2,
    starts_at=NINE,
    ends_at=NINE + QUARTER,
    zone_id="workspace",
    table="12",
    with_participant_id="prt_2",
    with_organisation_id="org_2",
    others=(Party(participant_id="prt_3", organisation_id="org_3"),),
)
CAUSE = Cause(code=CauseCode.PAIR_GRANTED, subject_id="pair_1")
AUTHOR = {"actor": "key:3f2a9c01b7de", "changed": ("codes", "name")}

EVENTS: list[Event] = [
    EditionChanged(
        **WHO,
        **AUTHOR,
        name="VI Encuentro B2B del Metal",
        timezone="Europe/Madrid",
        phase=Phase.OPEN,
        slots=(Slot(index=0, starts_at=NINE, ends_at=NINE + QUARTER),),
        zones=(Zone(zone_id="workspace", kind=ZoneKind.WORKSPACE, name="Zona de trabajo", tables=("1", "2")),),
        sessions=(
            Session(
                session_id="ses_1",
                kind=SessionKind.KEYNOTE,
                title="Industria 4.0",
                zone_id="workspace",
                starts_at=NINE + QUARTER,
                ends_at=NINE + 2 * QUARTER,
                capacity=40,
            ),
        ),
        quotas=Quotas(max_encounters=12, max_requests=20, min_encounters=4),
        least_affinity=0.2,
        fee=Fee(amount=5000, currency="EUR"),
        goals=(Goal.CROSS_BORDER, Goal.DELEGATION),
        venue=Venue(name="Palacio de Congresos", address="Calle Mayor 1, 45001 Toledo"),
        contact=HelpContact(email="hola@example.org", phone="+34 925 11 22 33"),
    ),
    OrganisationChanged(
        **WHO,
        **AUTHOR,
        organisation_id="org_1",
        name="Calderería Ñ, S.L.",
        kind=OrganisationKind.SME,
        country="ES",
        region="Castilla-La Mancha",
        interchangeable=True,
        codes=("nace:25.62",),
    ),
    ParticipantChanged(
        **WHO,
        **AUTHOR,
        participant_id="prt_1",
        organisation_id="org_1",
        name="Ana Núñez",
        email="ana@example.org",
        languages=(Language.SPANISH, Language.ENGLISH),
        profile=Profile(offers=("Mecanizado de precisión",), needs=("Medición 3D",), codes=("ket:robotics",)),
        available=(Interval(starts_at=NINE, ends_at=NINE + 4 * QUARTER),),
        session_ids=("ses_1",),
    ),
    MatchRequestChanged(
        **WHO, request_id="req_1", requester_id="prt_1", target_id="prt_2", priority=3, state=RequestState.ACCEPTED
    ),
    AffinityScored(
        **WHO,
        pair_id="pair_1",
        participant_ids=("prt_1", "prt_2"),
        request_ids=("req_1",),
        origin=Origin.REQUESTED,
        consent=Consent.GRANTED,
        score=0.62,
        priority=3,
        reasons=(
            Reason(
                code="text_need_offer",
                weight=0.5,
                met=(NeedMet(participant_id="prt_2", need=0, offer=1, fit=0.8),),
            ),
            Reason(code="sector", weight=0.12, detail="nace:25"),
        ),
        configuration="2",
    ),
    AgendaChanged(
        **WHO,
        participant_id="prt_1",
        provisional=False,
        entries=(ENTRY,),
        changes=(AgendaChange(kind=ChangeKind.ADDED, entry_id="enc_1", after=ENTRY),),
        causes=(CAUSE,),
        certificate=Certificate(
            placed=590,
            bound=600,
            levels=(LevelResult(level="placed", value=590, bound=600, gap=0.0167, engine="b-matching LP"),),
            seconds=1.5,
        ),
        waiting=(
            WaitingEncounter(
                encounter_id="enc_2",
                parties=(Party(participant_id="prt_4", organisation_id="org_4"),),
                reason=WaitingReason.NO_TABLE,
                remedy=Remedy(
                    steps=(RemedyStep(kind=RemedyKind.TABLE, zone_id="workspace", tables=1),),
                    place=Interval(starts_at=NINE, ends_at=NINE + QUARTER),
                    as_of=NINE - timedelta(days=2),
                ),
            ),
        ),
    ),
    EncounterChanged(
        **WHO,
        encounter_id="enc_1",
        state=EncounterState.SCHEDULED,
        participant_ids=("prt_1", "prt_2"),
        organisation_ids=("org_1", "org_2"),
        request_ids=("req_1",),
        guests=(Party(participant_id="prt_3", organisation_id="org_3"),),
        affinity=0.62,
        is_locked=True,
        comes_after=("enc_2",),
        place=Place(slot=0, zone_id="workspace", table="12", starts_at=NINE, ends_at=NINE + QUARTER),
        cause=CAUSE,
    ),
    NotificationRecorded(
        **WHO,
        participant_id="prt_1",
        channel=Channel.EMAIL,
        agenda_revision=3,
        state=DeliveryState.SENT,
        message_id="<abc@tertulia.invalid>",
    ),
    OrganisationErased(**WHO, organisation_id="org_1", kind=OrganisationKind.SME, country="ES"),
    ParticipantErased(**WHO, participant_id="prt_1", organisation_id="org_1", session_ids=("ses_1",), links=1),
]


def test_every_event_of_the_contract_has_a_golden_sample() -> None:
    assert {type(event) for event in EVENTS} == set(EVENT_TYPES.values())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_a_record_equals_its_golden_sample(event: Event) -> None:
    record = cloudevents.encode(event, TRACE)
    seen = {
        "topic": record.topic,
        "key": record.key.decode(),
        "headers": {name: value.decode() for name, value in record.headers},
        "value": json.loads(record.value),
    }
    golden = GOLDEN / f"{type(event).__name__}.json"
    if os.environ.get("TERTULIA_WRITE_GOLDEN"):
        golden.write_text(json.dumps(seen, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    assert seen == json.loads(golden.read_text(encoding="utf-8")), f"to change the contract on purpose, mend {golden}"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_sample_is_read_back_as_the_event(path: Path) -> None:
    sample = json.loads(path.read_text(encoding="utf-8"))
    headers = [(name, value.encode()) for name, value in sample["headers"].items()]
    event = cloudevents.decode(headers, json.dumps(sample["value"]).encode())
    assert topic_of(event).name == sample["topic"]
    assert event.to_json() == sample["value"]


def test_unknown_fields_are_ignored_so_that_a_v1_can_grow() -> None:
    record = cloudevents.encode(EVENTS[3])
    grown = json.loads(record.value) | {"added_later": {"any": "thing"}}
    assert cloudevents.decode(record.headers, json.dumps(grown).encode()) == EVENTS[3]


def test_an_edition_without_the_later_fields_is_read_with_their_defaults() -> None:
    record = cloudevents.encode(EVENTS[0])
    older = json.loads(record.value)
    for session in older["sessions"]:
        del session["capacity"]
    del older["quotas"]["min_encounters"], older["goals"]
    read = cloudevents.decode(record.headers, json.dumps(older).encode())
    assert isinstance(read, EditionChanged)
    assert [session.capacity for session in read.sessions] == [None]
    assert read.quotas == Quotas(max_encounters=12, max_requests=20)
    assert read.goals == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": None}, "tombstone"),
        ({"value": b""}, "Invalid JSON"),
        ({"value": b"\xff\xfe"}, "Invalid JSON"),
        ({"value": b"[]"}, "object"),
        ({"value": b'{"edition_id": "e"}'}, "operator_id"),
        ({"headers": []}, "ce_type None"),
        ({"headers": [("ce_type", b"org.tertulia.unknown.v9")]}, "unknown.v9"),
        ({"headers": [("ce_type", b"\xff")]}, "ce_type"),
    ],
)
def test_a_record_that_is_not_an_event_is_refused_with_a_reason(change: dict[str, object], reason: str) -> None:
    record = cloudevents.encode(EVENTS[3])
    with pytest.raises(Undecodable, match=reason):
        cloudevents.decode(change.get("headers", record.headers), change.get("value", record.value))  # type: ignore[arg-type]


def test_the_reason_of_a_refusal_holds_no_personal_data() -> None:
    record = cloudevents.encode(EVENTS[2])
    body = json.loads(record.value) | {"languages": ["klingon"], "name": ""}
    with pytest.raises(Undecodable) as refused:
        cloudevents.decode(record.headers, json.dumps(body).encode())
    assert "ana@example.org" not in str(refused.value)
    assert "Ana" not in str(refused.value)


def test_only_registration_carries_personal_data() -> None:
    for topic in TOPICS:
        fields = {field for event in topic.events for field in event.model_fields}
        assert topic.name == "registration.v1" or not fields & FIELDS_OF_THE_PERSON
