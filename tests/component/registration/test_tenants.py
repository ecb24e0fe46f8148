"""Entities of another operator look unknown: every route gives the same answer, word for word."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.keys import OperatorKey, digest_of
from tests.support.registration_api import (
    OPERATORS,
    EditionHarness,
    RegistrationHarness,
    client_of,
    edition_body,
    participant_body,
)
from tests.support.webhook_stage import WebhookStage

BODIES: dict[str, Any] = {
    "profile-help": {"text": "x"},
    "address": {"email": "ana.nueva@x.example"},
    "organisations": {"name": "X", "kind": "sme", "country": "ES"},
    "participants": {"organisation_id": "org_1", "name": "X", "email": "x@x.example", "languages": ["es"]},
    "match-requests": {"requester_id": "prt_1"},
    "proposals": {"encounters": 2},
    "attendance": {"outcome": "held"},
    "postponements": {"days": 7},
    "edits": {"edit": {"type": "undo"}},
    "rotation": {},
    "retention": {"months": 12},
    "{subject}": {"granted": True, "text_version": "1", "text": "x"},
    "merges": {"merged_id": "prt_1"},
    "replacement": {"name": "X", "email": "x@x.example", "languages": ["es"]},
    "secret": {},
    "replay": {},
    "dry-run": {"edit": {"type": "undo"}},
    "{zone_id}": {"zone_id": "workspace", "kind": "workspace", "name": "X"},
    "{session_id}": {
        "session_id": "opening",
        "kind": "keynote",
        "title": "X",
        "zone_id": "hall",
        "starts_at": "2026-11-26T09:00",
        "ends_at": "2026-11-26T10:00",
    },
}


def routes_of(context: ApiContext) -> list[tuple[str, str]]:
    paths = make_api(context).openapi()["paths"]
    found = [(method, path) for path, methods in paths.items() for method in methods]
    return [(method, path) for method, path in found if "{" in path]


async def test_every_route_hides_the_entities_of_other_operators(
    edition: EditionHarness, context: ApiContext, registration: RegistrationHarness
) -> None:
    stage = WebhookStage(internal_token="t0ken")
    clients = dataclasses.replace(context.clients, events=stage.client())
    rival = client_of(dataclasses.replace(context, clients=clients), "rival")
    request = await edition.request(0, 2)
    ids = {
        "edition_id": edition.edition_id,
        "organisation_id": edition.organisations[0],
        "participant_id": edition.participants[0],
        "request_id": request["request_id"],
        "encounter_id": "enc_1",
        "amendment_id": "amd_1",
        "one": edition.participants[0],
        "other": edition.participants[2],
        "zone_id": "workspace",
        "table": "1",
        "session_id": "opening",
        "member_id": "opening",
        "competitor_id": edition.organisations[1],
        "kind": "participants",
        "external_id": "crm-1",
        "staff_id": "stf_1",
        "subject": "listed",
        "key_id": OperatorKey(digest_of(OPERATORS["itecam"])).id,
        "webhook_id": (await stage.add()).webhook_id,
        "message_id": "msg_1",
    }
    before = len(await registration.published())
    routes = routes_of(context)
    assert len(routes) >= 20
    for method, template in routes:
        answers = []
        for values in (ids, dict.fromkeys(ids, "unknown") | {"subject": "listed"}):
            path = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], template.removeprefix("/v1"))  # noqa: B023
            arguments = _arguments(method, template)
            answers.append(await rival.request(method.upper(), path, **arguments))
        foreign, unknown = answers
        assert foreign.status_code == unknown.status_code == 404, (method, template, foreign.text)
        assert foreign.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert len(await registration.published()) == before


async def test_lists_show_only_the_operator_s_entities(
    api: httpx.AsyncClient, rival: httpx.AsyncClient, edition: EditionHarness
) -> None:
    assert [item["edition_id"] for item in (await api.get("/editions")).json()["items"]] == [edition.edition_id]
    assert (await rival.get("/editions")).json() == {"items": [], "next": None}


async def test_ids_of_another_operator_in_a_body_are_unknown(rival: httpx.AsyncClient, edition: EditionHarness) -> None:
    edition_id = (await rival.post("/editions", json=edition_body())).json()["edition_id"]
    foreign = await rival.post(f"/editions/{edition_id}/participants", json=participant_body(edition.organisations[0]))
    unknown = await rival.post(f"/editions/{edition_id}/participants", json=participant_body("org_none"))
    assert foreign.json() == unknown.json()
    assert foreign.status_code == 422


async def test_two_operators_may_use_the_same_idempotency_key(api: httpx.AsyncClient, rival: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "1"}
    first, second = [await client.post("/editions", json=edition_body(), headers=headers) for client in (api, rival)]
    assert first.json()["edition_id"] != second.json()["edition_id"]


@pytest.mark.parametrize("path", ["/v1/editions", "/v1/editions/x/imports/participants"])
async def test_no_route_is_open_without_a_key(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.post(path.removeprefix("/v1"))).status_code == 401


def _arguments(method: str, template: str) -> dict[str, Any]:
    if method == "patch":
        return {"json": {}}
    if "/imports/" in template:
        header = "name;kind;country" if "organisations" in template else "organisation;name;email;languages"
        return {"content": header + "\n", "headers": {"content-type": "text/csv"}}
    if template.endswith("/participants/{participant_id}/match-requests"):
        return {"json": {}}
    what = template.rpartition("/")[2]
    if what == "{external_id}":
        what = template.split("/")[4]
    takes_body = what in BODIES and method in ("post", "put")
    return {"json": BODIES[what], "headers": {"If-Match": "*"}} if takes_body else {}
