"""Members of lists that are put and deleted at addresses of their own."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.registration_api import EditionHarness

ZONE = {"zone_id": "innova", "kind": "innova", "name": "Innova", "tables": ["1"]}


async def test_a_zone_is_added_replaced_in_its_place_and_deleted(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/zones/innova"
    added = (await api.put(path, json=ZONE)).json()
    assert [zone["zone_id"] for zone in added["zones"]] == ["workspace", "hall", "innova"]
    renamed = (await api.put(f"{edition.path}/zones/hall", json=added["zones"][1] | {"name": "Auditorium"})).json()
    assert [zone["name"] for zone in renamed["zones"]] == ["Workspace", "Auditorium", "Innova"]
    removed = (await api.delete(path)).json()
    assert [zone["zone_id"] for zone in removed["zones"]] == ["workspace", "hall"]
    assert (await api.delete(path)).json()["revision"] == removed["revision"]


@pytest.mark.parametrize("label", ["3", "Mesa 4 / izquierda", "Ñ7", "50%", "a?b#c"])
async def test_a_table_of_any_label_is_put_once_and_deleted(
    api: httpx.AsyncClient, edition: EditionHarness, label: str
) -> None:
    path = f"{edition.path}/zones/workspace/tables/{quote(label, safe='')}"
    added = (await api.put(path)).json()
    assert added["zones"][0]["tables"] == ["1", "2", label]
    assert (await api.put(path)).json()["revision"] == added["revision"]
    assert (await api.delete(path)).json()["zones"][0]["tables"] == ["1", "2"]


async def test_a_session_is_replaced_and_deleted(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/sessions/opening"
    (opening,) = (await api.get(edition.path)).json()["sessions"]
    changed = (await api.put(path, json=opening | {"title": "Inauguración"})).json()
    assert [session["title"] for session in changed["sessions"]] == ["Inauguración"]
    assert (await api.delete(path)).json()["sessions"] == []


@pytest.mark.parametrize(
    ("path", "body", "status", "pointer"),
    [
        ("zones/none/tables/1", None, 404, None),
        ("zones/workspace/tables/a%09b", None, 422, "/path/table"),
        ("zones/workspace/tables/%20", None, 422, "/path/table"),
        ("zones/other", ZONE, 422, "/zone_id"),
        ("zones/innova", ZONE | {"tables": ["1", "1"]}, 422, ""),
        ("sessions/x", {"session_id": "x"}, 422, "/kind"),
        ("organisations/{organisation}/competitors/a%20b", None, 422, "/competitor_ids/0"),
        ("participants/{participant}/sessions/none", None, 422, "/session_ids/0"),
    ],
)
async def test_a_member_that_cannot_be_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness, path: str, body: Any, status: int, pointer: str | None
) -> None:
    path = path.format(organisation=edition.organisations[0], participant=edition.participants[0])
    answer = await api.put(f"{edition.path}/{path}", json=body)
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


async def test_a_competitor_is_put_and_deleted(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/organisations/{edition.organisations[0]}/competitors/{edition.organisations[1]}"
    assert (await api.put(path)).json()["competitor_ids"] == [edition.organisations[1]]
    assert (await api.delete(path)).json()["competitor_ids"] == []


async def test_if_match_is_honoured_where_it_is_not_needed(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/zones/workspace/tables/9"
    assert (await api.put(path, headers={"If-Match": '"7"'})).status_code == 412
    assert (await api.put(path, headers={"If-Match": '"1"'})).status_code == 200


async def test_nothing_is_put_into_a_closed_edition(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    await api.patch(edition.path, json={"phase": "closed"}, headers={"If-Match": "*"})
    assert (await api.put(f"{edition.path}/zones/workspace/tables/9")).status_code == 409
