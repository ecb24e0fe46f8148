"""After an erasure notify holds no text of the person, sends them no mail, and names them in no mail."""

from __future__ import annotations

import re
from email.message import EmailMessage
from typing import Any

import httpx
import pytest
from pymongo.errors import AutoReconnect
from starlette.applications import Starlette

from shared.contract.events import OrganisationErased, ParticipantErased, Profile, Status
from tests.support.byte_search import found_in
from tests.support.notify_stage import COMMON, Stage, agenda, encounter, everybody, organisation, participant, session

BASE = "https://agenda.example.org"
PLANTED = {"Zoe Plantedname", "zoe@planted.example", "Laser planting", "Planted needs", "Planted Works"}


def planted(revision: int, **fields: Any) -> Any:
    profile = Profile(offers=("Laser planting",), needs=("Planted needs",))
    return participant(1, revision, name="Zoe Plantedname", email="zoe@planted.example", profile=profile, **fields)


def erased(revision: int, status: Status = Status.CANCELLED) -> ParticipantErased:
    return ParticipantErased(
        **COMMON, revision=revision, participant_id="prt_1", organisation_id="org_1", status=status, links=1
    )


def organisation_erased(revision: int) -> OrganisationErased:
    return OrganisationErased(**COMMON, revision=revision, organisation_id="org_1", kind="sme", country="ES")


async def mailed(**settings: Any) -> tuple[Stage, list[EmailMessage]]:
    """Mail the agendas of a meeting. A participant and an organisation have planted texts."""
    stage = Stage(snapshot_every=3, **settings)
    await stage.consume(*everybody(2), planted(2), organisation(1, 2, name="Planted Works"))
    await stage.consume(agenda(1, encounter(0, 1), session(4)), agenda(1, encounter(0, 0), number=1))
    return stage, await stage.after(61)


def text_of(mail: EmailMessage) -> str:
    """Subject, text and calendar of a mail."""
    parts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(mail["Subject"]), *parts])


async def test_no_byte_of_an_erased_person_is_left_in_any_collection() -> None:
    stage, mails = await mailed()
    assert any("Zoe Plantedname" in text_of(mail) for mail in mails)
    assert found_in(stage.servers.mongo, PLANTED) == [f"{text} in people" for text in sorted(PLANTED)]
    await stage.consume(erased(3), organisation_erased(3))
    assert found_in(stage.servers.mongo, PLANTED) == []


async def test_a_person_who_had_left_the_place_is_erased_with_it() -> None:
    stage, _ = await mailed()
    await stage.consume(participant(1, 3, name="Eva Ruiz", email="eva@example.org"), organisation_erased(3))
    assert "Zoe Plantedname in people" in found_in(stage.servers.mongo, PLANTED)
    await stage.consume(erased(4))
    assert found_in(stage.servers.mongo, {*PLANTED, "Eva Ruiz", "eva@example.org"}) == []
    assert [mail["To"] for mail in await stage.after(600)] == ["Person 0 <person0@example.org>"]


async def test_older_records_that_come_late_bring_nothing_back() -> None:
    stage, _ = await mailed()
    await stage.consume(erased(9), organisation_erased(9))
    before = await stage.journal.replay("edn_1")
    for _ in range(2):
        await stage.consume(planted(8), organisation(1, 8, name="Planted Works"))
        stage.restart()
        assert found_in(stage.servers.mongo, PLANTED) == []
        assert await stage.journal.replay("edn_1") == await stage.journal.read("edn_1") == before


async def test_a_record_that_is_older_than_the_erasure_of_an_unknown_person_changes_nothing() -> None:
    stage = Stage()
    await stage.consume(erased(9), *everybody(1))
    await stage.consume(planted(8))
    assert found_in(stage.servers.mongo, PLANTED) == []
    assert (await stage.journal.read("edn_1")).contacts["prt_1"].erased


async def test_an_owed_mail_to_an_erased_person_is_dropped() -> None:
    stage, _ = await mailed()
    await stage.consume(agenda(2, encounter(1, 0), number=1))
    await stage.consume(erased(3))
    assert await stage.after(600) == []
    delivery = await stage.ledger.find("edn_1", "prt_1")
    assert delivery
    assert not delivery.is_owed
    assert stage.states() == ["sent", "sent", "skipped"]
    assert stage.published[-1].reason == "the participant is erased"


async def test_partners_read_of_the_cancelled_encounter_without_a_name() -> None:
    stage, _ = await mailed()
    await stage.consume(erased(3), organisation_erased(3), agenda(2), agenda(2, session(4)))
    (mail,) = await stage.after(61)
    assert str(mail["To"]) == "Person 0 <person0@example.org>"
    assert "a person who no longer takes part" in text_of(mail)
    assert not any(text in text_of(mail) for text in PLANTED)


async def test_an_erasure_alone_is_mailed_to_nobody() -> None:
    stage, _ = await mailed()
    await stage.consume(erased(3, Status.ACTIVE), organisation_erased(3))
    assert await stage.after(600) == []


async def test_links_of_an_erased_person_end_and_others_feeds_name_nobody() -> None:
    stage, mails = await mailed(public_url=BASE, link_secret="a secret of thirty-two characters!")
    feeds = {str(mail["To"]): re.findall(rf"{BASE}/feeds/\S+", text_of(mail))[0] for mail in mails}
    transport = httpx.ASGITransport(Starlette(routes=stage.runtime.routes))
    async with httpx.AsyncClient(transport=transport) as client:
        assert "Zoe Plantedname" in (await client.get(feeds["Person 0 <person0@example.org>"])).text
        await stage.consume(erased(3), organisation_erased(3))
        stage.time.advance(2)
        answer = await client.get(feeds["Person 0 <person0@example.org>"])
        assert answer.status_code == 200
        assert not any(text in answer.text.replace("\r\n ", "") for text in PLANTED)
        assert (await client.get(feeds["Zoe Plantedname <zoe@planted.example>"])).status_code == 410
    assert found_in(stage.servers.mongo, PLANTED) == []


@pytest.mark.parametrize("change", ["name", "person", "profile"])
async def test_a_process_that_ends_between_the_texts_and_the_entry_forgets_no_change(change: str) -> None:
    async def mails(*, with_crash: bool) -> list[str]:
        stage, _ = await mailed()
        event = {
            "name": planted(3).model_copy(update={"name": "Dr Zoe"}),
            "person": participant(1, 3, name="Eva Ruiz", email="eva@example.org"),
            "profile": planted(3).model_copy(update={"profile": Profile()}),
        }[change]
        if with_crash:
            stage.servers.failing["journal.insert_one"] = 1
            with pytest.raises(AutoReconnect):
                await stage.consume(event)
            stage.restart()
        await stage.consume(event)
        texts = [f"{mail['To']} {mail['Subject']}" for mail in await stage.after(600)]
        state = await stage.journal.read("edn_1")
        return [*sorted(texts), state.contacts["prt_1"].model_dump_json()]

    assert await mails(with_crash=True) == await mails(with_crash=False)
