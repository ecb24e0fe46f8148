"""Mail headers: a text from outside never becomes a header, a body or another part of a mail (CVE-2024-6923)."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.ports import Refused, RenderedMail
from services.registration.internal_clients import no_clients
from shared.contract.events import Event, HelpContact, Venue, Zone, ZoneKind
from tests.support.notify_stage import edition, encounter, organisation, participant, read, rendered, session
from tests.support.registration_api import ANY_REVISION, EditionHarness, api_over

HEADERS = [
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Id", "X-Tertulia-Edition",
    "X-Tertulia-Participant", "X-Tertulia-Version", "X-Tertulia-Agenda-Revision", "MIME-Version", "Content-Type",
    "Content-Language",
]  # fmt: skip
PARTS = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar"]
#: The attack as it was carried out: three headers, an empty line, and a body.
ATTACK = (
    "Expo =?utf-8?q?=0d=0aBcc:_victim=40elsewhere.example=0d=0aReply-To:_thief=40elsewhere.example"
    "=0d=0a=0d=0a=3ch1=3ehacked=3c/h1=3e?="
)
#: Ways of writing a line break, or a text that a mail program reads as another line.
BREAKS = ["\r\n", "\r", "\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
HOSTILE = [
    ATTACK,
    "=?utf-8?b?DQpCY2M6IHZpY3RpbUBlbHNld2hlcmUuZXhhbXBsZQ==?=",
    "=?iso-8859-1*en?Q?=0ABcc:_victim=40elsewhere.example?=",
    "a=?utf-8?q?=0dBcc:_victim=40elsewhere.example?=b",
    '"=?utf-8?q?=0d=0aBcc:_victim=40elsewhere.example?="',
    "=\u200e?utf-8?q?=0d=0aBcc:_victim=40elsewhere.example?=",
    "=?utf-8?q?=0b=0c=1c=1d=1eBcc:_victim?= =?utf-8?q?=c2=85=e2=80=a8Bcc:_victim?=",
    "=?utf-8?q?=3d=3futf-8=3fq=3f=3d0d=3d0aBcc:=5fvictim=3f=3d?=",
    "</title><script>alert(1)</script>",
    f"{'a' * 60}, thief@elsewhere.example, {'b' * 60}",
    f"{'a' * 80} <thief@elsewhere.example> {'b ' * 20}",
    f'a "\\", thief@elsewhere.example, "{"b " * 40}',
    'Ñandú: thief@elsewhere.example, "José <thief@elsewhere.example>;',
    *(f"Expo{mark}Bcc: victim@elsewhere.example{mark}{mark}<h1>hacked</h1>" for mark in BREAKS),
]
ZONES = (Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name="Workspace", tables=("1",)),)


def with_text(place: str, text: str) -> list[Event]:
    """Return the event that puts a text from outside in this place."""
    zones = (
        Zone(zone_id="zn_work", kind=ZoneKind.WORKSPACE, name=text, tables=("1", text)),
        Zone(zone_id="zn_talk", kind=ZoneKind.CONFERENCE, name=text),
    )
    events: dict[str, Event] = {
        "edition": edition(2, name=text),
        "venue": edition(2, venue=Venue(name=text, address=text)),
        "help": edition(2, contact=HelpContact(phone=text)),
        "zone": edition(2, zones=zones),
        "organisation": organisation(1, 2, name=text),
        "addressee": participant(0, 2, name=text),
        "partner": participant(1, 2, name=text),
    }
    return [events[place]] if place in events else []


def mail_with(place: str, text: str) -> RenderedMail:
    table, title = (
        text if place == name else default_text for name, default_text in (("table", "1"), ("session", "K"))
    )
    return rendered(*with_text(place, text), entries=(encounter(0, 1, table=table), session(4, title)))


def parsed(mail: RenderedMail) -> EmailMessage:
    message = BytesParser(policy=default).parsebytes(mail.content)
    assert isinstance(message, EmailMessage)
    return message


def assert_whole(mail: RenderedMail) -> None:
    """Check that the mail has the headers, recipients and parts that notify gave it, and no more."""
    message = parsed(mail)
    assert message.keys() == HEADERS
    assert [part.get_content_type() for part in message.walk()] == PARTS
    assert mail.recipient == "person0@example.org"
    assert [address.addr_spec for address in message["To"].addresses] == ["person0@example.org"]
    assert re.findall(rb"\r(?!\n)|(?<!\r)\n", mail.content) == []
    assert not set("".join(BREAKS)) & set(str(message["Subject"]) + str(message["To"]))
    body = message.get_body(("plain",))
    assert body
    assert str(body.get_content()).startswith("Hello ")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "place", ["edition", "venue", "help", "zone", "table", "session", "organisation", "addressee", "partner"]
)
def test_a_name_never_becomes_a_header_or_a_body(place: str, text: str) -> None:
    assert_whole(mail_with(place, text[:200]))


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["=", "?", "=?", "?=", "\u202a", "_", " ", *BREAKS, *'()<>[]:;@\\,".']),
            st.sampled_from([", thief@elsewhere.example,", "a" * 40, "b " * 20, "é"]),
            st.sampled_from(["=?utf-8?q?=0d=0aBcc:_x?=", "=?utf-8?b?DQpCY2M6IHg=?=", "=?us-ascii?q?a=0ab?="]),
        ),
        min_size=1,
        max_size=8,
    ).map(lambda pieces: "".join(pieces)[:200]),
    st.sampled_from(["edition", "addressee"]),
)
def test_no_name_of_pieces_of_encoded_words_breaks_a_mail(text: str, place: str) -> None:
    if text.encode("utf-8", "ignore"):
        assert_whole(mail_with(place, text))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_title_of_the_page_is_text(text: str) -> None:
    body = parsed(mail_with("edition", text)).get_body(("html",))
    assert body
    title = re.search(r"<title>(.*)</title>\s*<style>", str(body.get_content()))
    assert title
    assert "<" not in title[1]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_never_becomes_a_line_of_the_calendar(text: str) -> None:
    named = [event for place in ("zone", "organisation", "partner") for event in with_text(place, text[:200])]
    mail = rendered(*named, entries=(encounter(0, 1, table=text[:200]), session(4, text[:200])))
    (attached,) = parsed(mail).iter_attachments()
    calendar = str(attached.get_content())
    assert not set("".join(BREAKS)) & set(calendar.replace("\r\n", ""))
    first_event = calendar.replace("\r\n ", "").partition("BEGIN:VEVENT")[2]
    names = [re.split("[:;]", line)[0] for line in first_event.split("\r\n")]
    event = ["SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE", "DESCRIPTION"]
    event += ["LAST-MODIFIED", "LOCATION", "ORGANIZER", "STATUS", "END"]
    event_of_session = [name for name in event if name != "DESCRIPTION"]
    assert names == ["", *event, "BEGIN", *event_of_session, "END", ""]
    assert len(Calendar.from_ical(calendar).events) == 2
    # A calendar program mails a summary as a subject.
    assert "=?" not in first_event


@pytest.mark.parametrize(
    "email",
    [
        "=?utf-8?q?=0d=0aBcc:_a=40b.example?=@example.org",
        "=?utf-8?q?a=0d=0aBcc:_a=40b.example?= @example.org",
        "=?utf-8?q?thief=40elsewhere.example?= @example.org",
        '"=?utf-8?q?=0d=0aBcc:_a=40b.example?="@example.org',
        "a@=?utf-8?q?=0d=0aBcc:_a=40b.example?=",
        "a@=?utf-8?q?=0d=0aBcc:_a?=.org".translate(str.maketrans("=?", "\uff1d\uff1f")),
        *(f"a{mark}Bcc: victim@example.org" for mark in BREAKS),
    ],
)
def test_an_address_that_reads_as_another_is_refused(email: str) -> None:
    with pytest.raises(Refused):
        rendered(participant(0, 2, email=email), entries=(encounter(0, 1),))


@pytest.mark.parametrize("setting", ["mail_from", "mail_reply_to"])
@pytest.mark.parametrize("text", ["=?utf-8?q?a=0d=0aBcc:_b?= <a@example.org>", "a\r\nBcc: b <a@example.org>"])
def test_a_header_from_the_settings_never_breaks(setting: str, text: str) -> None:
    try:
        fields: dict[str, Any] = {setting: text}
        mail = rendered(entries=(encounter(0, 1),), **fields)
    except Refused:
        return
    assert "Bcc" not in read(mail)


async def test_registration_refuses_names_that_a_mail_would_decode() -> None:
    async with await api_over(no_clients()) as api:
        harness = await EditionHarness(api).set_up()
        for name in (ATTACK, *(f"a{mark}b" for mark in BREAKS)):
            body: dict[str, Any] = {"name": name, "kind": "sme", "country": "ES"}
            assert (await api.post(f"{harness.path}/organisations", json=body)).status_code == 422, name
            assert (await api.patch(harness.path, json={"name": name}, headers=ANY_REVISION)).status_code == 422, name
        report = await api.post(
            f"{harness.path}/imports/organisations",
            content=f'name,kind,country\n{ATTACK},sme,ES\n"a\nb",sme,ES\n',
            headers={"content-type": "text/csv; charset=utf-8"},
        )
        assert [bad["column"] for bad in report.json()["rejected"]] == ["name"]
        # A line break in a cell of a list is a blank in a name.
        names = {item["name"] for item in (await api.get(f"{harness.path}/organisations")).json()["items"]}
        assert names == {"Empresa 1", "Empresa 2", "a b"}
