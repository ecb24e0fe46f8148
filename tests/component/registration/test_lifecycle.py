"""Life of editions, organisations, participants and match requests, and the events they publish."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pymongo.errors import ServerSelectionTimeoutError

from services.registration.service import expire_overdue
from shared.contract.events import EditionChanged, ParticipantChanged
from tests.support.registration_api import (
    ANY_REVISION,
    Clock,
    EditionHarness,
    RegistrationHarness,
    organisation_body,
    participant_body,
)


async def test_a_repeat_with_the_same_key_returns_the_first_result(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path, body = f"{edition.path}/organisations", organisation_body()
    first = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
    count = len(await registration.published())
    again = await api.post(path, json=body, headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(await registration.published()) == count
    reused = await api.post(path, json=organisation_body(name="Other"), headers={"Idempotency-Key": "k"})
    assert reused.status_code == 422
    assert reused.json()["type"] == "urn:tertulia:problem:key-reused"
    await api.patch(edition.path, json={"phase": "closed"}, headers=ANY_REVISION)
    assert (await api.post(path, json=body, headers={"Idempotency-Key": "k"})).json() == first.json()


async def test_the_same_name_or_address_is_a_conflict(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    again = await api.post(f"{edition.path}/organisations", json=organisation_body(name="EMPRESA  1"))
    assert again.status_code == 409
    assert edition.organisations[0] in again.json()["detail"]
    body = participant_body(edition.organisations[0], email="A1@X.example")
    assert (await api.post(f"{edition.path}/participants", json=body)).status_code == 409


async def test_a_patch_makes_a_revision_only_if_it_changes_something(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/organisations/{edition.organisations[0]}"
    changed = await api.patch(path, json={"region": "Toledo"}, headers=ANY_REVISION)
    assert (changed.json()["revision"], changed.headers["etag"]) == (2, '"2"')
    assert (await api.patch(path, json={"region": "Toledo"}, headers=ANY_REVISION)).json()["revision"] == 2
    assert (await api.patch(path, json={"region": None}, headers=ANY_REVISION)).json()["region"] is None


@pytest.mark.parametrize(("if_match", "status"), [('"1"', 200), ('"2"', 412), ("*", 200), ("1", 412), ('W/"x"', 412)])
async def test_if_match_allows_only_its_revisions(
    api: httpx.AsyncClient, edition: EditionHarness, if_match: str, status: int
) -> None:
    answer = await api.patch(edition.path, json={"name": "Otro"}, headers={"If-Match": if_match})
    assert answer.status_code == status


async def test_concurrent_changes_are_all_made(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/organisations/{edition.organisations[0]}"
    patches = [
        {"region": "Toledo"},
        {"delegation": "México"},
        {"interchangeable": True},
        {"codes": ["ket:robotics"]},
        {"country": "MX"},
    ]
    answers = await asyncio.gather(*(api.patch(path, json=patch, headers=ANY_REVISION) for patch in patches))
    assert {answer.status_code for answer in answers} == {200}
    final = (await api.get(path)).json()
    assert final["revision"] == 1 + len(patches)
    assert (final["region"], final["delegation"], final["country"]) == ("Toledo", "México", "MX")


async def test_the_phase_goes_forwards_only(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    for phase in ("published", "live", "closed"):
        assert (await api.patch(edition.path, json={"phase": phase}, headers=ANY_REVISION)).json()["phase"] == phase
        assert (await api.patch(edition.path, json={"phase": phase}, headers=ANY_REVISION)).status_code == 200
        assert (await api.patch(edition.path, json={"phase": "open"}, headers=ANY_REVISION)).status_code == 409
    organisation = f"{edition.path}/organisations/{edition.organisations[0]}"
    assert (await api.post(f"{edition.path}/organisations", json=organisation_body())).status_code == 409
    assert (await api.patch(organisation, json={"region": "X"}, headers=ANY_REVISION)).status_code == 409
    assert (await api.post(f"{organisation}/cancellation")).status_code == 409


async def test_cancelling_an_organisation_cancels_its_participants(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/organisations/{edition.organisations[0]}/cancellation"
    assert (await api.post(path)).json()["status"] == "cancelled"
    count = len(await registration.published())
    assert (await api.post(path)).status_code == 200
    assert len(await registration.published()) == count
    found = [
        (await api.get(f"{edition.path}/participants/{participant_id}")).json()["status"]
        for participant_id in edition.participants
    ]
    assert found == ["cancelled", "cancelled", "active", "active"]
    body = participant_body(edition.organisations[0])
    assert (await api.post(f"{edition.path}/participants", json=body)).status_code == 409
    body = {"requester_id": edition.participants[2], "target_id": edition.participants[0]}
    assert (await api.post(f"{edition.path}/match-requests", json=body)).status_code == 409


async def test_another_person_may_take_a_participant_s_place(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    new = {"name": "Inés", "email": "ines@x.example", "languages": ["pt"], "profile": {"offers": ["Fundición"]}}
    assert (await api.patch(path, json=new, headers=ANY_REVISION)).json()["participant_id"] == edition.participants[0]
    event = (await registration.published())[-1]
    assert isinstance(event, ParticipantChanged)
    assert (event.revision, event.name, event.email) == (2, "Inés", "ines@x.example")


async def test_slots_avoid_breaks_and_times_are_local(
    edition: EditionHarness, registration: RegistrationHarness
) -> None:
    event = (await registration.published())[0]
    assert isinstance(event, EditionChanged)
    assert [f"{slot.starts_at:%H:%M}" for slot in event.slots] == [
        "08:00", "08:15", "08:30", "08:45", "09:00", "09:15", "10:00", "10:15", "10:30", "10:45"
    ]  # fmt: skip
    assert f"{event.sessions[0].starts_at:%H:%M}" == "08:00"


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
async def test_each_answer_leads_to_its_state_and_refuses_the_rest(
    api: httpx.AsyncClient, edition: EditionHarness, answers: list[str], state: str, refused: list[str]
) -> None:
    path = f"{edition.path}/match-requests/{(await edition.request(0, 2))['request_id']}"
    for answer in answers:
        assert (await api.post(f"{path}/{answer}")).status_code == 200
    for answer in refused:
        assert (await api.post(f"{path}/{answer}")).status_code == 409
    assert (await api.get(path)).json()["state"] == state


async def test_a_request_without_a_target_cannot_be_answered(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/match-requests/{(await edition.request(0, None, partners_wanted=3))['request_id']}"
    assert (await api.post(f"{path}/acceptance")).status_code == 409
    assert (await api.post(f"{path}/withdrawal")).status_code == 200


async def test_a_second_request_is_possible_only_after_withdrawal(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    request = await edition.request(0, 2)
    body = {"requester_id": edition.participants[0], "target_id": edition.participants[2]}
    assert (await api.post(f"{edition.path}/match-requests", json=body)).status_code == 409
    await api.post(f"{edition.path}/match-requests/{request['request_id']}/withdrawal")
    assert (await api.post(f"{edition.path}/match-requests", json=body)).status_code == 201


async def test_withdrawn_requests_do_not_count_towards_the_quota(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    await api.patch(edition.path, json={"quotas": {"max_requests": 1}}, headers=ANY_REVISION)
    request = await edition.request(0, 2)
    body = {"requester_id": edition.participants[0], "target_id": edition.participants[3]}
    assert (await api.post(f"{edition.path}/match-requests", json=body)).status_code == 409
    await api.post(f"{edition.path}/match-requests/{request['request_id']}/withdrawal")
    assert (await api.post(f"{edition.path}/match-requests", json=body)).status_code == 201


async def test_unanswered_requests_expire(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    await api.patch(edition.path, json={"answer_within_hours": 48}, headers=ANY_REVISION)
    late, answered = await edition.request(0, 2), await edition.request(0, 3)
    await api.post(f"{edition.path}/match-requests/{answered['request_id']}/acceptance")
    clock.advance(hours=47)
    await expire_overdue(registration.context.store, clock)
    assert (await api.get(f"{edition.path}/match-requests/{late['request_id']}")).json()["state"] == "requested"
    clock.advance(hours=1)
    await expire_overdue(registration.context.store, clock)
    assert (await api.get(f"{edition.path}/match-requests/{late['request_id']}")).json()["state"] == "expired"
    assert (await api.get(f"{edition.path}/match-requests/{answered['request_id']}")).json()["state"] == "accepted"


async def test_pages_link_to_the_next(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    seen: list[str] = []
    answer = await api.get(f"{edition.path}/participants?limit=3")
    while True:
        seen += [item["participant_id"] for item in answer.json()["items"]]
        if "next" not in answer.links:
            break
        answer = await api.get("http://registration" + answer.links["next"]["url"])
    assert seen == sorted(edition.participants)


@pytest.mark.parametrize(
    ("error", "status"), [(ServerSelectionTimeoutError("away"), 503), (TimeoutError(), 503), (KeyError("ana"), 500)]
)
async def test_unexpected_failures_are_answered_with_problems(
    api: httpx.AsyncClient,
    edition: EditionHarness,
    monkeypatch: pytest.MonkeyPatch,
    registration: RegistrationHarness,
    error: Exception,
    status: int,
) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr(registration.context.store, "of", fail)
    answer = await api.get(edition.path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in answer.headers) == (status == 503)
    assert "ana" not in answer.text
