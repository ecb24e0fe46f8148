"""A corrected time zone and moved days: sessions and availability keep their local times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.edition import Edition
from services.registration.domain.participant import Participant
from services.registration.domain.slots import LocalCalendar
from services.registration.service import move_editions_by_clock
from shared.contract.events import EditionChanged, ParticipantChanged
from tests.support.edition_days import ZONES
from tests.support.registration_api import (
    ANY_REVISION,
    Clock,
    EditionHarness,
    RegistrationHarness,
    edition_body,
)

NINE = {"starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T10:00"}
DAY = edition_body()["days"][0]


class Calendars:
    """An edition whose first two participants are available from nine to ten, and its operations."""

    def __init__(self, api: httpx.AsyncClient, edition: EditionHarness) -> None:
        self.api, self.edition = api, edition

    async def set_up(self) -> Calendars:
        for number in (0, 1):
            answer = await self.api.patch(self.path(number), json={"available": [NINE]}, headers=ANY_REVISION)
            assert answer.is_success, answer.text
        return self

    def path(self, number: int) -> str:
        return f"{self.edition.path}/participants/{self.edition.participants[number]}"

    async def patch(self, **fields: Any) -> dict[str, Any]:
        answer = await self.api.patch(self.edition.path, json=fields, headers=ANY_REVISION)
        assert answer.is_success, answer.text
        changed: dict[str, Any] = answer.json()
        return changed

    async def postpone(self, days: int, if_match: str = "*") -> httpx.Response:
        path = f"{self.edition.path}/postponements"
        return await self.api.post(path, json={"days": days}, headers={"If-Match": if_match})

    async def starts(self) -> list[list[str]]:
        """Return the starts of the availability of the participants, by participant."""
        found = [(await self.api.get(self.path(number))).json() for number in range(4)]
        return [[stay["starts_at"] for stay in participant["available"]] for participant in found]

    async def revisions(self) -> list[int]:
        found = [(await self.api.get(self.path(number))).json() for number in range(4)]
        return [participant["revision"] for participant in found]


@pytest.fixture
async def calendars(api: httpx.AsyncClient, edition: EditionHarness) -> Calendars:
    return await Calendars(api, edition).set_up()


async def test_availability_keeps_its_local_time_in_another_zone(calendars: Calendars) -> None:
    assert await calendars.starts() == [["2026-11-26T08:00:00Z"]] * 2 + [[]] * 2
    await calendars.patch(timezone="Atlantic/Canary")
    assert await calendars.starts() == [["2026-11-26T09:00:00Z"]] * 2 + [[]] * 2
    assert await calendars.revisions() == [3, 3, 1, 1]
    await calendars.patch(timezone="Europe/Madrid")
    assert await calendars.starts() == [["2026-11-26T08:00:00Z"]] * 2 + [[]] * 2
    await calendars.patch(timezone="Europe/Paris")
    assert await calendars.revisions() == [4, 4, 1, 1]


async def test_a_postponement_moves_days_sessions_and_availability(
    calendars: Calendars, registration: RegistrationHarness
) -> None:
    before = len(await registration.published())
    answer = await calendars.postpone(7, '"1"')
    edition = answer.json()
    assert (answer.status_code, answer.headers["etag"], "warnings" in edition) == (200, '"2"', False)
    assert [day["date"] for day in edition["days"]] == ["2026-12-03"]
    assert edition["sessions"][0]["starts_at"] == "2026-12-03T09:00:00"
    assert await calendars.starts() == [["2026-12-03T08:00:00Z"]] * 2 + [[]] * 2
    events = (await registration.published())[before:]
    assert [type(event) for event in events].count(EditionChanged) == 1
    assert [type(event) for event in events].count(ParticipantChanged) == 2
    assert (await calendars.postpone(7, '"1"')).status_code == 412
    assert (await calendars.postpone(-7)).json()["postponed_days"] == 0
    assert await calendars.starts() == [["2026-11-26T08:00:00Z"]] * 2 + [[]] * 2


async def test_a_postponement_across_a_change_of_clocks_keeps_local_times(calendars: Calendars) -> None:
    edition = (await calendars.postpone(150)).json()
    assert edition["sessions"][0]["starts_at"] == "2027-04-25T09:00:00"
    assert (await calendars.starts())[0] == ["2027-04-25T07:00:00Z"]


@pytest.mark.parametrize(("days", "slug"), [(0, None), (367, None), (-30, "edition-passed")])
async def test_a_postponement_that_cannot_be_is_refused(calendars: Calendars, days: int, slug: str | None) -> None:
    refused = await calendars.postpone(days)
    assert (refused.status_code, refused.json()["errors"][0].get("slug")) == (422, slug)
    path = f"{calendars.edition.path}/postponements"
    assert (await calendars.api.post(path, json={"days": 7})).status_code == 428
    assert (await calendars.revisions())[:2] == [2, 2]


async def test_days_that_move_alike_take_sessions_and_availability_along(calendars: Calendars) -> None:
    edition = await calendars.patch(days=[DAY | {"date": "2026-12-03"}])
    assert edition["sessions"][0]["starts_at"] == "2026-12-03T09:00:00"
    assert (await calendars.starts())[0] == ["2026-12-03T08:00:00Z"]


async def test_days_that_do_not_move_alike_name_those_without_a_slot(calendars: Calendars) -> None:
    edition = await calendars.patch(days=[DAY | {"date": f"2026-11-{day}"} for day in (27, 28)], sessions=[])
    [warning] = edition["warnings"]
    assert (warning["slug"], warning["where"]) == ("participants-without-slot", "/days")
    assert warning["value"].split(", ") == calendars.edition.participants[:2]
    assert "the availability of 2 participants holds no slot" in warning["message"]
    assert await calendars.revisions() == [2, 2, 1, 1]


async def test_the_background_work_moves_availability_that_was_left_behind(
    calendars: Calendars, registration: RegistrationHarness, clock: Clock
) -> None:
    """A process died after it wrote the edition; another registered by the edition of before."""
    store = registration.context.store
    repository = store.of("itecam")
    before = await repository.find(Edition, calendars.edition.edition_id, calendars.edition.edition_id)
    assert before is not None
    facts = before.model_copy(update={"timezone": "Atlantic/Canary"})
    await repository.replace(before.with_facts(facts, clock.now))
    changed = await calendars.api.patch(calendars.path(0), json={"name": "Eva"}, headers=ANY_REVISION)
    assert changed.json()["available"][0]["starts_at"] == "2026-11-26T09:00:00Z"
    assert (await calendars.starts())[1] == ["2026-11-26T08:00:00Z"]
    for _ in range(2):
        await move_editions_by_clock(store, clock)
        assert await calendars.starts() == [["2026-11-26T09:00:00Z"]] * 2 + [[]] * 2
    late = await repository.find(Participant, before.edition_id, calendars.edition.participants[2])
    assert late is not None
    nine = {"starts_at": datetime(2026, 11, 26, 8, tzinfo=UTC), "ends_at": datetime(2026, 11, 26, 9, tzinfo=UTC)}
    stale = Participant.model_validate(late.model_dump() | {"available": [nine], "calendar": before.calendar})
    await repository.replace(late.changed(clock.now, available=stale.available, calendar=stale.calendar))
    clock.advance(seconds=11)
    assert len(await store.overdue(Edition, clock.now, 9)) == 1
    await move_editions_by_clock(store, clock)
    assert await store.overdue(Edition, clock.now, 9) == []
    assert await calendars.starts() == [["2026-11-26T09:00:00Z"]] * 3 + [[]]


async def test_availability_of_an_earlier_version_follows_too(
    calendars: Calendars, registration: RegistrationHarness
) -> None:
    repository = registration.context.store.of("itecam")
    old = await repository.find(Participant, calendars.edition.edition_id, calendars.edition.participants[0])
    assert old is not None
    await repository.replace(old.changed(old.changed_at, calendar=None))
    await calendars.patch(timezone="Atlantic/Canary")
    await calendars.patch(timezone="America/Mexico_City")
    assert await calendars.starts() == [["2026-11-26T15:00:00Z"]] * 2 + [[]] * 2


async def test_a_cancelled_participant_comes_back_with_the_moved_availability(calendars: Calendars) -> None:
    await calendars.api.post(f"{calendars.path(0)}/cancellation")
    await calendars.postpone(7)
    back = (await calendars.api.post(f"{calendars.path(0)}/reinstatement")).json()
    assert back["available"][0]["starts_at"] == "2026-12-03T08:00:00Z"


CALENDARS = st.builds(LocalCalendar, timezone=ZONES, postponed_days=st.integers(-400, 400))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(CALENDARS, CALENDARS, CALENDARS, st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_noon_comes_back_from_every_calendar(
    first: LocalCalendar, second: LocalCalendar, third: LocalCalendar, day: date
) -> None:
    noon = LocalCalendar(timezone="UTC").moved(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), first)
    assert first.moved(noon, first) == noon
    assert third.moved(second.moved(first.moved(noon, second), third), first) == noon


@given(CALENDARS, CALENDARS, MOMENTS, st.integers(1, 600))
def test_order_is_kept_within_the_hour_that_clocks_skip(
    before: LocalCalendar, after: LocalCalendar, at: datetime, minutes: int
) -> None:
    later = at + timedelta(minutes=minutes)
    moved, moved_later = before.moved(at, after), before.moved(later, after)
    assert moved_later - moved >= timedelta(minutes=minutes) - timedelta(hours=3)
