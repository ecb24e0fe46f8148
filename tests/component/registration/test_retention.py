"""Retention by edition: a warning, then all people are erased, in slices, by one process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.registration.retention import Retention, months_after
from services.registration.use_cases.retention import anonymise_editions
from shared.contract.events import OrganisationErased, ParticipantErased
from tests.support.registration_api import Clock, EditionHarness, RegistrationHarness


async def report(api: httpx.AsyncClient, edition: EditionHarness) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get(f"{edition.path}/retention")).json()
    return found


@pytest.mark.parametrize(
    ("ends", "months", "due"),
    [
        (datetime(2026, 11, 26, 11, tzinfo=UTC), 2, datetime(2027, 1, 26, 11, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), 2, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), 24, datetime(2028, 12, 31, tzinfo=UTC)),
    ],
)
def test_months_end_on_the_same_day_or_the_last(ends: datetime, months: int, due: datetime) -> None:
    assert months_after(ends, months) == due


async def test_people_are_erased_months_after_the_end_and_a_month_after_the_warning(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    context = registration.context
    assert (await api.get(f"{edition.path}/retention")).status_code == 404
    made = await api.put(f"{edition.path}/retention", json={"months": 6})
    assert made.is_success, made.text
    assert (made.json()["participants"], made.json()["organisations"]) == (4, 2)
    assert made.json()["due_at"] == "2027-05-26T11:00:00Z"

    async def after(now: datetime) -> dict[str, Any]:
        clock.now = now
        for _ in range(4):
            await anonymise_editions(context.erasure_stores, context.retentions, clock)
        return await report(api, edition)

    assert (await after(datetime(2027, 4, 1, tzinfo=UTC)))["warned_at"] is None
    assert (await after(datetime(2027, 4, 28, tzinfo=UTC)))["warned_at"] == "2027-04-28T00:00:00Z"
    assert (await report(api, edition))["due_at"] == "2027-05-28T00:00:00Z"
    assert (await after(datetime(2027, 5, 27, tzinfo=UTC)))["participants"] == 4
    ended = await after(datetime(2027, 5, 28, tzinfo=UTC))
    assert (ended["participants"], ended["organisations"]) == (0, 0)
    assert ended["anonymised_at"] == "2027-05-28T00:00:00Z"
    events = await registration.published()
    assert sum(isinstance(event, ParticipantErased) for event in events) == 4
    assert sum(isinstance(event, OrganisationErased) for event in events) == 2


async def test_only_one_process_erases_at_a_time(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    retentions = registration.context.retentions
    known = Retention(operator_id="itecam", edition_id=edition.edition_id, months=1, warned_at=clock.now)
    await retentions.put(known)
    clock.now = datetime(2027, 5, 1, tzinfo=UTC)
    until = datetime(2027, 5, 2, tzinfo=UTC)
    assert await retentions.lease(known, clock.now, until)
    assert not await retentions.lease(known, clock.now, until)
    await anonymise_editions(registration.context.erasure_stores, retentions, clock)
    assert (await report(api, edition))["participants"] == 4


async def test_a_retention_can_be_changed_and_taken_back(api: httpx.AsyncClient, edition: EditionHarness) -> None:
    await api.put(f"{edition.path}/retention", json={"months": 6})
    assert (await api.put(f"{edition.path}/retention", json={"months": 0})).status_code == 422
    assert (await api.put(f"{edition.path}/retention", json={"months": 12})).json()["months"] == 12
    assert (await api.delete(f"{edition.path}/retention")).status_code == 204
    assert (await api.get(f"{edition.path}/retention")).status_code == 404
