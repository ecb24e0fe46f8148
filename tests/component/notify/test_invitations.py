"""An entry that begins soon and changed has a mail of its own, which a calendar program takes as an invitation."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar

from bench.churn.readers import calendar_parts, read_text
from bench.churn.receiver import Mailbox
from services.notify.ports import Unconfirmed
from shared.contract.events import AgendaEntry
from tests.support.notify_stage import OPENING, Stage, agenda, encounter, everybody, session
from tests.support.outside import checked

FIRST = (encounter(0, 1), encounter(4, 2), session(8))
MOVED = (encounter(1, 1), encounter(4, 2), session(8))
WITHOUT = (encounter(4, 2), session(8))


@pytest.fixture
async def stage() -> Stage:
    """A participant was told the agenda, and it is half an hour before the first encounter."""
    stage = Stage(smtp_connections=1)
    await stage.consume(*everybody(), agenda(1, *FIRST))
    await stage.after(61)
    stage.time.advance((OPENING - stage.time.now).total_seconds() - 1800)
    return stage


async def after(stage: Stage, revision: int, *entries: AgendaEntry, seconds: float = 1) -> dict[str, EmailMessage]:
    """Announce an agenda, and return the mails by the method of their calendar."""
    await stage.consume(agenda(revision, *entries))
    return {read_text(calendar_parts(bytes(mail))[0]).method: mail for mail in await stage.after(seconds)}


async def test_a_change_that_begins_soon_is_an_invitation_and_a_digest_at_once(stage: Stage) -> None:
    mails = await after(stage, 2, *MOVED)
    assert mails.keys() == {"REQUEST", "PUBLISH"}
    invitation = mails["REQUEST"]
    kinds = [part.get_content_type() for part in invitation.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html", "text/calendar"]
    assert "Encounter with Metal 1" in str(invitation["Subject"])
    (event,) = Calendar.from_ical(calendar_parts(bytes(invitation))[0]).events
    assert str(event["ATTENDEE"]) == "mailto:person0@example.org"
    assert str(event["ORGANIZER"]) == "mailto:agenda@tertulia.invalid"
    assert invitation["Message-ID"] != mails["PUBLISH"]["Message-ID"]


async def test_an_invitation_is_cancelled_and_nothing_else_is(stage: Stage) -> None:
    assert (await after(stage, 2, *WITHOUT)).keys() == {"PUBLISH"}
    assert (await after(stage, 3, *FIRST)).keys() == {"REQUEST", "PUBLISH"}
    cancelled = await after(stage, 4, *WITHOUT)
    assert cancelled.keys() == {"CANCEL", "PUBLISH"}
    assert "Cancelled: Encounter with Metal 1" in str(cancelled["CANCEL"]["Subject"])
    assert (await after(stage, 5, *WITHOUT)).keys() == set()


async def test_a_later_entry_and_a_first_agenda_have_no_invitation(stage: Stage) -> None:
    mails = await after(stage, 2, encounter(0, 1), encounter(6, 2), session(8), seconds=61)
    assert mails.keys() == {"PUBLISH"}
    await stage.consume(agenda(1, encounter(0, 0), number=1))
    assert [mail["X-Tertulia-Entry"] for mail in await stage.after(61)] == [None]


@pytest.mark.parametrize("lost", ["none", "PUBLISH", "REQUEST"])
@pytest.mark.parametrize("is_reversed", [False, True])
async def test_a_mailbox_is_never_behind_whatever_is_lost_or_overtaken(
    stage: Stage, lost: str, is_reversed: bool
) -> None:
    for revision, entries in enumerate((MOVED, WITHOUT, FIRST, (encounter(0, 1, table="2"), *WITHOUT)), start=2):
        await stage.consume(agenda(revision, *entries))
        await stage.after(1)
    files = [read_text(calendar_parts(mail.content)[0]) for mail in stage.mailer.accepted]
    kept = [file for file in files if file.method != lost or file is files[-1]]
    mailbox = Mailbox()
    for file in reversed(kept) if is_reversed else kept:
        mailbox.accept(file)
    shown = {entry.uid.partition("@")[0]: entry for entry in mailbox.shown()}
    assert shown["enc_1"].starts_at == OPENING
    assert shown["enc_1"].location.endswith("table 2")


async def test_an_invitation_in_doubt_is_not_repeated_and_is_on_no_topic(stage: Stage) -> None:
    before = len(stage.states())
    stage.mailer.plans = [("lost", Unconfirmed("lost")), None]
    assert (await after(stage, 2, *MOVED)).keys() == {"PUBLISH"}
    assert await stage.after(4000) == []
    assert stage.states()[before:] == ["sent"]


@pytest.mark.parametrize("validator", [("calendars", "--validate"), ("libical",)], ids=["ical4j", "libical"])
async def test_validators_by_others_find_nothing(stage: Stage, validator: tuple[str, ...], tmp_path: Path) -> None:
    files = []
    for revision, entries in enumerate((MOVED, WITHOUT), start=2):
        for method, mail in (await after(stage, revision, *entries)).items():
            files.append(tmp_path / f"{revision}{method}.ics")
            files[-1].write_bytes(calendar_parts(bytes(mail))[0])
    assert len(files) == 4
    assert checked(*validator, *map(str, files), allowed=(0, 1)) == ""
