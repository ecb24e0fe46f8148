"""No message of a library reaches a person: neither in a refused request, nor in the report of an import."""

from __future__ import annotations

import io
import json
import re
import zipfile
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
    if "json" not in answer.headers.get("content-type", ""):
        return  # a file
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
                for value in VALUES[len(path) % SHARES :: SHARES]:
                    body = {"content": b"{}", "headers": HEADERS} if method != "get" else {}
                    check(await api.request(method.upper(), filled, params={name: value}, **body))  # type: ignore[arg-type]


VALUES = ("", " ", "x", "-1", "1e9", "null", "x" * 3000, "\0", "\u202e", "[object Object]", "2026-13-45T99:99")
HEADER_VALUES = ("", "*", '"', "W/", '"x"', '"1" "2"', "1", '"99999999999999999999"', "x" * 150, "\u00ff", '"-1"', ",")
PATH_PARTS = ("a b", "%00", "%ff", "..%2f", "x" * 900, "\u00f1", "-")
MEDIA = (
    "",
    "text/html",
    "application/json; charset=utf-16",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "x",
    "/",
)
BODIES = (
    *(b"", b"{", b"\xff\xfe", b"\x00", b"null", b"[[[[", b"[" * 50_000, b'{"a":' * 3000, b'{"name": "\xf1"}', b"1e999"),
    *(
        b"--x\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\n",
        b'{"name": "\\ud800"}',
        b'{"a": 1, "a": 2}',
        b"NaN",
    ),
)


#: Each operation gets a third of the wrong values, its neighbours the others.
SHARES = 3


def operations(context: ApiContext) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in make_api(context).openapi()["paths"].items():
        for method, operation in methods.items():
            yield path.removeprefix("/v1"), method.upper(), operation


async def test_a_wrong_header_of_each_operation_is_refused_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    """`If-Match`, `Idempotency-Key` and `Accept-Language`; ids of paths that are none."""
    for number, (path, method, operation) in enumerate(operations(context)):
        filled = re.sub(r"\{[^}]*\}", "none", path.replace("{edition_id}", edition.edition_id))
        names = [entry["name"] for entry in operation.get("parameters", ()) if entry["in"] == "header"]
        for name in {*names, "accept-language", "if-match"}:
            for value in HEADER_VALUES[number % SHARES :: SHARES]:
                sent: dict[str, Any] = {"content-type": "application/json", name: value.encode("latin-1")}
                check(await api.request(method, filled, headers=sent, content=b"{}" if method != "GET" else None))
        for part in PATH_PARTS[number % SHARES :: SHARES]:
            check(await api.request(method, re.sub(r"\{[^}]*\}", part, path), headers=HEADERS))


async def test_a_wrong_body_of_each_operation_is_refused_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness, context: ApiContext
) -> None:
    for number, (path, method, operation) in enumerate(operations(context)):
        if "requestBody" not in operation:
            continue
        filled = re.sub(r"\{[^}]*\}", "none", path.replace("{edition_id}", edition.edition_id))
        for media in MEDIA[number % SHARES :: SHARES]:
            check(await api.request(method, filled, headers={"content-type": media, "If-Match": "*"}, content=b"{}"))
        own = next(iter(operation["requestBody"]["content"]))
        for body in BODIES[number % SHARES :: SHARES]:
            check(await api.request(method, filled, headers={"content-type": own, "If-Match": "*"}, content=body))
        if "multipart/form-data" in operation["requestBody"]["content"]:
            for body in BODIES[number % SHARES :: SHARES]:
                sent = {"content-type": "multipart/form-data; boundary=x"}
                check(await api.request(method, filled, headers=sent, content=body))


def packed(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in parts.items():
            file.writestr(name.replace("__", "/"), content)
    return out.getvalue()


#: Files that are no list, and the word of the answer that tells the remedy.
NO_LISTS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500): "password",
    b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(500): "save it as .xlsx",
    b"%PDF-1.7 " + bytes(100): "CSV or .xlsx",
    b"{\\rtf1 x}": "save it as .xlsx",
    b"\x1f\x8b\x08" + bytes(50): "unpack",
    b"\x89PNG\r\n\x1a\n" + bytes(50): "CSV or .xlsx",
    b'[{"name": "A"}]': "CSV or .xlsx",
    b'<?xml version="1.0"?><Workbook/>': "save it as .xlsx",
    b"<html><body>Please log in</body></html>": "without a table",
    b"ID;PWXL;N;E\n": "save it as .xlsx",
    b"BEGIN:VCARD\nFN:Ana\n": "as CSV",
    b"PK\x03\x04 broken": "save it as .xlsx",
    b"PK\x05\x06" + bytes(18): "send the list itself",
    bytes(300): "empty",
    packed(mimetype="application/vnd.oasis.opendocument.spreadsheet", content="x"): "save it as .xlsx",
    packed(Index__Document_iwa="x", **{"Index/Document.iwa": "x"}): "export it from Numbers",
    packed(**{"[Content_Types].xml": "x", "word/document.xml": "x"}): "Word",
    packed(**{"[Content_Types].xml": "x", "xl/workbook.bin": "x"}): "save it as .xlsx",
    packed(**{"list.csv": "name,country"}): "unpack",
    packed(**{"[Content_Types].xml": "x", "xl/workbook.xml": "no xml"}): "Excel workbook",
}


@pytest.mark.parametrize("raw", NO_LISTS, ids=range(len(NO_LISTS)))
async def test_a_file_that_is_no_list_is_refused_with_the_remedy(
    api: httpx.AsyncClient, edition: EditionHarness, raw: bytes
) -> None:
    path = f"{edition.path}/imports/organisations"
    answer = await api.post(path, content=raw, headers={"content-type": "application/octet-stream"})
    check(answer)
    assert answer.status_code == 422
    assert NO_LISTS[raw] in answer.json()["errors"][0]["detail"]


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


@pytest.mark.parametrize(("kind", "raw"), LISTS, ids=range(len(LISTS)))
async def test_faults_of_lists_are_told_in_our_words(
    api: httpx.AsyncClient, edition: EditionHarness, kind: str, raw: bytes
) -> None:
    for query in ("", "?dry_run=true", "?country=Narnia", "?kind=shop", "?language=xx", "?sheet=None", "?token=old"):
        check(
            await api.post(f"{edition.path}/imports/{kind}{query}", content=raw, headers={"content-type": "text/csv"})
        )
