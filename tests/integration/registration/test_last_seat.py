"""The last seat of a session, asked for from two processes at once, over the real Mongo protocol."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from services.registration.domain.bodies import Invalid
from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.domain.seats import Seats
from services.registration.service import OperatorService
from services.registration.settings import Settings
from services.registration.store import MongoStore, MongoThings
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
async def desks(settings: Settings) -> AsyncIterator[list[OperatorService]]:
    """The desk of one operator in each of two processes: nothing shared but the database."""
    clients = [Mongo(settings), Mongo(settings)]
    stores = [MongoStore(client.database(settings.database), lambda _kind, _id: None) for client in clients]
    await stores[0].prepare()
    yield [OperatorService(store.of("itecam"), lambda: NOW) for store in stores]
    for client in clients:
        await client.close()


async def open_fair(desk: OperatorService) -> tuple[Edition, ParticipantFacts]:
    edition = await desk.open_edition(EditionFacts.model_validate(EDITION), None)
    facts = OrganisationFacts.model_validate({"name": "Acme", "kind": "sme", "country": "ES"})
    organisation = await desk.register_organisation(edition.edition_id, facts, None)
    somebody = {"organisation_id": organisation.organisation_id, "name": "Ana", "email": "a@x.example"}
    return edition, ParticipantFacts.model_validate(somebody | {"languages": ["es"]})


def asking(facts: ParticipantFacts, number: int) -> ParticipantFacts:
    return facts.model_copy(update={"email": f"{number}@x.example", "session_ids": ("talk",)})


async def attending(desk: OperatorService, edition: Edition) -> int:
    [(_, number)] = await desk.attendance(edition.edition_id)
    return number


async def test_of_two_who_both_saw_the_last_seat_free_one_gets_it(
    desks: list[OperatorService], monkeypatch: pytest.MonkeyPatch
) -> None:
    edition, facts = await open_fair(desks[0])
    for number in (1, 2):
        await desks[0].register_participant(edition.edition_id, asking(facts, number), None)
    both_have_looked, look, looks = asyncio.Barrier(2), MongoThings.attending, 0

    async def looked(things: MongoThings, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]:
        nonlocal looks
        seen, looks = await look(things, edition_id, session_ids), looks + 1
        if looks <= both_have_looked.parties:
            await both_have_looked.wait()
        return seen

    with monkeypatch.context() as patched:
        patched.setattr(MongoThings, "attending", looked)
        outcomes = await asyncio.gather(
            *(
                desk.register_participant(edition.edition_id, asking(facts, number), None)
                for number, desk in enumerate(desks, start=3)
            ),
            return_exceptions=True,
        )
    assert sorted(type(outcome) for outcome in outcomes if not isinstance(outcome, Participant)) == [Invalid]
    assert "full (3 of 3)" in str(next(outcome for outcome in outcomes if isinstance(outcome, Invalid)))
    assert await attending(desks[1], edition) == 3


async def test_however_many_register_change_and_leave_at_once_no_more_attend_than_may(
    desks: list[OperatorService],
) -> None:
    edition, facts = await open_fair(desks[0])
    there = [
        await desks[0].register_participant(
            edition.edition_id, facts.model_copy(update={"email": f"b{number}@x.example"}), None
        )
        for number in range(6)
    ]

    async def register(number: int) -> None:
        await desks[number % 2].register_participant(edition.edition_id, asking(facts, number), None)

    async def join_and_leave(number: int) -> None:
        who = there[number].participant_id
        await desks[number % 2].amend_participant(edition.edition_id, who, {"session_ids": ["talk"]}, ())
        await desks[number % 2].amend_participant(edition.edition_id, who, {"session_ids": []}, ())

    outcomes = await asyncio.gather(
        *map(register, range(12)), *map(join_and_leave, range(len(there))), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes if outcome is not None} == {Invalid}
    assert sum(outcome is None for outcome in outcomes[:12]) == await attending(desks[0], edition) <= 3
