"""Problem types of rejected edits, reports and what-if questions, from the scheduler to the operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest

from services.scheduler.domain.organiser.errors import EditRejected
from shared.internal_api.edit_errors import ATTENDANCE_ERRORS, EDIT_ERRORS, WHAT_IF_ERRORS, EditErrorCode
from tests.support.registration_api import ANY_REVISION, assembled
from tests.support.scheduler_api import EDITION, ApiHarness

CODES = sorted(EditErrorCode)
ENDPOINTS = {
    ("/v1/editions/{edition_id}/agenda/edits", "post"): EDIT_ERRORS,
    ("/v1/editions/{edition_id}/agenda/edits/dry-run", "post"): EDIT_ERRORS,
    ("/v1/editions/{edition_id}/encounters/{encounter_id}/attendance", "post"): ATTENDANCE_ERRORS,
    ("/v1/editions/{edition_id}/what-if", "get"): WHAT_IF_ERRORS,
}


def kind_of(answer: httpx.Response) -> tuple[int, str]:
    """The HTTP status and the last part of the problem type."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:tertulia:problem:")


@pytest.mark.parametrize("code", CODES)
async def test_each_code_is_the_problem_type_at_each_endpoint(
    code: EditErrorCode, harness: ApiHarness, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reject(*_: object) -> None:
        raise EditRejected(code, "the reason in a sentence")

    for use_case in ("plan_edit", "apply_edit", "record_attendance", "what_if"):
        monkeypatch.setattr(harness.scheduler, use_case, reject)
    undo = {"edit": {"type": "undo"}}
    answers = [
        await api.post(f"{harness.path}/agenda/edits/dry-run", json=undo),
        await api.post(f"{harness.path}/agenda/edits", json=undo, headers={"If-Match": "*"}),
        await api.post(f"{harness.path}/encounters/enc_1/attendance", json={"outcome": "held"}),
        await api.get(f"{harness.path}/what-if", params={"tables": 1}),
    ]
    for answer in answers:
        assert kind_of(answer) == (code.status, code.value)
        assert answer.json()["detail"] == "the reason in a sentence"


def test_the_openapi_lists_each_code_at_the_endpoints_that_may_answer_it(harness: ApiHarness) -> None:
    paths = assembled(harness.infrastructure()).app().openapi()["paths"]
    for (path, method), codes in ENDPOINTS.items():
        responses = paths[path][method]["responses"]
        for code in CODES:
            is_listed = f"`urn:tertulia:problem:{code}`" in responses[str(int(code.status))]["description"]
            assert is_listed == (code in codes), (path, code)
    assert set().union(*ENDPOINTS.values()) == set(EditErrorCode)


async def test_real_requests_answer_with_a_code_that_the_openapi_lists(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    encounter = await harness.meeting(api, "Ana", "Beto")
    encounter_id, ana = encounter["encounter_id"], harness.people["Ana"]
    edits: dict[EditErrorCode, dict[str, Any]] = {
        EditErrorCode.UNKNOWN_ENCOUNTER: {"type": "lock", "encounter_id": "enc_none", "is_locked": True},
        EditErrorCode.NO_SUCH_SLOT: {"type": "place", "encounter_id": encounter_id, "slot": 99, "zone_id": "work"},
        EditErrorCode.NO_TABLE: {"type": "place", "encounter_id": encounter_id, "slot": 0, "zone_id": "garden"},
        EditErrorCode.NOT_THEIRS: swap(encounter_id, harness.people["Dario"], ana),
        EditErrorCode.UNKNOWN_PARTICIPANT: swap(encounter_id, ana, "par_none"),
        EditErrorCode.NOT_A_REPRESENTATIVE: swap(encounter_id, ana, harness.people["Dario"]),
        EditErrorCode.ALREADY_THERE: invite(encounter_id, ana),
        EditErrorCode.NOT_A_GUEST: invite(encounter_id, ana) | {"is_invited": False},
        EditErrorCode.CONTRADICTION: {
            "type": "order", "encounter_id": encounter_id, "after_id": encounter_id, "is_ordered": True
        },
        EditErrorCode.NOTHING_TO_UNDO: {"type": "undo"},
    }  # fmt: skip
    for code, edit in edits.items():
        answer = await api.post(f"{harness.path}/agenda/edits/dry-run", json={"edit": edit})
        assert kind_of(answer) == (code.status, code.value)

    path = f"{harness.path}/encounters/{encounter_id}/attendance"
    assert kind_of(await api.post(path, json={"outcome": "held"})) == (409, "not-live")
    await api.patch(harness.path, params={"confirm": "live"}, json={"phase": "live"}, headers=ANY_REVISION)
    await harness.deliver()
    assert kind_of(await api.post(path, json={"outcome": "held"})) == (409, "not-begun")
    harness.moment = datetime.fromisoformat(encounter["place"]["starts_at"])
    assert kind_of(await api.post(path, json={"outcome": "missed"})) == (422, "contradiction")
    assert kind_of(await api.get(f"{harness.path}/what-if?tables=1&zone_id=garden")) == (404, "unknown-zone")
    await api.patch(harness.path, json={"phase": "closed"}, headers=ANY_REVISION)
    await harness.deliver()
    assert kind_of(await api.get(f"{harness.path}/what-if?tables=1")) == (409, "closed")


async def test_an_edition_that_the_scheduler_does_not_know_yet_is_unknown(
    harness: ApiHarness, api: httpx.AsyncClient
) -> None:
    edition_id = await harness.make(api, "/editions", EDITION, "edition_id")
    answer = await api.post(f"/editions/{edition_id}/agenda/edits/dry-run", json={"edit": {"type": "undo"}})
    assert kind_of(answer) == (404, "unknown-edition")


def swap(encounter_id: str, participant_id: str, by: str) -> dict[str, Any]:
    return {"type": "swap", "encounter_id": encounter_id, "participant_id": participant_id, "by": by}


def invite(encounter_id: str, participant_id: str) -> dict[str, Any]:
    return {"type": "invite", "encounter_id": encounter_id, "participant_id": participant_id, "is_invited": True}
