"""No message of a library reaches a person: neither in a refused request, nor in the report of an import."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from tests.support.registration_api import EditionHarness, edition_body, organisation_body, participant_body
from tests.support.workbooks import saved, sheets_saved

#: Phrases of Pydantic, FastAPI, email-validator, phonenumbers, codecs, csv and zipfile.
FOREIGN = re.compile(
    r"should (be|match|have|start|end)|Input |String |Tuple |List |Field required|Extra inputs|[Vv]alue error|valid "
    r"(integer|string|date|time|boolean|number|list|array|tuple|dict|UUID)|type=|pydantic|Traceback|codec|errors\\.|"
    r"email address|@-sign|domain name .* after|greater than or equal|less than or equal|could not convert|"
    r"not supported between|_csv|zipfile|Error\\b|Exception|isoformat"
)
WRONG: list[Any] = [
    *(None, True, 5, -1, 1.5, 1e300, "", " ", "x" * 6000, "\0", "\u202e", "not so", "2026-13-45", "25:61", "a@b"),
    *("9999-12-31T23:59Z", "a@@b.c", [], [None], ["a b"], [5], ["x"] * 600, {}, {"a": 1}, [{}], [[]]),
    *({"starts_at": 5}, [{"starts_at": "soon"}]),
]
HEADERS = {"content-type": "application/json", "If-Match": "*"}


def messages(answer: httpx.Response) -> Iterator[str]:
    body = answer.json()
    yield body.get("detail", "")
    yield from (fault["detail"] for fault in body.get("errors") or ())
    for part in ("rejected", "warnings", "problems"):
        yield from (entry.get("reason") or entry.get("detail") for entry in body.get(part) or ())


def check(answer: httpx.Response) -> None:
    # No further service runs: a right request to one is answered with 503.
    assert answer.status_code in {*range(500), 503}, answer.text
    for message in messages(answer):
        assert not FOREIGN.search(message), message


async def test_a_wrong_value_of_each_field_is_refused_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    refused = 0
    bodies = {
        "/editions": edition_body(),
        f"{edition.path}/organisations": organisation_body() | {"website": "https://a.example", "booth": "1"},
        f"{edition.path}/participants": participant_body(edition.organisations[0]) | {"available": [], "phone": "1"},
        f"{edition.path}/match-requests": {
            "requester_id": edition.participants[0],
            "priority": 1,
            "partners_wanted": 1,
        },
        f"{edition.path}/fillings": {"encounters": 3},
        "/profile-help": {"text": "Soldadura"},
    }
    for path, body in bodies.items():
        for field in (*body, "unknown"):
            for value in WRONG:
                answer = await api.post(path, content=json.dumps(body | {field: value}), headers=HEADERS)
                refused += answer.status_code == 422
                check(answer)
        for whole in ("", "{", "[]", "5", "\ud800".encode("utf-8", "surrogatepass"), b"\xff", '{"name": NaN}'):
            check(await api.post(path, content=whole, headers=HEADERS))
            check(await api.patch(edition.path, content=whole, headers=HEADERS))
    assert refused > 500


async def test_a_wrong_parameter_of_each_operation_is_refused_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    operations = make_api(context).openapi()["paths"]
    for path, methods in operations.items():
        filled = re.sub(r"\{edition_id\}", edition.edition_id, path.removeprefix("/v1"))
        filled = re.sub(r"\{[^}]*\}", "a b", filled)
        for method, operation in methods.items():
            names = [entry["name"] for entry in operation.get("parameters", ()) if entry["in"] == "query"]
            for name in names:
                for value in ("", "x", "-1", "x" * 3000, "\0"):
                    body = {"content": b"{}", "headers": HEADERS} if method != "get" else {}
                    check(await api.request(method.upper(), filled, params={name: value}, **body))  # type: ignore[arg-type]


LISTS = [
    ("organisations", b""),
    ("organisations", b"\xff\xfe\x00\xd8"),
    ("organisations", b"PK\x03\x04 no workbook"),
    ("organisations", saved(["name", "country"], ["A", "ES"])[:-60]),
    ("organisations", b"name,country\n" + b'"A\n' * 3),
    ("organisations", "name,country\nMuñoz,ES\nGarcía,ES\n".encode() + b"\xf1,ES\n"),
    ("organisations", b"name,kind,country,codes\nA,x,QQ,nace:25,62\n" + b"B" * 300 + b",sme,ES,a!b\nC,sme,ES,x\n"),
    ("organisations", "name,country,website\n\u200b,ES,x\nA\u202eB,ES,http://\nD,ES,https://x y\n".encode()),
    ("participants", b"company,name,email\nA,B,not\nA,B,a@\nA,B,a@@b.c\nA,B,a@localhost\nA,B,a@b..c\nA,B,\n"),
    (
        "participants",
        "company,name,email,phone,idiomas\nA,B,jos\u00e9@m.example,+99 1,xx\nA,C,c@c.example,1E+10,\n".encode(),
    ),
    ("participants", b"company,name,email,sessions\nA,B,b@b.example,none\nA," + b"x" * 300 + b",c@c.example,\n"),
    ("participants", sheets_saved({"One": [["x"], ["y"]], "Two": []})),
    ("match-requests", b"from,to,priority,partners\na1@x.example,a2@x.example,9,\na1@x.example,,,99\nx,y,,\n"),
    ("availability", b"email,from,to\na1@x.example,soon,later\na1@x.example,12:00,11:00\nb1@x.example,25:00,26:00\n"),
    ("session-choices", b"email,session\na1@x.example,none\nq,opening\n"),
]


@pytest.mark.parametrize(("kind", "raw"), LISTS)
async def test_faults_of_lists_are_told_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness, kind: str, raw: bytes
) -> None:
    for query in ("", "?dry_run=true", "?country=Narnia", "?kind=shop", "?language=xx", "?sheet=None", "?token=old"):
        check(
            await api.post(f"{edition.path}/imports/{kind}{query}", content=raw, headers={"content-type": "text/csv"})
        )
