"""Phases of an edition: moved by the clock, and confirmed by the operator."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.registration.domain.edition import Edition
from services.registration.service import OperatorService, move_editions_by_clock
from services.registration.settings import Settings
from services.registration.store import collection_of
from shared.contract.events import EditionChanged, Phase
from tests.support.registration_api import ANY_REVISION, Clock, EditionHarness, RegistrationHarness, edition_body

#: The edition of the tests lasts from 09:00 to 12:00 in Madrid.
NINE, NOON = datetime(2026, 11, 26, 8, tzinfo=UTC), datetime(2026, 11, 26, 11, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


async def phase_of(api: httpx.AsyncClient, path: str) -> tuple[str, int]:
    edition = (await api.get(path)).json()
    return edition["phase"], edition["revision"]


async def patch(api: httpx.AsyncClient, path: str, **fields: Any) -> None:
    answer = await api.patch(path, json=fields, headers=ANY_REVISION)
    assert answer.status_code == 200, answer.text


async def phases_at(
    api: httpx.AsyncClient, path: str, registration: RegistrationHarness, clock: Clock, *moments: datetime
) -> list[str]:
    """Return the phases after runs of the background work at these moments."""
    phases = []
    for moment in moments:
        clock.now = moment
        await move_editions_by_clock(registration.context.store, clock)
        phases.append((await phase_of(api, path))[0])
    return phases


@pytest.mark.parametrize(
    ("fields", "live_at", "closed_at"),
    [
        ({}, NINE - HOUR, NOON + 12 * HOUR),
        ({"live_lead_minutes": 0, "close_lag_minutes": 0}, NINE, NOON),
        ({"live_lead_minutes": 1440, "close_lag_minutes": 30}, NINE - DAY, NOON + HOUR / 2),
        (
            {
                "sessions": [
                    {
                        **edition_body()["sessions"][0],
                        "starts_at": "2026-11-26T08:00",
                        "ends_at": "2026-11-26T22:00",
                    }
                ]
            },
            NINE - HOUR,
            NINE + 25 * HOUR,
        ),
    ],
)
async def test_a_published_edition_becomes_live_and_is_closed_by_the_clock(
    api: httpx.AsyncClient,
    edition: EditionHarness,
    registration: RegistrationHarness,
    clock: Clock,
    fields: dict[str, Any],
    live_at: datetime,
    closed_at: datetime,
) -> None:
    await patch(api, edition.path, phase="published", **fields)
    moments = (live_at - MINUTE, live_at, closed_at - MINUTE, closed_at, closed_at + DAY)
    phases = await phases_at(api, edition.path, registration, clock, *moments)
    assert phases == ["published", "live", "live", "closed", "closed"]
    published = [event for event in await registration.published() if isinstance(event, EditionChanged)]
    assert [event.phase for event in published[-3:]] == [Phase.PUBLISHED, Phase.LIVE, Phase.CLOSED]


async def test_an_open_edition_is_moved_by_no_clock(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    assert await phases_at(api, edition.path, registration, clock, NINE, NOON + 30 * DAY) == ["open", "open"]
    await patch(api, edition.path, phase="published")  # late, and never more than a phase at once
    assert await phases_at(api, edition.path, registration, clock, clock.now, clock.now) == ["live", "live"]
    assert await phases_at(api, edition.path, registration, clock, clock.now + 12 * HOUR) == ["closed"]


async def test_an_edition_that_ended_while_services_were_down_is_closed(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    await patch(api, edition.path, phase="published")
    assert await phases_at(api, edition.path, registration, clock, NOON + 5 * DAY) == ["closed"]


async def test_a_change_after_the_last_hour_puts_off_the_end(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    await patch(api, edition.path, phase="published")
    assert await phases_at(api, edition.path, registration, clock, NINE) == ["live"]
    clock.now = NOON + 11 * HOUR
    await patch(api, edition.path, name="One more day")
    assert await phases_at(api, edition.path, registration, clock, NOON + 22 * HOUR) == ["live"]
    days = [*edition_body()["days"], {"date": "2026-11-28", "starts": "09:00", "ends": "12:00"}]
    await patch(api, edition.path, days=days)
    assert await phases_at(api, edition.path, registration, clock, NOON + 2 * DAY) == ["live"]
    assert await phases_at(api, edition.path, registration, clock, NOON + 3 * DAY) == ["closed"]


async def test_two_processes_move_an_edition_once(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    await patch(api, edition.path, phase="published")
    clock.now = NINE
    _, revision = await phase_of(api, edition.path)
    await asyncio.gather(*(move_editions_by_clock(registration.context.store, clock) for _ in range(3)))
    assert await phase_of(api, edition.path) == ("live", revision + 1)
    late = OperatorService(registration.context.store.of("itecam"), clock)  # found it due, and comes second
    assert (await late.editions.move_by_clock(edition.edition_id)).revision == revision + 1


async def test_editions_stored_before_the_clock_moved_them_are_moved(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    await patch(api, edition.path, phase="published")
    editions = registration.servers.mongo.database(Settings().database)[collection_of(Edition)]
    await editions.update_one({"edition_id": edition.edition_id}, {"$set": {"due": None}})
    assert await phases_at(api, edition.path, registration, clock, NINE) == ["published"]
    await registration.context.store.prepare()  # type: ignore[attr-defined]
    assert await phases_at(api, edition.path, registration, clock, NINE) == ["live"]


async def test_an_edition_that_cannot_be_read_keeps_no_other_from_its_due(
    api: httpx.AsyncClient, edition: EditionHarness, registration: RegistrationHarness, clock: Clock
) -> None:
    other = await EditionHarness(api).set_up()
    for path in (edition.path, other.path):
        await patch(api, path, phase="published")
    editions = registration.servers.mongo.database(Settings().database)[collection_of(Edition)]
    await editions.update_one({"edition_id": edition.edition_id}, {"$set": {"days": "wrong"}})
    await editions.update_one({"edition_id": other.edition_id}, {"$set": {"due": None}})
    await registration.context.store.prepare()  # type: ignore[attr-defined]
    assert await phases_at(api, other.path, registration, clock, NINE) == ["live"]


async def test_an_open_edition_becomes_live_at_once_only_if_confirmed(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    asked = await api.patch(edition.path, json={"phase": "live"}, headers=ANY_REVISION)
    assert (asked.status_code, asked.json()["type"]) == (428, "urn:tertulia:problem:confirmation-required")
    assert "?confirm=live" in asked.json()["detail"]
    assert await phase_of(api, edition.path) == ("open", 1)
    wrong = await api.patch(edition.path, json={"phase": "live"}, headers=ANY_REVISION, params={"confirm": "closed"})
    assert wrong.status_code == 422
    done = await api.patch(edition.path, json={"phase": "live"}, headers=ANY_REVISION, params={"confirm": "live"})
    assert (done.status_code, done.json()["phase"]) == (200, "live")


async def test_a_published_edition_becomes_live_early_without_a_confirmation(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    for phase in ("published", "live"):
        await patch(api, edition.path, phase=phase)
