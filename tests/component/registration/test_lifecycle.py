"""What happens to editions, organisations, participants and requests, and what the bus is told."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.registration.service import expire_overdue
from shared.contract.events import EditionChanged, ParticipantChanged


async def test_a_repeat_with_the_key_answers_with_what_was_made(
    api: httpx.AsyncClient, fair: Any, bodies: Any, store: Any
) -> None:
    path, body = f"{fair.path}/organisations", bodies.organisation()
    first = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
    count = len(store.events)
    again = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(store.events) == count
    other = await api.post(path, json=bodies.organisation(name="Other"), headers={"Idempotency-Key": "k"})
    assert other.status_code == 422
    assert other.json()["type"] == "urn:tertulia:problem:key-reused"
    await api.patch(fair.path, json={"phase": "closed"})
    assert (await api.post(path, json=body, headers={"Idempotency-Key": "k"})).json() == first.json()


async def test_the_same_name_or_address_is_a_conflict(api: httpx.AsyncClient, fair: Any, bodies: Any) -> None:
    again = await api.post(f"{fair.path}/organisations", json=bodies.organisation(name="EMPRESA  1"))
    assert again.status_code == 409
    assert fair.organisations[0] in again.json()["detail"]
    body = bodies.participant(fair.organisations[0], email="A1@X.example")
    assert (await api.post(f"{fair.path}/participants", json=body)).status_code == 409


async def test_a_patch_makes_a_revision_only_if_it_changes_something(api: httpx.AsyncClient, fair: Any) -> None:
    path = f"{fair.path}/organisations/{fair.organisations[0]}"
    changed = await api.patch(path, json={"region": "Toledo"})
    assert (changed.json()["revision"], changed.headers["etag"]) == (2, '"2"')
    assert (await api.patch(path, json={"region": "Toledo"})).json()["revision"] == 2
    assert (await api.patch(path, json={"region": None})).json()["region"] is None


@pytest.mark.parametrize(("if_match", "status"), [('"1"', 200), ('"2"', 412), ("*", 200), ("1", 412), ('W/"x"', 412)])
async def test_if_match_guards_a_change(api: httpx.AsyncClient, fair: Any, if_match: str, status: int) -> None:
    answer = await api.patch(fair.path, json={"name": "Otro"}, headers={"If-Match": if_match})
    assert answer.status_code == status


async def test_racing_changes_are_all_made(api: httpx.AsyncClient, fair: Any) -> None:
    path = f"{fair.path}/organisations/{fair.organisations[0]}"
    patches = [
        {"region": "Toledo"},
        {"delegation": "México"},
        {"interchangeable": True},
        {"codes": ["ket:robotics"]},
        {"country": "MX"},
    ]
    answers = await asyncio.gather(*(api.patch(path, json=patch) for patch in patches))
    assert {answer.status_code for answer in answers} == {200}
    final = (await api.get(path)).json()
    assert final["revision"] == 1 + len(patches)
    assert (final["region"], final["delegation"], final["country"]) == ("Toledo", "México", "MX")


async def test_the_phase_goes_forwards_only(api: httpx.AsyncClient, fair: Any, bodies: Any) -> None:
    for phase in ("published", "live", "closed"):
        assert (await api.patch(fair.path, json={"phase": phase})).json()["phase"] == phase
        assert (await api.patch(fair.path, json={"phase": phase})).status_code == 200
        assert (await api.patch(fair.path, json={"phase": "open"})).status_code == 409
    organisation = f"{fair.path}/organisations/{fair.organisations[0]}"
    assert (await api.post(f"{fair.path}/organisations", json=bodies.organisation())).status_code == 409
    assert (await api.patch(organisation, json={"region": "X"})).status_code == 409
    assert (await api.post(f"{organisation}/cancellation")).status_code == 409


async def test_a_cancelled_organisation_takes_its_participants_along(
    api: httpx.AsyncClient, fair: Any, bodies: Any, store: Any
) -> None:
    path = f"{fair.path}/organisations/{fair.organisations[0]}/cancellation"
    assert (await api.post(path)).json()["status"] == "cancelled"
    count = len(store.events)
    assert (await api.post(path)).status_code == 200
    assert len(store.events) == count
    found = [(await api.get(f"{fair.path}/participants/{i}")).json()["status"] for i in fair.participants]
    assert found == ["cancelled", "cancelled", "active", "active"]
    body = bodies.participant(fair.organisations[0])
    assert (await api.post(f"{fair.path}/participants", json=body)).status_code == 409
    body = {"requester_id": fair.participants[2], "target_id": fair.participants[0]}
    assert (await api.post(f"{fair.path}/match-requests", json=body)).status_code == 409


async def test_another_person_takes_the_seat(api: httpx.AsyncClient, fair: Any, store: Any) -> None:
    path = f"{fair.path}/participants/{fair.participants[0]}"
    new = {"name": "Inés", "email": "ines@x.example", "languages": ["pt"], "profile": {"offers": ["Fundición"]}}
    assert (await api.patch(path, json=new)).json()["participant_id"] == fair.participants[0]
    told = store.events[-1]
    assert isinstance(told, ParticipantChanged)
    assert (told.revision, told.name, told.email) == (2, "Inés", "ines@x.example")


async def test_slots_leave_breaks_out_and_times_are_local(fair: Any, store: Any) -> None:
    told = store.events[0]
    assert isinstance(told, EditionChanged)
    assert [f"{slot.starts_at:%H:%M}" for slot in told.slots] == [
        "08:00", "08:15", "08:30", "08:45", "09:00", "09:15", "10:00", "10:15", "10:30", "10:45"
    ]  # fmt: skip
    assert f"{told.sessions[0].starts_at:%H:%M}" == "08:00"


@pytest.mark.parametrize(
    ("answers", "state", "refused"),
    [
        (["acceptance", "acceptance"], "accepted", []),
        (["refusal", "refusal"], "declined", []),
        (["acceptance", "withdrawal"], "withdrawn", []),
        (["withdrawal"], "withdrawn", ["acceptance", "refusal"]),
        (["refusal"], "declined", ["acceptance", "withdrawal"]),
        (["acceptance"], "accepted", ["refusal"]),
    ],
)
async def test_answers(api: httpx.AsyncClient, fair: Any, answers: list[str], state: str, refused: list[str]) -> None:
    path = f"{fair.path}/match-requests/{(await fair.ask(0, 2))['request_id']}"
    for answer in answers:
        assert (await api.post(f"{path}/{answer}")).status_code == 200
    for answer in refused:
        assert (await api.post(f"{path}/{answer}")).status_code == 409
    assert (await api.get(path)).json()["state"] == state


async def test_an_open_request_has_nobody_to_answer_it(api: httpx.AsyncClient, fair: Any) -> None:
    path = f"{fair.path}/match-requests/{(await fair.ask(0, None, partners_wanted=3))['request_id']}"
    assert (await api.post(f"{path}/acceptance")).status_code == 409
    assert (await api.post(f"{path}/withdrawal")).status_code == 200


async def test_asking_again_only_after_withdrawing(api: httpx.AsyncClient, fair: Any) -> None:
    request = await fair.ask(0, 2)
    body = {"requester_id": fair.participants[0], "target_id": fair.participants[2]}
    assert (await api.post(f"{fair.path}/match-requests", json=body)).status_code == 409
    await api.post(f"{fair.path}/match-requests/{request['request_id']}/withdrawal")
    assert (await api.post(f"{fair.path}/match-requests", json=body)).status_code == 201


async def test_the_quota_of_requests(api: httpx.AsyncClient, fair: Any) -> None:
    await api.patch(fair.path, json={"quotas": {"max_requests": 1}})
    request = await fair.ask(0, 2)
    body = {"requester_id": fair.participants[0], "target_id": fair.participants[3]}
    assert (await api.post(f"{fair.path}/match-requests", json=body)).status_code == 409
    await api.post(f"{fair.path}/match-requests/{request['request_id']}/withdrawal")
    assert (await api.post(f"{fair.path}/match-requests", json=body)).status_code == 201


async def test_unanswered_requests_expire(api: httpx.AsyncClient, fair: Any, store: Any, clock: Any) -> None:
    await api.patch(fair.path, json={"answer_within_hours": 48})
    late, answered = await fair.ask(0, 2), await fair.ask(0, 3)
    await api.post(f"{fair.path}/match-requests/{answered['request_id']}/acceptance")
    clock.passes(hours=47)
    await expire_overdue(store, clock)
    assert (await api.get(f"{fair.path}/match-requests/{late['request_id']}")).json()["state"] == "requested"
    clock.passes(hours=1)
    await expire_overdue(store, clock)
    assert (await api.get(f"{fair.path}/match-requests/{late['request_id']}")).json()["state"] == "expired"
    assert (await api.get(f"{fair.path}/match-requests/{answered['request_id']}")).json()["state"] == "accepted"


async def test_pages_link_to_the_next(api: httpx.AsyncClient, fair: Any) -> None:
    seen: list[str] = []
    answer = await api.get(f"{fair.path}/participants?limit=3")
    while True:
        seen += [item["participant_id"] for item in answer.json()["items"]]
        if "next" not in answer.links:
            break
        answer = await api.get("http://registration" + answer.links["next"]["url"])
    assert seen == sorted(fair.participants)


@pytest.mark.parametrize(
    ("error", "status"), [(ServerSelectionTimeoutError("away"), 503), (TimeoutError(), 503), (KeyError("ana"), 500)]
)
async def test_failures_are_told_as_problems(
    api: httpx.AsyncClient, fair: Any, monkeypatch: pytest.MonkeyPatch, store: Any, error: Exception, status: int
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(store, "of", fail)
    answer = await api.get(fair.path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "ana" not in answer.text
