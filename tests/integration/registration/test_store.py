"""The contract of a store, for the store in memory and for Mongo with both drivers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.registration.authenticator import Authenticator, UnknownKey
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import NotUnique
from services.registration.domain.match_request import Answer, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.operator_store import MongoOperators
from services.registration.operators import (
    NoSuchKey,
    NoSuchOperator,
    OperatorExists,
    add_key,
    add_operator,
    list_keys,
    revoke_key,
)
from services.registration.settings import Settings
from services.registration.store import MongoStore
from shared.contract.events import Status
from shared.storage.mongo import Mongo

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
MADE = {"operator_id": "itecam", "edition_id": "edn_1", "created_at": NOW, "changed_at": NOW}


def organisation(number: int = 1, **changes: Any) -> Organisation:
    fields = {"organisation_id": f"org_{number}", "name": f"Empresa {number}", "kind": "sme", "country": "ES"}
    return Organisation.model_validate({**MADE, **fields, **changes})


def request(number: int = 1, **changes: Any) -> MatchRequest:
    fields = {"request_id": f"req_{number}", "requester_id": "prt_1", "target_id": f"prt_t{number}"}
    return MatchRequest.model_validate({**MADE, **fields, **changes})


def entities_of_every_kind() -> list[Entity]:
    edition = {
        "name": "E",
        "timezone": "Europe/Madrid",
        "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}],
        "zones": [{"zone_id": "z", "kind": "workspace", "name": "Z", "tables": ["1"]}],
        "fee": {"amount": 5000, "currency": "EUR"},
        "sessions": [
            {
                "session_id": "s",
                "kind": "panel",
                "title": "S",
                "zone_id": "z",
                "starts_at": "2026-11-26T09:00",
                "ends_at": "2026-11-26T10:00Z",
            }
        ],
    }
    participant = {
        "participant_id": "prt_1",
        "organisation_id": "org_1",
        "name": "Ana 🤝",
        "email": "ana@x.example",
        "languages": ["es", "pt"],
        "available": [{"starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}],
    }
    return [
        Edition.model_validate({**MADE, **edition}),
        organisation(),
        Participant.model_validate({**MADE, **participant}),
        request(expires_at=NOW),
    ]


@pytest.mark.parametrize("entity", entities_of_every_kind(), ids=lambda entity: entity.NOUN)
async def test_returns_a_written_entity(store: Any, entity: Entity) -> None:
    repository = store.of("itecam")
    await repository.insert(entity, "f")
    assert await repository.find(type(entity), "edn_1", entity.id) == entity
    assert await repository.find_many(type(entity), "edn_1", [entity.id, "none"]) == {entity.id: entity}
    assert await repository.find_unique(type(entity), [entity.unique, "none"]) == {entity.unique: entity}
    assert await repository.page(type(entity), None if isinstance(entity, Edition) else "edn_1", "", 10) == [entity]
    assert await repository.fingerprint(type(entity), "edn_1", entity.id) == "f"


@pytest.mark.parametrize("entity", entities_of_every_kind(), ids=lambda entity: entity.NOUN)
async def test_shows_nothing_to_another_operator(store: Any, entity: Entity) -> None:
    await store.of("itecam").insert(entity, "f")
    rival = store.of("rival")
    kind = type(entity)
    assert await rival.find(kind, "edn_1", entity.id) is None
    assert await rival.find_many(kind, "edn_1", [entity.id]) == {}
    assert await rival.find_unique(kind, [entity.unique]) == {}
    assert await rival.page(kind, "edn_1", "", 10) == []
    assert await rival.page(kind, None, "", 10) == []
    assert await rival.fingerprint(kind, "edn_1", entity.id) is None
    assert not await rival.replace(entity.model_copy(update={"revision": 2, "operator_id": "rival"}))
    assert await rival.count_live_requests("edn_1", "prt_1") == 0


async def test_finds_nothing_in_another_edition(store: Any) -> None:
    await store.of("itecam").insert(organisation(), "f")
    assert await store.of("itecam").find(Organisation, "edn_2", "org_1") is None
    assert await store.of("itecam").find_many(Organisation, "edn_2", ["org_1"]) == {}


async def test_refuses_a_second_entity_with_the_same_id_or_name(store: Any) -> None:
    repository = store.of("itecam")
    await repository.insert(organisation(1), "f")
    with pytest.raises(NotUnique):
        await repository.insert(organisation(1, name="Otra"), "f")
    with pytest.raises(NotUnique):
        await repository.insert(organisation(2, name="EMPRESA  1"), "f")
    await repository.insert(organisation(3, name="Empresa 1", edition_id="edn_2"), "f")
    await repository.insert(organisation(4), "f")
    with pytest.raises(NotUnique):
        await repository.replace(organisation(4, name="empresa 1", revision=2))


async def test_replaces_only_the_previous_revision(store: Any) -> None:
    repository = store.of("itecam")
    await repository.insert(organisation(), "f")
    second = organisation(name="Dos", revision=2)
    assert await repository.replace(second)
    assert not await repository.replace(organisation(name="Tres", revision=2))
    assert await repository.find(Organisation, "edn_1", "org_1") == second
    assert await repository.fingerprint(Organisation, "edn_1", "org_1") == "f"


async def test_pages_by_id(store: Any) -> None:
    repository = store.of("itecam")
    for number in (3, 1, 2):
        await repository.insert(organisation(number), "f")
    first = await repository.page(Organisation, "edn_1", "", 2)
    assert [entity.id for entity in first] == ["org_1", "org_2"]
    assert [entity.id for entity in await repository.page(Organisation, "edn_1", "org_2", 2)] == ["org_3"]
    everything = [entity.id async for entity in repository.all_of(Organisation, "edn_1")]
    assert everything == ["org_1", "org_2", "org_3"]
    named = await repository.page(Organisation, "edn_1", "", 9, {"name": "Empresa 3"})
    assert [entity.id for entity in named] == ["org_3"]
    every_named = [entity.id async for entity in repository.all_of(Organisation, "edn_1", {"name": "Empresa 3"})]
    assert every_named == ["org_3"]


async def test_counts_live_requests(store: Any) -> None:
    repository = store.of("itecam")
    for number in range(1, 5):
        await repository.insert(request(number), "f")
    await repository.replace(request(1).answered(Answer.ACCEPTANCE, NOW))
    await repository.replace(request(2).answered(Answer.REFUSAL, NOW))
    await repository.replace(request(3).answered(Answer.WITHDRAWAL, NOW))
    assert await repository.count_live_requests("edn_1", "prt_1") == 2
    assert await repository.count_live_requests("edn_1", "prt_2") == 0


def participant(number: int, session_ids: tuple[str, ...] = ("talk",), **changes: Any) -> Participant:
    fields = {"participant_id": f"prt_{number}", "organisation_id": "org_1", "name": "Ana", "languages": ["es"]}
    attending = {"email": f"{number}@x.example", "session_ids": session_ids}
    return Participant.model_validate({**MADE, **fields, **attending, **changes})


async def test_a_seat_is_held_by_one_participant_until_it_is_left(store: Any) -> None:
    repository = store.of("itecam")
    first, second = participant(1, seats={"talk": 1}), participant(2, seats={"talk": 1})
    await repository.insert(first, "f")
    with pytest.raises(NotUnique):
        await repository.insert(second, "f")
    await repository.insert(participant(2, ("talk", "other"), seats={"talk": 2, "other": 1}), "f")
    await repository.insert(participant(3), "f")
    await repository.insert(participant(4, edition_id="edn_2", seats={"talk": 1}), "f")
    seats = await repository.seats_taken("edn_1", ["talk", "other", "none"])
    assert {session: sorted(held, key=str) for session, held in seats.items()} == {"talk": [1, 2, None], "other": [1]}
    with pytest.raises(NotUnique):
        await repository.replace(participant(3, seats={"talk": 2}, revision=2))
    assert await repository.replace(first.model_copy(update={"status": Status.CANCELLED, "revision": 2}))
    assert await repository.replace(participant(3, seats={"talk": 1}, revision=2))
    assert sorted((await repository.seats_taken("edn_1", ["talk"]))["talk"]) == [1, 2]
    assert await store.of("rival").seats_taken("edn_1", ["talk"]) == {}
    assert (await repository.find_unique(Participant, [first.unique]))[first.unique].id == "prt_1"


async def test_lines_are_read_in_order_and_ended_with_their_edition(store: Any) -> None:
    repository = store.of("itecam")
    for number, minutes in ((1, 2), (2, 1), (3, 1)):
        waits = {"waiting_session_ids": ["talk"], "waiting_since": {"talk": NOW + timedelta(minutes=minutes)}}
        status = Status.CANCELLED if number == 3 else Status.ACTIVE
        await repository.insert(participant(number, (), status=status, **waits), "f")
    await repository.insert(participant(4), "f")
    assert await repository.lines("edn_1", ["talk", "none"]) == {
        "talk": [(NOW + timedelta(minutes=1), "prt_2"), (NOW + timedelta(minutes=2), "prt_1")]
    }
    assert await store.of("rival").lines("edn_1", ["talk"]) == {}
    assert await store.editions_with_lines() == [("itecam", "edn_1")]
    await store.end_lines("itecam", "edn_1")
    assert await store.editions_with_lines() == []


async def test_participants_with_an_availability_are_found_among_all(store: Any) -> None:
    repository = store.of("itecam")
    stay = {"starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}
    await repository.insert(participant(1, available=[stay]), "f")
    await repository.insert(participant(2), "f")
    await repository.insert(participant(3, available=[stay], edition_id="edn_2"), "f")
    assert [found.id for found in await repository.with_availability("edn_1")] == ["prt_1"]
    assert await store.of("rival").with_availability("edn_1") == []


async def test_the_sessions_of_participants_and_all_delegations_are_read(store: Any) -> None:
    repository = store.of("itecam")
    await repository.insert(participant(1, ("talk", "other")), "f")
    await repository.insert(participant(2, ()), "f")
    await repository.insert(participant(3, status=Status.CANCELLED), "f")
    assert await repository.attended("edn_1") == {"prt_1": ["talk", "other"]}
    for number, delegation in ((1, "México"), (2, None), (3, "Mexico")):
        await repository.insert(organisation(number, delegation=delegation), "f")
    await repository.insert(organisation(4, delegation="Perú", status=Status.CANCELLED), "f")
    assert await repository.delegations("edn_1") == {"México", "Mexico"}
    assert await store.of("rival").delegations("edn_1") == set()


async def test_an_edition_is_due_until_its_calendar_is_settled(store: Any) -> None:
    repository, edition = store.of("itecam"), entities_of_every_kind()[0]
    assert isinstance(edition, Edition)
    await repository.insert(edition, "f")
    moved = edition.with_facts(edition.model_copy(update={"timezone": "Atlantic/Canary"}), NOW)
    await repository.replace(moved)
    assert [found.id for found in await store.overdue(Edition, NOW, 9)] == ["edn_1"]
    await repository.settle(edition)
    assert len(await store.overdue(Edition, NOW, 9)) == 1
    await repository.settle(moved)
    assert await store.overdue(Edition, NOW, 9) == []


async def test_lists_overdue_requests_of_all_operators_oldest_first(store: Any) -> None:
    for number, operator in ((1, "itecam"), (2, "rival")):
        due = NOW - timedelta(hours=number)
        await store.of(operator).insert(request(number, operator_id=operator, expires_at=due), "f")
    await store.of("itecam").insert(request(3, expires_at=NOW + timedelta(hours=1)), "f")
    await store.of("itecam").insert(request(4), "f")
    assert [late.id for late in await store.overdue(MatchRequest, NOW, 10)] == ["req_2", "req_1"]
    assert [late.id for late in await store.overdue(MatchRequest, NOW, 1)] == ["req_2"]
    await store.of("rival").replace((await store.overdue(MatchRequest, NOW, 1))[0].answered(Answer.EXPIRY, NOW))
    assert [late.id for late in await store.overdue(MatchRequest, NOW, 10)] == ["req_1"]


async def test_writes_a_batch_but_for_the_entities_whose_keys_are_in_use(store: Any, written: list[Any]) -> None:
    repository = store.of("itecam")
    await repository.insert(organisation(1), "")
    written.clear()
    renamed, same = organisation(4, name="empresa 1"), organisation(1, name="Empresa 5")
    refused = await repository.insert_all([organisation(2), renamed, organisation(3), same])
    assert refused == [renamed, same]
    assert await repository.page(Organisation, "edn_1", "", 10) == [organisation(number) for number in (1, 2, 3)]
    assert written in ([], [(Organisation, f"itecam/edn_1/org_{number}") for number in (2, 3)])


async def test_reports_each_write_for_its_outbox(store: Any, written: list[Any]) -> None:
    if isinstance(store, MongoStore):
        await store.of("itecam").insert(organisation(), "f")
        await store.of("itecam").replace(organisation(revision=2))
        assert written == [(Organisation, "itecam/edn_1/org_1")] * 2


async def test_a_key_is_valid_until_it_is_revoked(settings: Settings) -> None:
    first = await add_operator(settings, "itecam", "ITECAM")
    with pytest.raises(OperatorExists):
        await add_operator(settings, "itecam", "Otra")
    second = await add_key(settings, "itecam")
    mongo = Mongo(settings)
    authenticator = Authenticator(MongoOperators(mongo.database(settings.database)), cache_seconds=0)
    assert {(await authenticator.principal_of(key)).operator_id for key in (first, second)} == {"itecam"}
    (first_id, _), (second_id, _) = await list_keys(settings, "itecam")
    await revoke_key(settings, "itecam", first_id)
    with pytest.raises(UnknownKey):
        await authenticator.principal_of(first)
    assert (await authenticator.principal_of(second)).operator_id == "itecam"
    assert await list_keys(settings, "itecam") == [(first_id, True), (second_id, False)]
    with pytest.raises(NoSuchKey):
        await revoke_key(settings, "itecam", "none")
    for unknown_operator in (list_keys(settings, "nobody"), revoke_key(settings, "nobody", first_id)):
        with pytest.raises(NoSuchOperator):
            await unknown_operator
    with pytest.raises(NoSuchOperator):
        await add_key(settings, "nobody")
    await mongo.close()


async def test_no_secret_is_stored(settings: Settings) -> None:
    key = await add_operator(settings, "itecam", "ITECAM")
    mongo = Mongo(settings)
    document = await mongo.database(settings.database)["operators"].find_one({"_id": "itecam"})
    assert key.partition(".")[2] not in str(document)
    await mongo.close()


class NotedReads:
    """A database that notes the filters of `find`, by collection."""

    def __init__(self, database: Any) -> None:
        self.filters: list[tuple[str, dict[str, Any]]] = []
        self._database = database

    def __getitem__(self, name: str) -> Any:
        collection, note = self._database[name], self.filters.append

        class Noting:
            def __getattr__(self, method: str) -> Any:
                return getattr(collection, method)

            def find(self, query: dict[str, Any], *options: Any) -> Any:
                note((name, query))
                return collection.find(query, *options)

        return Noting()


async def test_no_reading_of_an_edition_goes_through_the_documents_of_other_editions(settings: Settings) -> None:
    mongo = Mongo(settings)
    database = mongo.database(settings.database)
    noted = NotedReads(database)
    store = MongoStore(noted, lambda *_: None)
    await store.prepare()
    noted.filters.clear()
    repository = store.of("itecam")
    for kind in (Organisation, Participant, MatchRequest):
        await repository.page(kind, "edn_1", "", 10)
        await repository.find_unique(kind, ["edn_1/x"])
        await repository.find_many(kind, "edn_1", ["x"])
    await repository.page(Edition, None, "", 10)
    await repository.seats_taken("edn_1", ["s"])
    await repository.count_live_requests("edn_1", "prt_1")
    for collection, query in noted.filters:
        # The server looks the first clause up that an index serves, and compares the others.
        plans = [
            await database.command("explain", {"find": collection, "filter": {field: clause}})
            for field, clause in query.items()
        ]
        assert any(plan["queryPlanner"]["winningPlan"]["stage"] != "COLLSCAN" for plan in plans), (
            f"{collection}: {query}"
        )
    assert len(noted.filters) == 11
    await mongo.close()
