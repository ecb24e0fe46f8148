"""Another operator's things are as if they were not there: the same answer, word for word, on every route."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.app import make_api

BODIES: dict[str, Any] = {
    "organisations": {"name": "X", "kind": "sme", "country": "ES"},
    "participants": {"organisation_id": "org_1", "name": "X", "email": "x@x.example", "languages": ["es"]},
    "match-requests": {"requester_id": "prt_1"},
    "proposals": {"encounters": 2},
    "attendance": {"outcome": "held"},
    "edits": {"edit": {"type": "undo"}},
    "dry-run": {"edit": {"type": "undo"}},
}


def routes_of(context: ApiContext) -> list[tuple[str, str]]:
    paths = make_api(context).openapi()["paths"]
    found = [(method, path) for path, methods in paths.items() for method in methods]
    return [(method, path) for method, path in found if "{" in path]


async def test_every_route_hides_what_is_anothers(
    rival: httpx.AsyncClient, fair: Any, context: ApiContext, store: Any
) -> None:
    request = await fair.ask(0, 2)
    ids = {
        "edition_id": fair.edition_id,
        "organisation_id": fair.organisations[0],
        "participant_id": fair.participants[0],
        "request_id": request["request_id"],
        "encounter_id": "enc_1",
        "one": fair.participants[0],
        "other": fair.participants[2],
    }
    before = len(store.events)
    routes = routes_of(context)
    assert len(routes) >= 20
    for method, template in routes:
        answers = []
        for values in (ids, dict.fromkeys(ids, "unknown")):
            path = re.sub(r"\{(\w+)\}", lambda name: values[name[1]], template.removeprefix("/v1"))  # noqa: B023
            arguments = _arguments(method, template)
            answers.append(await rival.request(method.upper(), path, **arguments))
        theirs, unknown = answers
        assert theirs.status_code == unknown.status_code == 404, (method, template, theirs.text)
        assert theirs.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert len(store.events) == before


async def test_lists_show_ones_own(api: httpx.AsyncClient, rival: httpx.AsyncClient, fair: Any) -> None:
    assert [item["edition_id"] for item in (await api.get("/editions")).json()["items"]] == [fair.edition_id]
    assert (await rival.get("/editions")).json() == {"items": [], "next": None}


async def test_anothers_ids_in_a_body_are_unknown_too(rival: httpx.AsyncClient, fair: Any, bodies: Any) -> None:
    edition = (await rival.post("/editions", json=bodies.edition())).json()["edition_id"]
    theirs = await rival.post(f"/editions/{edition}/participants", json=bodies.participant(fair.organisations[0]))
    unknown = await rival.post(f"/editions/{edition}/participants", json=bodies.participant("org_none"))
    assert theirs.json() == unknown.json()
    assert theirs.status_code == 422


async def test_one_key_of_two_operators_makes_two_things(
    api: httpx.AsyncClient, rival: httpx.AsyncClient, bodies: Any
) -> None:
    made = [
        await who.post("/editions", json=bodies.edition(), headers={"Idempotency-Key": "1"}) for who in (api, rival)
    ]
    assert made[0].json()["edition_id"] != made[1].json()["edition_id"]


@pytest.mark.parametrize("path", ["/v1/editions", "/v1/editions/x/imports/participants"])
async def test_no_route_is_open_to_strangers(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.post(path.removeprefix("/v1"))).status_code == 401


def _arguments(method: str, template: str) -> dict[str, Any]:
    if method == "patch":
        return {"json": {}}
    if "/imports/" in template:
        header = "name;kind;country" if "organisations" in template else "organisation;name;email;languages"
        return {"content": header + "\n", "headers": {"content-type": "text/csv"}}
    what = template.rpartition("/")[2]
    return {"json": BODIES[what], "headers": {"If-Match": "*"}} if what in BODIES and method == "post" else {}
