"""The feed of a participant: the agenda as it stands, to holders of the link only."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from icalendar import Calendar
from starlette.applications import Starlette

from bench.churn.readers import read_text
from bench.churn.receiver import Mailbox
from shared.contract.events import Event
from tests.support.notify_stage import (
    OPENING,
    QUARTER,
    Stage,
    agenda,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    session,
)
from tests.support.outside import checked

BASE = "https://agenda.example.org"
FIRST = (encounter(0, 1), session(4))


@pytest.fixture
def stage() -> Stage:
    return Stage(public_url=BASE, link_secret="a secret of thirty-two characters!")


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=stage.runtime.routes))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


def feed_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body
    found = re.search(rf"{BASE}/feeds/\S+", str(body.get_content()))
    assert found
    return found[0]


async def mailed(stage: Stage) -> str:
    """Announce an agenda, and return the address of the feed in its mail."""
    await stage.consume(*everybody(), agenda(1, *FIRST))
    (mail,) = await stage.after(61)
    return feed_of(mail)


async def test_the_feed_is_the_agenda_with_its_sessions(stage: Stage, client: httpx.AsyncClient) -> None:
    answer = await client.get(await mailed(stage))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    assert "METHOD" not in calendar
    assert str(calendar["X-WR-CALNAME"]) == "Encuentro B2B 2018"
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT15M" in answer.text
    assert [str(event["SUMMARY"]) for event in calendar.events] == ["Encounter with Metal 1", "Keynote"]
    assert all(f"{BASE}/agendas/L1." in str(event["DESCRIPTION"]) for event in calendar.events)


async def test_a_change_is_served_at_once_and_a_cancelled_entry_for_a_month(
    stage: Stage, client: httpx.AsyncClient
) -> None:
    address = await mailed(stage)
    before = read_text((await client.get(address)).content)
    await stage.consume(agenda(2, session(4)))
    stage.time.advance(1)
    gone = read_text((await client.get(address)).content)
    assert [event.status for event in gone.events] == ["CANCELLED", "CONFIRMED"]
    assert gone.events[0].age > before.events[0].age
    stage.time.advance(timedelta(days=31).total_seconds())
    assert [event.status for event in read_text((await client.get(address)).content).events] == ["CONFIRMED"]


@pytest.mark.parametrize(
    "event",
    [
        organisation(1, 2, name="Steel 1"),
        participant(1, 2, name="Dr Person 1"),
        edition(2, name="Renamed"),
        agenda(2, encounter(0, 1, table="2"), session(4)),
    ],
    ids=["organisation", "person", "edition", "table"],
)
async def test_any_shown_change_changes_the_validators(stage: Stage, client: httpx.AsyncClient, event: Event) -> None:
    address = await mailed(stage)
    first = await client.get(address)
    stage.time.advance(5)
    await stage.consume(event)
    second = await client.get(address, headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert second.headers["last-modified"] != first.headers["last-modified"]
    assert second.headers["etag"] != first.headers["etag"]


async def test_an_unchanged_feed_is_answered_with_304(stage: Stage, client: httpx.AsyncClient) -> None:
    address = await mailed(stage)
    first = await client.get(address)
    await stage.consume(agenda(2, encounter(0, 1, sequence=8), session(4)))
    for headers in (
        {"if-none-match": first.headers["etag"]},
        {"if-none-match": f'"other", W/{first.headers["etag"]}'},
        {"if-modified-since": first.headers["last-modified"]},
    ):
        answer = await client.get(address, headers=headers)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == first.headers["etag"]
    stale = await client.get(
        address, headers={"if-none-match": '"x"', "if-modified-since": first.headers["last-modified"]}
    )
    assert stale.status_code == 200
    assert (await client.get(address, headers={"if-modified-since": "yesterday"})).status_code == 200


async def test_another_process_serves_the_same_feed(stage: Stage, client: httpx.AsyncClient) -> None:
    address = await mailed(stage)
    first = await client.get(address)
    stage.restart()
    transport = httpx.ASGITransport(Starlette(routes=stage.runtime.routes))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as other:
        assert (await other.get(address)).content == first.content
        await stage.consume(agenda(2, encounter(1, 1), session(4)))
    stage.time.advance(2)
    moved = read_text((await client.get(address)).content)
    assert moved.events[0].starts_at == OPENING + QUARTER


async def test_a_revoked_link_and_the_link_of_a_person_who_left_end(stage: Stage, client: httpx.AsyncClient) -> None:
    address = await mailed(stage)
    assert (await client.get(address)).status_code == 200
    await stage.consume(participant(0, 2, links=1))
    assert (await client.get(address)).status_code == 410
    await stage.consume(agenda(2, session(4)))
    (mail,) = await stage.after(61)
    fresh = feed_of(mail)
    assert (await client.get(fresh)).status_code == 200
    await stage.consume(participant(0, 3, links=1, name="Ana Ruiz", email="ana@example.org"))
    assert (await client.get(fresh)).status_code == 410


async def test_a_link_that_was_never_signed_is_unknown(stage: Stage, client: httpx.AsyncClient) -> None:
    address = await mailed(stage)
    for wrong in (address.replace("/feeds/L1.", "/feeds/L1.x"), f"{BASE}/feeds/x/agenda.ics"):
        assert (await client.get(wrong)).status_code == 404
    as_page = address.replace("/feeds/", "/agendas/").removesuffix("/agenda.ics")
    assert (await client.get(as_page)).status_code == 404


async def test_the_page_shows_the_agenda_as_it_stands(stage: Stage, client: httpx.AsyncClient) -> None:
    await stage.consume(*everybody(), agenda(1, *FIRST))
    (mail,) = await stage.after(61)
    found = re.search(rf"{BASE}/agendas/\S+", str(mail.get_body(("plain",)).get_content()))  # type: ignore[union-attr]
    assert found
    await stage.consume(agenda(2, encounter(0, 1, table="9"), session(4)))
    answer = await client.get(found[0])
    assert "table 9" in answer.text
    assert "webcal://agenda.example.org/feeds/L1." in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_feed_alone_has_no_ghost_at_any_poll(stage: Stage, client: httpx.AsyncClient) -> None:
    address, mailbox = await mailed(stage), Mailbox()
    agendas = [FIRST, (), (encounter(2, 1), encounter(3, 2)), (encounter(2, 1),), FIRST]
    for revision, entries in enumerate(agendas, start=2):
        await stage.consume(agenda(revision, *entries))
        stage.time.advance(2)
        mailbox.replace(read_text((await client.get(address)).content))
        assert {entry.starts_at for entry in mailbox.shown()} == {entry.starts_at for entry in entries}


async def test_without_a_public_address_there_are_no_links_and_no_routes() -> None:
    stage = Stage()
    await stage.consume(*everybody(), agenda(1, *FIRST))
    (mail,) = await stage.after(61)
    assert "http" not in str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert stage.runtime.routes == []


@pytest.mark.parametrize("validator", [("calendars", "--validate"), ("libical",)], ids=["ical4j", "libical"])
async def test_validators_by_others_find_nothing(
    stage: Stage, client: httpx.AsyncClient, validator: tuple[str, ...], tmp_path: Path
) -> None:
    address = await mailed(stage)
    await client.get(address)
    await stage.consume(agenda(2, session(4)))
    file = tmp_path / "feed.ics"
    file.write_bytes((await client.get(address)).content)
    assert checked(*validator, str(file), allowed=(0, 1)) == ""
