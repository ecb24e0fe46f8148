"""Every operation of the API, asked by every kind of principal: the table of rights as it is served.

`rights/table.txt` holds the table, checked by a person. `TERTULIA_WRITE_RIGHTS=1 pytest` with this file writes it anew:
look at each changed line. `pytest -s` prints it. Columns in capitals are roles; a cell is:

- `ok`: the right is there (the request may fail for other reasons);
- `401`: no valid credential, or its source is slowed; `403`: a right is missing;
- `404`: the operator, the edition or the participant is foreign.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.api.rights import action_of, operations_of
from services.registration.app import make_api
from shared.access import Action, Principal, PrincipalKind, Scope, StaffRole, may, sees
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import Clock, EditionHarness, client_of

TABLE = Path(__file__).parent / "rights" / "table.txt"
_HIDDEN = {"there is no such edition", "there is no such participant"}
_WRITES = {"POST", "PUT", "PATCH"}
#: A body of a media type that no route takes: the right is checked before, so that most requests change nothing.
_NO_BODY: dict[str, Any] = {"content": b"x", "headers": {"Content-Type": "x/x", "If-Match": "*"}}


def principals(edition: EditionHarness) -> dict[str, Principal]:
    """The principals of the table, by column."""
    own, other = frozenset({edition.edition_id}), frozenset({"edn_other"})
    participant = Principal(PrincipalKind.PARTICIPANT, edition.participants[0], "itecam", editions=own)
    return {
        "owner": key_principal(Scope.OWNER),
        "read": key_principal(Scope.READ),
        "write": key_principal(Scope.WRITE),
        "direct.": key_principal(Scope.DIRECTORY),
        "wr+dir": key_principal(Scope.WRITE, Scope.DIRECTORY),
        "desk": key_principal(Scope.DESK),
        "webh.": key_principal(Scope.WEBHOOKS),
        "edition": key_principal(Scope.OWNER, editions=own),
        "o.edit.": key_principal(Scope.OWNER, editions=other),
        "OWNER": staff_principal(StaffRole.OWNER),
        "ORGAN.": staff_principal(StaffRole.ORGANISER),
        "DESK": staff_principal(StaffRole.DESK),
        "VIEWER": staff_principal(StaffRole.VIEWER),
        "GOVERN.": staff_principal(StaffRole.GOVERNMENT),
        "self": participant,
        "o.part.": Principal(PrincipalKind.PARTICIPANT, "prt_other", "itecam", editions=own),
    }


def expected(principal: Principal, action: Action, ids: Mapping[str, str], path: str) -> str:
    """The cell that follows from the table of rights and the action that the route names."""
    edition_id = ids["edition_id"] if "{edition_id}" in path else None
    participant_id = ids["participant_id"] if "{participant_id}" in path else None
    if not sees(principal, edition_id, participant_id):
        return "404"
    return "ok" if may(principal, action, edition_id, participant_id) else "403"


async def cell(client: httpx.AsyncClient, method: str, path: str, ids: Mapping[str, str]) -> str:
    """Ask an operation, and return the cell."""
    answer = await asked(client, method, path, ids)
    if answer.status_code == 404 and answer.json()["detail"] in _HIDDEN:
        return "404"
    assert answer.status_code != 500, (method, path, answer.text)
    is_slowed = answer.status_code == 429 and answer.json()["type"].endswith("too-many-refusals")
    return "401" if is_slowed else str(answer.status_code) if answer.status_code in {401, 403} else "ok"


async def asked(client: httpx.AsyncClient, method: str, path: str, ids: Mapping[str, str]) -> httpx.Response:
    filled = re.sub(r"\{(\w+)\}", lambda name: ids[name[1]], path.removeprefix("/v1"))
    return await client.request(method, filled, **(_NO_BODY if method in _WRITES else {}))


def ids_of(edition: EditionHarness, request_id: str) -> dict[str, str]:
    named = {
        "edition_id": edition.edition_id,
        "organisation_id": edition.organisations[0],
        "participant_id": edition.participants[0],
        "request_id": request_id,
        "one": edition.participants[0],
        "other": edition.participants[2],
        "kind": "participants",
        "subject": "listed",
    }
    return Ids(named)


class Ids(dict[str, str]):
    """Ids by the name of their parameter; further parameters name nothing."""

    def __missing__(self, name: str) -> str:
        return "nothing"


@pytest.fixture
async def table(
    context: ApiContext, api: httpx.AsyncClient, rival: httpx.AsyncClient, stranger: httpx.AsyncClient,
    edition: EditionHarness, clock: Clock,
) -> tuple[list[str], list[str]]:  # fmt: skip
    """The lines of the table, and its wrong cells."""
    ids = ids_of(edition, (await edition.request(0, 2))["request_id"])
    routes = operations_of(make_api(context))
    operations = [(method, path, action) for method, path, route in routes if (action := action_of(route))]
    columns = principals(edition)
    clients = {name: client_as(context, principal) for name, principal in columns.items()}
    refused = {"no key": stranger, **await _refused_keys(context, api, clock)}
    lines, wrong = [_line("", "", "", [*refused, "o.oper.", *columns])], []
    for method, path, action in sorted(operations, key=lambda operation: (operation[2], operation[1], operation[0])):
        cells = {name: await cell(client, method, path, ids) for name, client in refused.items()}
        wanted = dict.fromkeys(refused, "401")
        wanted["o.oper."] = "404" if "{edition_id}" in path else "ok"
        cells["o.oper."] = await _as_rival(rival, method, path, ids)
        for name, principal in columns.items():
            wanted[name] = expected(principal, action, ids, path)
            cells[name] = await cell(clients[name], method, path, ids)
        wrong += [
            f"{method} {path} {name}: {cells[name]}, not {wanted[name]}"
            for name in cells
            if cells[name] != wanted[name]
        ]
        lines.append(_line(method, path, action, [*cells.values()]))
    return lines, wrong


async def _as_rival(rival: httpx.AsyncClient, method: str, path: str, ids: Mapping[str, str]) -> str:
    """Ask as a foreign operator. 415: the body is refused for its form, which tells nothing of the entity."""
    answer = await asked(rival, method, path, ids)
    is_hidden = answer.status_code == 404 or (answer.status_code == 415 and "{edition_id}" in path)
    return "404" if is_hidden and "{edition_id}" in path else "ok"


async def _refused_keys(context: ApiContext, api: httpx.AsyncClient, clock: Clock) -> dict[str, httpx.AsyncClient]:
    """Clients with an expired and with a revoked key, of an owner."""
    body = {"label": "x", "scopes": ["owner"]}
    expired = (await api.post("/keys", json=body | {"expires_at": "2026-11-01T09:01:00Z"})).json()["key"]
    revoked = (await api.post("/keys", json=body)).json()
    await api.delete(f"/keys/{revoked['key_id']}")
    clock.advance(minutes=1)
    clients = {"expired": client_of(context, None), "revoked": client_of(context, None)}
    for name, key in (("expired", expired), ("revoked", revoked["key"])):
        clients[name].headers["Authorization"] = f"Bearer {key}"
    return clients


def _line(method: str, path: str, action: str, cells: list[str]) -> str:
    shown = path.removeprefix("/v1").replace("/editions/{edition_id}", "/E")
    return f"{action:<19}{method:<7}{shown:<64}" + "".join(f"{cell:>8}" for cell in cells)


async def test_no_cell_of_the_table_is_wrong(table: tuple[list[str], list[str]]) -> None:
    lines, wrong = table
    print("\n".join(lines))
    if os.environ.get("TERTULIA_WRITE_RIGHTS"):
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert wrong == []
    assert lines == TABLE.read_text(encoding="utf-8").splitlines(), "look at the difference, then write the table anew"
