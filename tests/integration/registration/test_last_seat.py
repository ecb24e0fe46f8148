"""Concurrent requests of two processes for the last seat of a session, over the Mongo protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import ParticipantFacts
from services.registration.domain.seats import Seats
from services.registration.service import OperatorService
from services.registration.settings import Settings
from services.registration.store import MongoRepository, MongoStore
from shared.storage.mongo import Mongo

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
EDITION = {
    "name": "E",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}],
    "zones": [{"zone_id": "hall", "kind": "conference", "name": "Sala"}],
    "sessions": [
        {
            "session_id": "talk",
            "kind": "panel",
            "title": "Talk",
            "zone_id": "hall",
            "starts_at": "2026-11-26T09:00Z",
            "ends_at": "2026-11-26T10:00Z",
            "capacity": 3,
        }
    ],
}


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[list[OperatorService]]:
    """The use cases of an operator in two processes, which share only the database."""
    clients = [Mongo(settings), Mongo(settings)]
    stores = [MongoStore(client.database(settings.database), lambda _kind, _ids: None) for client in clients]
    await stores[0].prepare()
    yield [OperatorService(store.of("itecam"), lambda: NOW) for store in stores]
    for client in clients:
        await client.close()


async def open_fair(service: OperatorService) -> tuple[Edition, ParticipantFacts]:
    edition = await service.editions.create(EditionFacts.model_validate(EDITION), None)
    facts = OrganisationFacts.model_validate({"name": "Acme", "kind": "sme", "country": "ES"})
    organisation = await service.organisations.register(edition.edition_id, facts, None)
    somebody = {"organisation_id": organisation.organisation_id, "name": "Ana", "email": "a@x.example"}
    return edition, ParticipantFacts.model_validate(somebody | {"languages": ["es"]})


def asking(facts: ParticipantFacts, number: int) -> ParticipantFacts:
    return facts.model_copy(update={"email": f"{number}@x.example", "session_ids": ("talk",)})


async def attending(service: OperatorService, edition: Edition) -> int:
    [attendance] = await service.editions.attendance(edition.edition_id)
    return len(attendance.held)


async def test_one_of_two_concurrent_requests_gets_the_last_seat(
    services: list[OperatorService], monkeypatch: pytest.MonkeyPatch
) -> None:
    edition, facts = await open_fair(services[0])
    for number in (1, 2):
        await services[0].participants.register(edition.edition_id, asking(facts, number), None)
    both_have_looked, look, looks = asyncio.Barrier(2), MongoRepository.seats_taken, 0

    async def looked(things: MongoRepository, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]:
        nonlocal looks
        seen, looks = await look(things, edition_id, session_ids), looks + 1
        if looks <= both_have_looked.parties:
            await both_have_looked.wait()
        return seen

    with monkeypatch.context() as patched:
        patched.setattr(MongoRepository, "seats_taken", looked)
        outcomes = await asyncio.gather(
            *(
                service.participants.register(edition.edition_id, asking(facts, number), None)
                for number, service in enumerate(services, start=3)
            )
        )
    places = [(outcome.session_ids, outcome.waiting_session_ids) for outcome in outcomes]
    assert sorted(places) == [((), ("talk",)), (("talk",), ())]
    assert await attending(services[1], edition) == 3


async def test_concurrent_changes_never_exceed_the_capacity(
    services: list[OperatorService],
) -> None:
    edition, facts = await open_fair(services[0])
    there = [
        await services[0].participants.register(
            edition.edition_id, facts.model_copy(update={"email": f"b{number}@x.example"}), None
        )
        for number in range(6)
    ]

    async def register(number: int) -> None:
        await services[number % 2].participants.register(edition.edition_id, asking(facts, number), None)

    async def join_and_leave(number: int) -> None:
        participant_id = there[number].participant_id
        await services[number % 2].participants.amend(edition.edition_id, participant_id, {"session_ids": ["talk"]}, ())
        nothing: dict[str, list[str]] = {"session_ids": [], "waiting_session_ids": []}
        await services[number % 2].participants.amend(edition.edition_id, participant_id, nothing, ())

    await asyncio.gather(*map(register, range(12)), *map(join_and_leave, range(len(there))))
    [attendance] = await services[0].editions.attendance(edition.edition_id)
    if len(attendance.held) < 3:  # the last who left were overtaken: the background work goes on
        await services[0].editions.serve_lines(edition.edition_id)
        [attendance] = await services[0].editions.attendance(edition.edition_id)
    assert (len(attendance.held), len(attendance.line)) == (3, 12 - 3)


async def test_two_processes_hand_freed_seats_down_the_line_in_order(services: list[OperatorService]) -> None:
    edition, facts = await open_fair(services[0])
    everybody = [
        await services[0].participants.register(edition.edition_id, asking(facts, number), None) for number in range(9)
    ]
    ids = [participant.participant_id for participant in everybody]
    await asyncio.gather(
        *(
            services[number % 2].participants.cancel(edition.edition_id, participant_id)
            for number, participant_id in enumerate(ids[:3])
        ),
        *(service.editions.serve_lines(edition.edition_id) for service in services),
    )
    for service in services:
        await service.editions.serve_lines(edition.edition_id)
    [attendance] = await services[0].editions.attendance(edition.edition_id)
    assert (len(attendance.held), len(attendance.line)) == (3, 3)
    # All joined at the same time: their ids decide.
    assert [waiting_id for _, waiting_id in attendance.line] == sorted(ids[3:])[3:]
