"""Waiting encounters as all places tell them: the list, the remedy, the affinity, the events and `tertulia why`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from services.registration.internal_clients import InternalClient, InternalClients
from services.scheduler.domain import history
from services.scheduler.domain.changes import CHANGE
from services.scheduler.domain.organiser.remedies import find_remedy
from shared.contract.events import AgendaChanged, EncounterState, Remedy
from shared.contract.ids import pair_id, pair_of
from shared.internal_api.remedies import describe
from shared.storage.history import read_back
from shared.storage.journal_store import MongoJournalStore
from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import SETTINGS, ApiHarness


class MatchingThatLags(InternalClient):
    """Matching that has heard of no waiting encounter yet."""

    def __init__(self) -> None:
        super().__init__("matching", None)
        self.consent = "granted"

    async def get(self, path: str, parameters: Any = None) -> dict[str, Any]:
        both = pair_of(*path.split("/")[-2:])
        return {"participant_ids": both, "hindrances": [], "consent": self.consent, "score": 0.4}


@pytest.fixture
def matching() -> MatchingThatLags:
    return MatchingThatLags()


@pytest.fixture
async def api(harness: ApiHarness, matching: MatchingThatLags) -> AsyncIterator[httpx.AsyncClient]:
    """One table and one slot for two encounters; the second waits."""
    async with harness.client_with(InternalClients(matching, harness.internal_client())) as client:
        await harness.set_up(client, "Ana Beto Carla Dario")
        zones = [{"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["1"]}]
        days = [{"date": "2026-11-26", "starts": "09:00", "ends": "09:15"}]
        body = {"zones": zones, "days": days, "phase": "published"}
        answer = await client.patch(harness.path, json=body, headers=ANY_REVISION)
        assert answer.status_code == 200, answer.text
        await harness.deliver(harness.pair("Ana", "Beto", priority=1), harness.pair("Carla", "Dario", priority=3))
        await harness.settle()
        yield client


async def remedy_of(harness: ApiHarness, api: httpx.AsyncClient, one: str, other: str) -> dict[str, Any]:
    encounter = await harness.meeting(api, one, other)
    answer = await api.get(f"{harness.path}/encounters/{encounter['encounter_id']}/remedy")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_remedy_of_a_waiting_encounter_is_named_in_words(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    found = await remedy_of(harness, api, "Carla", "Dario")
    assert [(step["kind"], step["zone_id"], step["tables"]) for step in found["remedy"]["steps"]] == [
        ("table", "work", 1)
    ]
    assert found["text"] == (
        "The encounter waits: no table is free when the participants are. "
        "It would be held on 2026-11-26 09:00 if zone work had 1 more table."
    )
    assert found["names"] == {harness.people[name]: name for name in ("Carla", "Dario")}
    assert found["as_of"] == found["remedy"]["as_of"]


async def test_a_remedy_that_is_carried_out_places_the_encounter(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    await api.put(f"{harness.path}/zones/work/tables/2", params={"token": "*"})
    await harness.deliver()
    assert (await harness.meeting(api, "Carla", "Dario"))["state"] == "scheduled"
    found = await remedy_of(harness, api, "Carla", "Dario")
    assert (found["remedy"], found["text"]) == (None, "")


async def test_all_places_tell_the_same_of_a_waiting_encounter(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    listed = await harness.meeting(api, "Carla", "Dario")
    one, other = harness.people["Carla"], harness.people["Dario"]
    found = await remedy_of(harness, api, "Carla", "Dario")
    affinity = (await api.get(f"{harness.path}/affinities/{one}/{other}")).json()
    event = harness.told(listed["encounter_id"])
    state = await harness.wired.scheduler.agenda(harness.edition)
    journal = MongoJournalStore(harness.infrastructure().mongo.database(SETTINGS.database))
    entries = await journal.entries(harness.edition, after=0)
    steps = list(history.steps_of(harness.edition, pair_of(one, other), read_back(CHANGE, entries)))
    identity = pair_id(harness.edition, one, other)

    assert (listed["state"], event.state) == ("waiting", EncounterState.WAITING)
    assert (listed["waiting_reason"], event.waiting_reason) == ("no_table", "no_table")
    assert (affinity["hindrances"], steps[-1].what) == (["no_table"], "waits: no_table")
    assert found["encounter"] == listed
    assert affinity["encounter_id"] == listed["encounter_id"]
    assert affinity["remedy"] == found["remedy"] == listed["remedy"]
    assert listed["remedy_sought"]
    remedy = find_remedy(state, identity, harness.now())
    assert Remedy.model_validate(found["remedy"]) == remedy
    assert affinity["text"] == found["text"] == describe(state.waiting[identity], remedy, {}, ZoneInfo("Europe/Madrid"))


async def test_the_list_names_the_remedy_of_the_present_agenda(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    assert (await harness.meeting(api, "Carla", "Dario"))["remedy"]["steps"][0]["kind"] == "table"
    placed = await harness.meeting(api, "Ana", "Beto")
    assert (placed["remedy"], placed["remedy_sought"]) == (None, False)
    hours = {"available": [{"starts_at": "2026-11-26T13:00", "ends_at": "2026-11-26T14:00"}]}
    path = f"{harness.path}/participants/{harness.people['Carla']}"
    assert (await api.patch(path, json=hours, headers=ANY_REVISION)).status_code == 200
    await harness.deliver()
    found = await remedy_of(harness, api, "Carla", "Dario")
    listed = await harness.meeting(api, "Carla", "Dario")
    assert (found["remedy"], found["encounter"]) == (listed["remedy"], listed)
    assert "hours" in {step["kind"] for step in listed["remedy"]["steps"]}


async def test_counts_of_waiting_encounters_agree_with_the_list(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    listed = (await api.get(f"{harness.path}/encounters")).json()["items"]
    counts = (await api.get(f"{harness.path}/what-if", params={"tables": 1})).json()
    waiting = [encounter for encounter in listed if encounter["waiting_reason"]]
    assert [encounter["state"] for encounter in waiting] == ["waiting"]
    assert (counts["waiting"], counts["placed"]) == (len(waiting), len(listed) - len(waiting))
    assert counts["placed_then"] == len(listed)  # the remedy is the same: one more table


async def test_a_placed_encounter_hinders_nothing(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    affinity = (await api.get(f"{harness.path}/affinities/{harness.people['Ana']}/{harness.people['Beto']}")).json()
    assert (affinity["hindrances"], affinity["remedy"], affinity["text"]) == ([], None, "")


async def test_a_pair_without_consent_is_matchings_alone(
    harness: ApiHarness, api: httpx.AsyncClient, matching: MatchingThatLags
) -> None:
    matching.consent = "pending"
    affinity = (await api.get(f"{harness.path}/affinities/{harness.people['Ana']}/{harness.people['Carla']}")).json()
    assert (affinity["encounter_id"], affinity["remedy"]) == (None, None)


@pytest.mark.parametrize("encounter_id", ["enc_unknown", "no id"])
async def test_an_unknown_encounter_has_no_remedy(
    harness: ApiHarness, api: httpx.AsyncClient, encounter_id: str
) -> None:
    assert (await api.get(f"{harness.path}/encounters/{encounter_id}/remedy")).status_code == 404


async def test_an_announced_agenda_lists_waiting_encounters_with_their_remedy(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    days = [{"date": "2026-11-26", "starts": "09:00", "ends": "09:30"}]
    zones = [{"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["9"]}]
    await api.patch(harness.path, params={"token": "*"}, json={"days": days}, headers=ANY_REVISION)
    await harness.deliver(harness.pair("Beto", "Carla"))
    await harness.settle()
    found = await remedy_of(harness, api, "Beto", "Carla")
    before = len(harness.sent)
    await api.patch(harness.path, params={"token": "*"}, json={"zones": zones}, headers=ANY_REVISION)
    await harness.deliver()
    agendas = [event for event in harness.sent[before:] if isinstance(event, AgendaChanged)]
    beto, carla = harness.people["Beto"], harness.people["Carla"]
    listed = {agenda.participant_id: agenda.waiting for agenda in agendas}
    assert {person for person, waiting in listed.items() if waiting} == {beto, carla}
    (waiting,) = listed[beto]
    assert (waiting.encounter_id, waiting.reason) == (found["encounter"]["encounter_id"], "agendas_full")
    assert [party.participant_id for party in waiting.parties] == [carla]
    assert waiting.remedy == Remedy.model_validate(found["remedy"])
