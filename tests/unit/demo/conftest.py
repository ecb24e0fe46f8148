from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demo.catalogue import programme
from demo.edition import generate
from demo.observer import Observed
from demo.plan import DemoEdition
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    Cause,
    CauseCode,
    Certificate,
    Consent,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    EntryKind,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    Origin,
    ParticipantChanged,
    Phase,
    Place,
    RequestState,
    Slot,
)
from shared.contract.ids import encounter_id, pair_id, pair_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COMMON = {"operator_id": "demo", "edition_id": "edn_demo", "revision": 1, "occurred_at": NOW}
CAUSE = Cause(code=CauseCode.PAIR_GRANTED, subject_id="pair_1")


@pytest.fixture(scope="session")
def small() -> DemoEdition:
    return generate(seed=7, scale=0.1)


@pytest.fixture(scope="session")
def full() -> DemoEdition:
    return generate(seed=2018)


def edition_event(demo: DemoEdition) -> EditionChanged:
    body = demo.payload
    return EditionChanged(
        **COMMON,
        name=body["name"],
        timezone=body["timezone"],
        phase=Phase.PUBLISHED,
        slots=tuple(
            Slot(index=index, starts_at=slot.starts_at, ends_at=slot.ends_at)
            for index, slot in enumerate(programme().slots())
        ),
        zones=body["zones"],
        sessions=body["sessions"],
        quotas=body["quotas"],
    )


def place_greedily(demo: DemoEdition, edition: EditionChanged) -> Iterator[tuple[str, str, str, Place | None]]:
    """Each accepted pair at the first table and slot that all have free, or nowhere."""
    tables = [(zone.zone_id, table) for zone in edition.zones for table in zone.tables]
    taken: set[tuple[object, int]] = set()
    for request in demo.accepted:
        assert request.target is not None
        first_id, second_id = pair_of(request.requester.key, request.target.key)
        found = None
        for slot in edition.slots:
            free = next((table for table in tables if (table, slot.index) not in taken), None)
            if free and (first_id, slot.index) not in taken and (second_id, slot.index) not in taken:
                taken |= {(free, slot.index), (first_id, slot.index), (second_id, slot.index)}
                found = Place(
                    slot=slot.index, zone_id=free[0], table=free[1], starts_at=slot.starts_at, ends_at=slot.ends_at
                )
                break
        yield request.key, first_id, second_id, found


def events_of(demo: DemoEdition) -> Iterator[Event]:
    """What an integration would see of the edition once its agendas are published, with no sessions attended."""
    edition = edition_event(demo)
    yield edition
    for organisation in demo.organisations:
        yield OrganisationChanged(**COMMON, organisation_id=organisation.key, **organisation.payload())
    for participant in demo.participants:
        yield ParticipantChanged(
            **COMMON, participant_id=participant.key, **participant.payload(participant.organisation.key)
        )
    agendas: dict[str, list[AgendaEntry]] = {}
    for request_id, first_id, second_id, place in place_greedily(demo, edition):
        yield MatchRequestChanged(
            **COMMON, request_id=request_id, requester_id=first_id, target_id=second_id, state=RequestState.ACCEPTED
        )
        yield AffinityScored(
            **COMMON,
            pair_id=pair_id("edn_demo", first_id, second_id),
            participant_ids=(first_id, second_id),
            request_ids=(request_id,),
            origin=Origin.REQUESTED,
            consent=Consent.GRANTED,
            score=0.5,
            priority=2,
        )
        meeting = encounter_id("edn_demo", first_id, second_id)
        yield EncounterChanged(
            **COMMON,
            encounter_id=meeting,
            state=EncounterState.SCHEDULED if place else EncounterState.WAITING,
            participant_ids=(first_id, second_id),
            organisation_ids=(None, None),
            affinity=0.5,
            place=place,
            cause=CAUSE,
        )
        if place is None:
            continue
        for mine, theirs in ((first_id, second_id), (second_id, first_id)):
            agendas.setdefault(mine, []).append(
                AgendaEntry(
                    kind=EntryKind.ENCOUNTER,
                    entry_id=meeting,
                    sequence=1,
                    zone_id=place.zone_id,
                    table=place.table,
                    with_participant_id=theirs,
                    starts_at=place.starts_at,
                    ends_at=place.ends_at,
                )
            )
    for participant_id, entries in agendas.items():
        yield AgendaChanged(
            **COMMON,
            participant_id=participant_id,
            provisional=False,
            entries=tuple(sorted(entries, key=lambda entry: entry.starts_at)),
            certificate=Certificate(placed=1, bound=1),
        )


def observe(demo: DemoEdition) -> Observed:
    observed = Observed()
    for number, event in enumerate(events_of(demo)):
        observed.record(event, 1_000 + number)
    return observed


@pytest.fixture(scope="session")
def seen_small(small: DemoEdition) -> Observed:
    return observe(small)


@pytest.fixture(scope="session")
def seen_full(full: DemoEdition) -> Observed:
    return observe(full)
