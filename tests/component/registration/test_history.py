"""Every revision keeps its author and the names of its changed fields, in the history and in its event."""

from __future__ import annotations

from typing import Any

import httpx

from services.registration.api.access import ApiContext
from services.registration.keys import OperatorKey, digest_of
from services.registration.service import expire_overdue
from shared.access import Scope, StaffRole
from shared.contract.events import AuthoredEvent
from tests.support.principals import client_as, key_principal, staff_principal
from tests.support.registration_api import (
    ANY_REVISION,
    OPERATORS,
    Clock,
    EditionHarness,
    RegistrationHarness,
)

OWNER = f"key:{OperatorKey(digest_of(OPERATORS['itecam'])).id}"


async def history(api: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    answer = await api.get(f"{path}/history")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_history_names_author_and_fields_of_each_revision(
    context: ApiContext, api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}"
    async with client_as(context, staff_principal(StaffRole.ORGANISER)) as organiser:
        patch = {"name": "Otra Persona", "phone": "+34 600 000 000"}
        await organiser.patch(path, json=patch, headers=ANY_REVISION)
    async with client_as(context, key_principal(Scope.DESK)) as desk:
        await desk.post(f"{path}/check-in")
    first, second, third = await history(api, path)
    assert (first["revision"], first["actor"], first["changed"]) == (1, OWNER, [])
    assert (second["revision"], second["actor"]) == (2, "staff:s1")
    assert {"name", "phone"} <= set(second["changed"])
    assert (third["actor"], third["changed"]) == ("key:k1", ["checked_in"])
    assert "Otra Persona" not in str((first, second, third))


async def test_organisations_editions_and_requests_have_histories(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    request = await edition.request(0, 2)
    path = f"{edition.path}/match-requests/{request['request_id']}"
    await api.post(f"{path}/acceptance")
    await edition.patch({"name": "Otro nombre"})
    assert [item["changed"] for item in await history(api, path)] == [[], ["state"]]
    assert [item["changed"] for item in await history(api, edition.path)] == [[], ["name"]]
    assert len(await history(api, f"{edition.path}/organisations/{edition.organisations[0]}")) == 1


async def test_a_change_by_the_time_is_the_clock_s(
    api: httpx.AsyncClient, context: ApiContext, edition: EditionHarness, clock: Clock
) -> None:
    await edition.patch({"answer_within_hours": 1})
    request = await edition.request(0, 2)
    clock.advance(days=60)
    await expire_overdue(context.store, clock)
    *_, last = await history(api, f"{edition.path}/match-requests/{request['request_id']}")
    assert (last["actor"], last["changed"]) == ("clock", ["state"])


async def test_every_published_event_names_its_author(
    edition: EditionHarness, registration: RegistrationHarness
) -> None:
    await edition.patch({"name": "Otro nombre"})
    published = await registration.published()
    assert published
    for event in published:
        assert isinstance(event, AuthoredEvent)
        assert event.actor == OWNER
    assert published[-1].changed == ("name",)  # type: ignore[attr-defined] # asserted above


async def test_a_history_keeps_the_last_hundred_revisions(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    path = f"{edition.path}/participants/{edition.participants[0]}/check-in"
    for _ in range(52):
        await api.post(path)
        await api.delete(path)
    items = await history(api, path.removesuffix("/check-in"))
    assert [item["revision"] for item in items] == [*range(6, 106)]
