"""Invalid input is refused with a clear answer, never a 5xx, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.support.registration_api import (
    ANY_REVISION,
    EditionHarness,
    RegistrationHarness,
    edition_body,
    organisation_body,
    participant_body,
)

BIDI = "Ana\u202eziur"


def assert_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert set(problem) >= {"type", "title", "status", "detail", "instance"}
    assert problem["instance"].startswith("/v1")
    return problem


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"nonsense", 400),
        (b"\xff\xfe", 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": "A\\u0000B"}', 422),
        (b"[" * 50_000, 400),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"x"', 422),
        (b"1e400", 422),
        (b'{"name": NaN}', 422),
        (b"{}", 422),
    ],
)
@pytest.mark.parametrize("collection", ["organisations", "participants", "match-requests"])
async def test_a_body_that_is_no_fitting_json_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness, collection: str, raw: bytes, status: int
) -> None:
    json_type = {"content-type": "application/json"}
    assert_problem(await api.post(f"{edition.path}/{collection}", content=raw, headers=json_type), status)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"name": "two\nlines"}, "/name"),
        ({"name": "two\r\nlines"}, "/name"),
        ({"name": "nul\0"}, "/name"),
        ({"name": BIDI}, "/name"),
        ({"name": "isolate\u2066d"}, "/name"),
        ({"name": "line\u2028separator"}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "x" * 10_000}, "/name"),
        ({"name": "\ufb2c" * 200}, "/name"),  # grows when normalised
        ({"name": 5}, "/name"),
        ({"name": None}, "/name"),
        ({"name": ["a"]}, "/name"),
        ({"kind": "SME"}, "/kind"),
        ({"country": "Spain"}, "/country"),
        ({"country": "es"}, "/country"),
        ({"codes": "nace:25"}, "/codes"),
        ({"codes": ["a b"]}, "/codes/0"),
        ({"codes": ["a"] * 31}, "/codes"),
        ({"region": {"$gt": ""}}, "/region"),
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"x" * 5000: 1}, "/" + "x" * 199),
        ({"status": "cancelled"}, "/status"),
        ({"revision": 7}, "/revision"),
        ({"operator_id": "rival"}, "/operator_id"),
    ],
)
async def test_an_invalid_organisation_is_refused_with_the_field(
    api: httpx.AsyncClient, edition: EditionHarness, changes: dict[str, Any], pointer: str
) -> None:
    answer = await api.post(f"{edition.path}/organisations", json=organisation_body(**changes))
    assert pointer in [error["pointer"] for error in assert_problem(answer, 422)["errors"]]
    patched = await api.patch(
        f"{edition.path}/organisations/{edition.organisations[0]}", json=changes, headers=ANY_REVISION
    )
    assert pointer in [error["pointer"] for error in assert_problem(patched, 422)["errors"]]


async def test_a_forbidden_character_is_named_with_its_position(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    answer = await api.post(f"{edition.path}/organisations", json=organisation_body(name=BIDI))
    assert answer.json()["errors"][0]["detail"] == "the character U+202E at position 3 is not allowed here"


@pytest.mark.parametrize("name", ["Fundición Ñ 🏭👩‍🏭", "株式会社", "O'Neill & Søn; DROP", "עמית", "  trimmed  "])
async def test_names_in_any_script_are_accepted(api: httpx.AsyncClient, edition: EditionHarness, name: str) -> None:
    answer = await api.post(f"{edition.path}/organisations", json=organisation_body(name=name))
    assert answer.status_code == 201
    assert answer.json()["name"] == name.strip()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"organisation_id": "org_none"}, "/organisation_id"),
        ({"organisation_id": "../org"}, "/organisation_id"),
        ({"email": "not an address"}, "/email"),
        ({"email": "a@b.example\r\nBcc: c@d.example"}, "/email"),
        ({"email": "Ana <a@b.example>"}, "/email"),
        ({"email": "a@localhost"}, "/email"),
        ({"email": "a" * 300 + "@b.example"}, "/email"),
        ({"languages": []}, "/languages"),
        ({"languages": ["es", "es"]}, "/languages"),
        ({"languages": ["xx"]}, "/languages/0"),
        ({"profile": {"offers": ["x" * 1001]}}, "/profile/offers/0"),
        ({"profile": {"offers": ["x"] * 11}}, "/profile/offers"),
        ({"profile": {"wants": []}}, "/profile/wants"),
        ({"profile": []}, "/profile"),
        ({"profile": {"needs": ["bell\x07"]}}, "/profile/needs/0"),
        ({"available": [{"starts_at": 5, "ends_at": 6}]}, "/available/0/starts_at"),
        ({"available": [{"starts_at": "2026-11-26T10:00", "ends_at": "2026-11-26T09:00"}]}, "/available/0/ends_at"),
        ({"available": [{"starts_at": "9999-12-31T23:59", "ends_at": "9999-12-31T23:59"}]}, "/available/0"),
        ({"available": [{"starts_at": "0001-01-01T00:00+14:00", "ends_at": "2026-01-01T00:00Z"}]}, "/available/0"),
        ({"available": [{"starts_at": "2000-01-01T00:00+14:00", "ends_at": "2026-01-01T00:00Z"}]}, "/available/0"),
        ({"available": [{"starts_at": "2026-01-01T00:00Z", "ends_at": "2199-12-31T23:00-12:00"}]}, "/available/0"),
        ({"available": [{"starts_at": "2026-03-29T02:30", "ends_at": "2026-03-29T05:00"}]}, "/available/0"),
        ({"session_ids": ["nothing"]}, "/session_ids/0"),
        ({"session_ids": ["opening", "opening"]}, "/session_ids"),
    ],
)
async def test_an_invalid_participant_is_refused_with_the_field(
    api: httpx.AsyncClient, edition: EditionHarness, changes: dict[str, Any], pointer: str
) -> None:
    body = participant_body(edition.organisations[0]) | changes
    answer = await api.post(f"{edition.path}/participants", json=body)
    assert pointer in [error["pointer"] for error in assert_problem(answer, 422)["errors"]]
    patched = await api.patch(
        f"{edition.path}/participants/{edition.participants[0]}", json=changes, headers=ANY_REVISION
    )
    assert pointer in [error["pointer"] for error in assert_problem(patched, 422)["errors"]]


DAY = {"date": "2026-11-26", "starts": "09:00", "ends": "12:00"}
HALL = {"zone_id": "hall", "kind": "conference", "name": "Sala"}
TALK = {
    "session_id": "opening",
    "kind": "keynote",
    "title": "T",
    "zone_id": "hall",
    "starts_at": "2026-11-26T09:00",
    "ends_at": "2026-11-26T10:00",
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timezone": "Mars/Olympus"}, "time zone"),
        ({"timezone": "../../etc/passwd"}, "time zone"),
        ({"timezone": "right/Europe/Madrid"}, "time zone"),
        ({"timezone": "posix/Europe/Madrid"}, "time zone"),
        ({"timezone": "localtime"}, "time zone"),
        ({"timezone": "Factory"}, "time zone"),
        ({"days": []}, "at least 1"),
        ({"days": [DAY | {"ends": "08:00"}]}, "ends must be after starts"),
        ({"days": [DAY | {"starts": "-01:00"}]}, "write a time"),
        ({"days": [DAY | {"starts": 9}]}, "write a time"),
        ({"days": [DAY | {"starts": "09:00Z"}]}, "without an offset"),
        ({"days": [DAY | {"date": "9999-12-31", "ends": "00:00"}]}, "2199-12-30"),
        ({"days": [DAY | {"date": "2026-02-30"}]}, "write a date"),
        ({"days": [DAY, DAY]}, "overlap"),
        ({"days": [DAY | {"date": "2026-03-29", "starts": "02:30", "ends": "05:00"}]}, "does not exist"),
        ({"days": [DAY | {"breaks": [{"starts": "10:00", "ends": "10:00"}]}]}, "ends must be after starts"),
        ({"days": [DAY | {"date": f"2026-11-{n:02}"} for n in range(1, 21)], "slot_minutes": 5}, "at most 500"),
        ({"slot_minutes": 0}, "at least 5"),
        ({"slot_minutes": -15}, "at least 5"),
        ({"slot_minutes": "15"}, "write a whole number"),
        ({"slot_minutes": 15.5}, "write a whole number"),
        ({"slot_minutes": 10**30}, "at most 240"),
        ({"slot_minutes": 200}, "no slot fits"),
        ({"zones": []}, "at least 1"),
        ({"zones": [HALL, HALL]}, "appears twice"),
        ({"zones": [HALL | {"tables": ["1", "1"]}]}, "appears twice"),
        ({"zones": [HALL | {"tables": [""]}]}, "at least 1"),
        ({"zones": [HALL | {"tables": 26}]}, "write a list"),
        ({"sessions": [TALK | {"zone_id": "roof"}]}, "not one of zones"),
        ({"sessions": [TALK, TALK]}, "appears twice"),
        ({"sessions": [TALK | {"capacity": 0}]}, "at least 1"),
        ({"quotas": {"min_encounters": 3, "max_encounters": 2}}, "cannot be more than max_encounters, which is 2"),
        ({"sessions": [TALK | {"ends_at": "2026-11-26T08:00"}]}, "must be after"),
        ({"sessions": [TALK | {"starts_at": "9999-12-31T23:59:59-12:00"}]}, "the year must be"),
        ({"quotas": {"max_encounters": -1}}, "at least 0"),
        ({"quotas": {"max_encounters": 10**30}}, "at most 1000"),
        ({"fee": {"amount": 2**80, "currency": "EUR"}}, "at most"),
        ({"fee": {"amount": 1, "currency": "euro"}}, "write the three capital letters"),
        ({"least_affinity": 1.5}, "at most 1"),
        ({"goals": ["delegation", "delegation"]}, "each goal once"),
        ({"goals": ["peace"]}, "cross_border"),
        ({"phase": "over"}, "write one of open"),
        ({"answer_within_hours": 0}, "at least 1"),
    ],
)
async def test_an_invalid_edition_is_refused_with_the_reason(
    api: httpx.AsyncClient, edition: EditionHarness, changes: dict[str, Any], reason: str
) -> None:
    answer = await api.post("/editions", json=edition_body(**changes))
    assert reason in str(assert_problem(answer, 422)["errors"])
    patched = await api.patch(edition.path, json=changes, headers=ANY_REVISION)
    assert reason in str(assert_problem(patched, 422)["errors"])


async def test_an_edition_may_have_no_tables(api: httpx.AsyncClient) -> None:
    assert (await api.post("/editions", json=edition_body(zones=[HALL]))).status_code == 201


async def test_two_zones_may_have_the_same_table_label(api: httpx.AsyncClient) -> None:
    zones = [HALL | {"tables": ["1"]}, HALL | {"zone_id": "innova", "tables": ["1"]}]
    assert (await api.post("/editions", json=edition_body(zones=zones))).status_code == 201


async def test_an_invalid_match_request_is_refused_with_the_field(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    requester_id, colleague_id, target_id, _ = edition.participants
    path = f"{edition.path}/match-requests"
    for body, pointer in [
        ({"requester_id": "prt_none", "target_id": target_id}, "/requester_id"),
        ({"requester_id": requester_id, "target_id": "prt_none"}, "/target_id"),
        ({"requester_id": requester_id, "target_id": requester_id}, ""),
        ({"requester_id": requester_id, "target_id": colleague_id}, "/target_id"),
        ({"requester_id": requester_id, "target_id": target_id, "priority": 4}, "/priority"),
        ({"requester_id": requester_id, "target_id": target_id, "partners_wanted": 0}, "/partners_wanted"),
        ({"requester_id": requester_id, "target_id": target_id, "state": "accepted"}, "/state"),
        ({"requester_id": {"$ne": 1}}, "/requester_id"),
    ]:
        problem = assert_problem(await api.post(path, json=body), 422)
        assert pointer in [error["pointer"] for error in problem["errors"]], body


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_other_media_types_are_refused(api: httpx.AsyncClient, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    assert_problem(await api.post("/editions", content=b"{}", headers=headers), 415)


async def test_a_body_with_too_large_a_stated_length_is_refused(api: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    assert_problem(await api.post("/editions", content=b" " * 70_000, headers=headers), 413)


async def test_a_large_body_without_a_stated_length_is_refused(api: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b" " * 1024

    headers = {"content-type": "application/json"}
    assert_problem(await api.post("/editions", content=chunks(), headers=headers), 413)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "after=../x", "after=%00", "limit=-1"])
async def test_an_invalid_page_query_is_refused(api: httpx.AsyncClient, query: str) -> None:
    assert_problem(await api.get(f"/editions?{query}"), 422)


@pytest.mark.parametrize("key", ["", "x" * 256, "two words"])
async def test_an_invalid_idempotency_key_is_refused(api: httpx.AsyncClient, key: str) -> None:
    assert_problem(await api.post("/editions", json=edition_body(), headers={"Idempotency-Key": key}), 422)


@pytest.mark.parametrize("path", ["/nothing", "/editions/none", "/editions/%00", "/editions/%ff", "/editions/a%0d%0ab"])
async def test_an_unknown_path_or_id_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    assert_problem(await api.get(path), 404)


async def test_an_unknown_method_is_refused_with_the_allowed_methods(api: httpx.AsyncClient) -> None:
    answer = await api.delete("/editions")
    assert_problem(answer, 405)
    assert "POST" in answer.headers["allow"] or "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer itecam", "Bearer itecam.", "Bearer itecam.wrong", "Bearer nobody.s3cret",
     "Basic itecam.s3cret", "Bearer .s3cret", "Bearer itecam.s3cret.more", "Bearer $where.s3cret"],
)  # fmt: skip
async def test_an_invalid_key_is_refused_before_the_body_is_read(
    stranger: httpx.AsyncClient, authorization: str
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    # The body is no JSON: the key is checked first.
    answer = await stranger.post("/editions", content=b"{", headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_refused_request_changes_nothing(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness
) -> None:
    before = len(await registration.published())
    await api.post("/editions", json=edition_body(colour="red"))
    await api.patch(edition.path, json={"name": "a\nb"}, headers=ANY_REVISION)
    assert len(await registration.published()) == before
