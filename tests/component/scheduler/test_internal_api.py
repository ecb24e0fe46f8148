"""Requests of an organiser at registration's HTTP API that the scheduler answers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from services.registration.internal_clients import no_clients
from tests.support.registration_api import ANY_REVISION
from tests.support.scheduler_api import EDITION, ApiHarness, BusySolver


async def test_encounters_are_listed_with_the_names_of_their_participants(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    whole = (await api.get(f"{harness.path}/encounters")).json()
    assert len(whole["items"]) == 3
    assert set(whole["names"].values()) == set(harness.people)
    pages = [(await api.get(f"{harness.path}/encounters", params={"limit": 2})).json()]
    assert pages[0]["next"]
    pages.append((await api.get(f"{harness.path}/encounters", params={"limit": 2, "after": pages[0]["next"]})).json())
    assert pages[1]["next"] is None
    assert [each for page in pages for each in page["items"]] == whole["items"]
    assert (await api.get(f"{harness.path}/encounters", params={"limit": 500})).json() == whole
    assert (await api.get(f"{harness.path}/encounters", params={"limit": 501})).status_code == 422


async def test_participants_below_the_minimum_are_listed(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    path = f"{harness.path}/below-minimum"
    assert (await api.get(path)).json() == {"items": [], "names": {}, "next": None}
    await api.patch(
        harness.path,
        json={"quotas": {"min_encounters": 2}, "zones": [EDITION["zones"][0] | {"tables": []}]},
        headers=ANY_REVISION,
    )
    await harness.deliver()
    whole = (await api.get(path)).json()
    ids = sorted(harness.people.values())
    wanted = {harness.people[name]: 1 + (name in {"Ana", "Beto"}) for name in harness.people}
    assert whole["items"] == [{"participant_id": i, "placed": 0, "wanted": wanted[i], "least": 2} for i in ids]
    assert whole["names"] == {harness.people[name]: name for name in harness.people}
    pages = [(await api.get(path, params={"limit": 3})).json()]
    pages.append((await api.get(path, params={"limit": 3, "after": pages[0]["next"]})).json())
    assert [each for page in pages for each in page["items"]] == whole["items"]
    assert (await api.get(path, params={"limit": 0})).status_code == 422


async def test_goals_are_listed_with_placed_and_wanted_encounters(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    path = f"{harness.path}/goals"
    body = {"name": "Visita", "kind": "sme", "country": "MX", "delegation": "Mexico"}
    visitor = await harness.make(api, f"{harness.path}/organisations", body, "organisation_id")
    harness.people["Mara"] = await harness.register(api, "Mara", visitor)
    await harness.deliver(harness.pair("Carla", "Mara"))
    assert (await api.get(harness.path)).json()["goals"] == []
    assert (await api.get(path)).json() == {"items": []}
    await api.patch(harness.path, json={"goals": ["delegation", "cross_border"]}, headers=ANY_REVISION)
    await harness.deliver()
    reached = {"placed": 1, "wanted": 1}
    assert (await api.get(path)).json()["items"] == [
        {"goal": "delegation"} | reached,
        {"goal": "cross_border"} | reached,
    ]
    await api.patch(
        harness.path,
        json={"goals": ["delegation"], "zones": [EDITION["zones"][0] | {"tables": []}]},
        headers=ANY_REVISION,
    )
    await harness.deliver()
    assert (await api.get(path)).json()["items"] == [{"goal": "delegation", "placed": 0, "wanted": 1}]


async def test_a_what_if_question_changes_nothing(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    path = f"{harness.path}/what-if"
    await api.patch(harness.path, json={"zones": [EDITION["zones"][0] | {"tables": []}]}, headers=ANY_REVISION)
    await harness.deliver()
    sent = len(harness.sent)
    now = (await api.get(path)).json()
    assert now["placed"] == now["placed_then"] == now["at_most_then"] == 0
    assert now["waiting"] > 1
    then = (await api.get(path, params={"tables": 2, "slots": 1, "days": 1})).json()
    assert then == now | {"placed_then": now["waiting"], "at_most_then": now["waiting"]}
    assert len(harness.sent) == sent
    assert (await api.get(path, params={"tables": 1, "zone_id": "garden"})).status_code == 404
    for wrong in ({"tables": -1}, {"days": 9}, {"rooms": 1}):
        assert (await api.get(path, params=wrong)).status_code == 422
    harness.scheduler.solver = BusySolver()
    assert (await api.get(path)).status_code == 503


async def test_an_edit_is_planned_then_applied_then_undone(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    meeting, other = await harness.meeting(api, "Ana", "Beto"), await harness.meeting(api, "Beto", "Dario")
    at = other["place"]
    place = {"type": "place", "encounter_id": meeting["encounter_id"], "slot": at["slot"], "zone_id": "work"}
    sent = len(harness.sent)
    tried = await api.post(f"{harness.path}/agenda/edits/dry-run", json={"edit": place})
    assert tried.status_code == 200, tried.text
    effects = {each["encounter_id"]: each for each in tried.json()["encounters"]}
    assert effects[meeting["encounter_id"]]["after"]["slot"] == at["slot"]
    assert effects[other["encounter_id"]]["before"] == at
    assert set(tried.json()["names"].values()) >= {"Ana", "Beto", "Dario"}
    assert {harness.people["Ana"], harness.people["Beto"], harness.people["Dario"]} <= set(tried.json()["mailed"])
    assert len(harness.sent) == sent

    unguarded = await api.post(f"{harness.path}/agenda/edits", json={"edit": place})
    assert unguarded.status_code == 428
    guard = {"If-Match": tried.headers["etag"]}
    made = await api.post(f"{harness.path}/agenda/edits", json={"edit": place}, headers=guard)
    assert made.json() == tried.json()
    now = await harness.meeting(api, "Ana", "Beto")
    assert (now["place"]["slot"], now["is_locked"]) == (at["slot"], True)
    assert harness.told(meeting["encounter_id"]).cause.code == "organiser_edited"
    again = await api.post(f"{harness.path}/agenda/edits", json={"edit": place}, headers=guard)
    assert (again.status_code, again.json()["type"]) == (412, "urn:tertulia:problem:stale")

    undo = {"edit": {"type": "undo"}}
    tried = await api.post(f"{harness.path}/agenda/edits/dry-run", json=undo)
    back = await api.post(f"{harness.path}/agenda/edits", json=undo, headers={"If-Match": tried.headers["etag"]})
    assert back.status_code == 200
    assert await harness.meeting(api, "Beto", "Dario") == {**other, "state": "moved"}
    assert (await harness.meeting(api, "Ana", "Beto"))["place"] == meeting["place"]
    assert (await api.post(f"{harness.path}/agenda/edits/dry-run", json=undo)).status_code == 409


async def test_an_edit_that_breaks_a_rule_is_rejected_with_rule_and_names(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    other = await harness.meeting(api, "Beto", "Dario")
    lock = {"edit": {"type": "lock", "encounter_id": other["encounter_id"], "is_locked": True}}
    assert (await api.post(f"{harness.path}/agenda/edits", json=lock, headers={"If-Match": "*"})).status_code == 200
    meeting = (await harness.meeting(api, "Ana", "Beto"))["encounter_id"]
    edit = {"edit": {"type": "place", "encounter_id": meeting, "slot": other["place"]["slot"], "zone_id": "work"}}
    tried = await api.post(f"{harness.path}/agenda/edits/dry-run", json=edit)
    assert tried.status_code == 200
    assert {rule["rule"] for rule in tried.json()["broken"]} >= {"person_twice"}
    assert tried.json()["mailed"] == [] or tried.json()["broken"]
    made = await api.post(f"{harness.path}/agenda/edits", json=edit, headers={"If-Match": tried.headers["etag"]})
    assert (made.status_code, made.json()["type"]) == (422, "urn:tertulia:problem:rules-broken")
    detail = " ".join(error["detail"] for error in made.json()["errors"])
    assert "person_twice" in detail
    assert "Beto" in detail
    assert "Dario" in detail


async def test_a_representative_is_swapped_over_http(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    ana = (await api.get(f"{harness.path}/participants/{harness.people['Ana']}")).json()
    harness.people["Alba"] = await harness.register(api, "Alba", ana["organisation_id"])
    await harness.deliver()
    meeting = (await harness.meeting(api, "Ana", "Beto"))["encounter_id"]
    swap = {
        "type": "swap",
        "encounter_id": meeting,
        "participant_id": ana["participant_id"],
        "by": harness.people["Alba"],
    }
    made = await api.post(f"{harness.path}/agenda/edits", json={"edit": swap}, headers={"If-Match": "*"})
    assert made.status_code == 200, made.text
    assert set(harness.told(meeting).participant_ids) == {harness.people["Alba"], harness.people["Beto"]}
    assert (await harness.meeting(api, "Alba", "Beto"))["encounter_id"] == meeting


async def test_an_order_holds_until_it_is_taken_back(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    one, other = await harness.meeting(api, "Ana", "Beto"), await harness.meeting(api, "Beto", "Dario")
    first, last = sorted((one, other), key=lambda each: each["place"]["starts_at"])
    path, guard = f"{harness.path}/agenda/edits", {"If-Match": "*"}
    order = {
        "type": "order",
        "encounter_id": first["encounter_id"],
        "after_id": last["encounter_id"],
        "is_ordered": True,
    }
    tried = (await api.post(f"{path}/dry-run", json={"edit": order})).json()
    assert tried["broken"] == []
    assert [last["encounter_id"]] in [each["comes_after"] for each in tried["encounters"]]
    assert any(each["before"] != each["after"] for each in tried["encounters"])
    assert (await api.post(path, json={"edit": order}, headers=guard)).status_code == 200
    one, other = await harness.meeting(api, "Ana", "Beto"), await harness.meeting(api, "Beto", "Dario")
    now = {each["encounter_id"]: each for each in (one, other)}
    assert now[first["encounter_id"]]["comes_after"] == [last["encounter_id"]]
    assert now[last["encounter_id"]]["comes_after"] == []
    assert now[first["encounter_id"]]["place"]["starts_at"] >= now[last["encounter_id"]]["place"]["ends_at"]

    back = {**order, "encounter_id": last["encounter_id"], "after_id": first["encounter_id"]}
    refused = await api.post(f"{path}/dry-run", json={"edit": back})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tertulia:problem:circular")
    assert (await api.post(path, json={"edit": order | {"is_ordered": False}}, headers=guard)).status_code == 200
    assert (await api.post(path, json={"edit": back}, headers=guard)).status_code == 200
    replayed, read = (
        await harness.wired.journal.replay(harness.edition),
        await harness.scheduler.agenda(harness.edition),
    )
    assert replayed.comes_after == read.comes_after != {}


async def test_an_impossible_order_is_rejected_over_http(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    one, other = await harness.meeting(api, "Ana", "Beto"), await harness.meeting(api, "Beto", "Dario")
    order = {"type": "order", "encounter_id": one["encounter_id"], "is_ordered": True}
    for after, status in ((one["encounter_id"], 422), ("enc_none", 404)):
        answer = await api.post(f"{harness.path}/agenda/edits/dry-run", json={"edit": order | {"after_id": after}})
        assert answer.status_code == status, answer.text
    for each in (one, other):
        lock = {"edit": {"type": "lock", "encounter_id": each["encounter_id"], "is_locked": True}}
        assert (await api.post(f"{harness.path}/agenda/edits", json=lock, headers={"If-Match": "*"})).status_code == 200
    first, last = sorted((one, other), key=lambda each: each["place"]["starts_at"])
    wrong = order | {"encounter_id": first["encounter_id"], "after_id": last["encounter_id"]}
    made = await api.post(f"{harness.path}/agenda/edits", json={"edit": wrong}, headers={"If-Match": "*"})
    assert (made.status_code, made.json()["type"]) == (422, "urn:tertulia:problem:rules-broken")
    assert "out_of_order" in made.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        ({"type": "place", "encounter_id": "enc_none", "slot": 0, "zone_id": "work"}, 404),
        ({"type": "place", "encounter_id": "enc_none", "slot": -1, "zone_id": "work"}, 422),
        ({"type": "place", "encounter_id": "../x", "slot": 0, "zone_id": "work"}, 422),
        ({"type": "lock", "encounter_id": "enc_none", "is_locked": True, "slots": 3}, 422),
        ({"type": "cancel", "encounter_id": "enc_none"}, 422),
        ({"type": "order", "encounter_id": "enc_none", "after_id": "enc_none", "is_ordered": True}, 404),
        ({"type": "order", "encounter_id": "enc_none", "is_ordered": True}, 422),
        ({"type": "undo"}, 409),
        ("undo", 422),
    ],
)
async def test_a_malformed_edit_is_rejected(
    harness: ApiHarness, api: httpx.AsyncClient, edit: Any, status: int
) -> None:
    for path in ("edits", "edits/dry-run"):
        answer = await api.post(f"{harness.path}/agenda/{path}", json={"edit": edit}, headers={"If-Match": "*"})
        assert answer.status_code == status, answer.text


async def test_a_missed_place_goes_to_a_waiting_pair_at_once(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    await api.patch(harness.path, params={"confirm": "live"}, json={"phase": "live"}, headers=ANY_REVISION)
    await harness.deliver()
    meeting = await harness.meeting(api, "Ana", "Beto")
    slot = meeting["place"]
    harness.people["Eva"] = await harness.register(api, "Eva")
    busy = {"available": [{"starts_at": slot["starts_at"], "ends_at": slot["ends_at"]}]}
    await api.patch(f"{harness.path}/participants/{harness.people['Eva']}", json=busy, headers=ANY_REVISION)
    for name in ("Ana", "Beto", "Eva"):
        await api.post(f"{harness.path}/participants/{harness.people[name]}/check-in")
    harness.moment = datetime.fromisoformat(slot["starts_at"]) - timedelta(minutes=1)
    await harness.deliver(harness.pair("Beto", "Eva"))
    assert (await harness.meeting(api, "Beto", "Eva"))["place"] is None

    path = f"{harness.path}/encounters/{meeting['encounter_id']}/attendance"
    missed = {"outcome": "missed", "absent": [harness.people["Ana"]]}
    assert (await api.post(path, json=missed)).status_code == 409  # it has not begun
    harness.moment += timedelta(minutes=3)
    first = await api.post(path, json=missed)
    again = await api.post(path, json=missed)
    refill = (await harness.meeting(api, "Beto", "Eva"))["encounter_id"]
    assert first.json() == {"gone": [harness.people["Ana"]], "refilled": [refill]}
    assert again.json() == {"gone": [harness.people["Ana"]], "refilled": []}
    assert harness.told(refill).place == harness.told(meeting["encounter_id"]).place
    assert harness.told(meeting["encounter_id"]).absent_ids == (harness.people["Ana"],)
    assert not (await api.get(f"{harness.path}/participants/{harness.people['Ana']}")).json()["checked_in"]

    harness.moment += timedelta(hours=3)
    await api.patch(harness.path, json={"phase": "closed"}, headers=ANY_REVISION)
    await harness.deliver()
    assert (await api.post(path, json={"outcome": "held"})).json() == {"gone": [], "refilled": []}
    assert harness.told(meeting["encounter_id"]).state == "held"
    edits = f"{harness.path}/agenda/edits/dry-run"
    lock = {"edit": {"type": "lock", "encounter_id": refill, "is_locked": True}}
    assert (await api.post(edits, json=lock)).status_code == 409


@pytest.mark.parametrize("encounter", ["enc_none", "..", "%2e%2e", "a%3Fb", "a%23b", "%20"])
async def test_attendance_of_an_unknown_encounter_is_not_found(
    harness: ApiHarness, api: httpx.AsyncClient, encounter: str
) -> None:
    answer = await api.post(f"{harness.path}/encounters/{encounter}/attendance", json={"outcome": "held"})
    assert answer.status_code in {404, 405}


async def test_another_operator_finds_nothing(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    meeting = (await harness.meeting(api, "Ana", "Beto"))["encounter_id"]
    edit = {"edit": {"type": "lock", "encounter_id": meeting, "is_locked": True}}
    async with harness.client("rival.other") as rival:
        assert (await rival.get(f"{harness.path}/encounters")).status_code == 404
        assert (await rival.get(f"{harness.path}/below-minimum")).status_code == 404
        assert (await rival.get(f"{harness.path}/goals")).status_code == 404
        assert (await rival.get(f"{harness.path}/what-if")).status_code == 404
        assert (await rival.post(f"{harness.path}/agenda/edits/dry-run", json=edit)).status_code == 404
        guarded = await rival.post(f"{harness.path}/agenda/edits", json=edit, headers={"If-Match": "*"})
        assert guarded.status_code == 404
        held = await rival.post(f"{harness.path}/encounters/{meeting}/attendance", json={"outcome": "held"})
        assert held.status_code == 404


async def test_check_in_works_while_the_scheduler_is_away(harness: ApiHarness, api: httpx.AsyncClient) -> None:
    async with harness.client_with(no_clients()) as alone:
        away = await alone.post(f"{harness.path}/agenda/edits/dry-run", json={"edit": {"type": "undo"}})
        assert (away.status_code, away.headers["retry-after"]) == (503, "2")
        here = await alone.post(f"{harness.path}/participants/{harness.people['Ana']}/check-in")
        assert here.json()["checked_in"]


async def test_edits_through_two_processes_are_kept_together_by_the_fence(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    second = harness.instance()
    async with harness.client(scheduler=second) as other:
        meeting = (await harness.meeting(other, "Ana", "Beto"))["encounter_id"]
        lock = {"edit": {"type": "lock", "encounter_id": meeting, "is_locked": True}}
        guard = {"If-Match": "*"}
        assert (await api.post(f"{harness.path}/agenda/edits", json=lock, headers=guard)).status_code == 200
        # The second has read the edition before, and must not answer from memory.
        assert (await harness.meeting(other, "Ana", "Beto"))["is_locked"]
        undo = {"edit": {"type": "undo"}}
        assert (await other.post(f"{harness.path}/agenda/edits", json=undo, headers=guard)).status_code == 200
    await harness.deliver(harness.pair("Carla", "Dario"))
    assert not (await harness.meeting(api, "Ana", "Beto"))["is_locked"]
    replayed, read = (
        await harness.wired.journal.replay(harness.edition),
        await harness.scheduler.agenda(harness.edition),
    )
    assert replayed.model_dump() == read.model_dump()
