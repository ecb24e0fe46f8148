from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, EmailPolicy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.notify.domain.digest import MailContent, mail_content
from services.notify.ports import Refused
from services.notify.rendering.clean import clean
from services.notify.rendering.header_guard import HeaderInjected
from services.notify.rendering.mail import POLICY
from shared.contract.events import AgendaEntry, Language, Session, SessionKind
from tests.support.notify_stage import (
    NOW,
    QUARTER,
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    read,
    rendered,
    session,
)

PARTS = ["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar"]


def bodies(mail: EmailMessage) -> tuple[str, str]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text
    assert html
    return text.get_content(), html.get_content()


def content(*entries: AgendaEntry) -> MailContent:
    return mail_content(audience(*everybody(), agenda(1, *entries)), "prt_0")


def test_headers_describe_the_mail_for_people_and_programs() -> None:
    mail = read(rendered(entries=(encounter(0, 1),), mail_reply_to="help@example.org"))
    headers = {name: str(mail[name]) for name in ("From", "To", "Reply-To", "Subject", "Message-ID", "List-Id")}
    assert headers == {
        "From": "Tertulia <agenda@tertulia.invalid>",
        "To": "Person 0 <person0@example.org>",
        "Reply-To": "help@example.org",
        "Subject": "Your agenda for Encuentro B2B 2018",
        "Message-ID": "<m@tertulia.example>",
        "List-Id": "<edn_1.tertulia.invalid>",
    }
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "en"
    assert mail["X-Tertulia-Participant"] == "prt_0"
    assert mail["X-Tertulia-Agenda-Revision"] == "3"


def test_a_mail_has_text_html_and_a_calendar() -> None:
    mail = read(rendered(entries=(encounter(0, 1),)))
    assert [part.get_content_type() for part in mail.walk()] == PARTS
    (calendar,) = mail.iter_attachments()
    assert calendar.get_filename() == "agenda.ics"
    assert calendar.get_param("method") == "PUBLISH"


def test_both_bodies_show_local_times_time_zone_place_and_partners() -> None:
    for body in bodies(read(rendered(entries=(encounter(0, 1, table="7"), session(4, "Panel"))))):
        for shown in ("09:00-09:15", "Encounter with Metal 1", "Person 1", "Workspace · table 7", "Panel"):
            assert shown in body
        assert "Central European Standard Time (Europe/Madrid, UTC+1)" in body
        assert "Thursday" in body


def test_every_partner_of_an_encounter_is_named() -> None:
    mail = read(rendered(entries=(encounter(0, 1, 2, 9),)))
    (attached,) = mail.iter_attachments()
    for body in (*bodies(mail), attached.get_content().replace("\r\n ", "").replace("\\,", ",")):
        assert "Encounter with Metal 1, Metal 2, to be confirmed" in body
        assert "Person 1, Person 2, to be confirmed" in body


def test_a_mail_names_the_sessions_for_whose_seats_the_participant_waits() -> None:
    talk = {"kind": SessionKind.PANEL, "zone_id": "zn_talk", "starts_at": NOW, "ends_at": NOW + QUARTER}
    programme = edition(2, sessions=(Session(session_id="talk", title="Robots <2>", **talk),))
    waiting = participant(0, 2, waiting_since={"talk": NOW, "dropped": NOW})
    text, html = bodies(read(rendered(programme, waiting, entries=(encounter(0, 1),))))
    assert "You wait for a seat in: Robots <2>." in " ".join(text.split())
    assert "You wait for a seat in: Robots &lt;2&gt;." in html
    for body in bodies(read(rendered(programme, entries=(encounter(0, 1),)))):
        assert "seat" not in body


@pytest.mark.parametrize(
    ("language", "subject", "date"),
    [
        (Language.SPANISH, "Su agenda ha cambiado (citas: 1 nueva, 1 movida) - Encuentro B2B 2018", "jueves"),
        (Language.ENGLISH, "Your agenda has changed (1 new, 1 moved) - Encuentro B2B 2018", "Thursday"),
        (
            Language.PORTUGUESE,
            "A sua agenda mudou (compromissos: 1 novo, 1 movido) - Encuentro B2B 2018",
            "quinta-feira",
        ),
        (
            Language.FRENCH,
            "Votre agenda a changé (rendez-vous\u00a0: 1 nouveau, 1 déplacé) - Encuentro B2B 2018",
            "jeudi",
        ),
        (
            Language.GERMAN,
            "Ihr Terminplan hat sich geändert (Termine: 1 neu, 1 verschoben) - Encuentro B2B 2018",
            "Donnerstag",
        ),
        (
            Language.ITALIAN,
            "La Sua agenda è cambiata (appuntamenti: 1 nuovo, 1 spostato) - Encuentro B2B 2018",
            "giovedì",
        ),
    ],
)
def test_a_mail_is_in_the_participant_s_first_language(language: Language, subject: str, date: str) -> None:
    speaker = participant(0, 2, languages=(language,))
    before = mail_content(audience(*everybody(), speaker, agenda(1, encounter(0, 1))), "prt_0")
    mail = read(rendered(speaker, entries=(encounter(1, 1), encounter(2, 2)), before=before))
    assert str(mail["Subject"]).strip() == subject
    assert mail["Content-Language"] == language.value
    assert all(date in body for body in bodies(mail))


@pytest.mark.parametrize(
    ("language", "zone", "place", "partner"),
    [
        (Language.SPANISH, "hora estándar de Europa central", "mesa 7", "Encuentro con Metal 1"),
        (Language.ENGLISH, "Central European Standard Time", "table 7", "Encounter with Metal 1"),
        (Language.PORTUGUESE, "Hora padrão da Europa Central", "mesa 7", "Encontro com Metal 1"),
        (Language.FRENCH, "heure normale d\u2019Europe centrale", "table 7", "Rendez-vous avec Metal 1"),
        (Language.GERMAN, "Mitteleuropäische Normalzeit", "Tisch 7", "Treffen mit Metal 1"),
        (Language.ITALIAN, "Ora standard dell\u2019Europa centrale", "tavolo 7", "Incontro con Metal 1"),
    ],
)
def test_zone_place_and_title_are_in_the_reader_s_language(
    language: Language, zone: str, place: str, partner: str
) -> None:
    mail = read(rendered(participant(0, 2, languages=(language,)), entries=(encounter(0, 1, table="7"),)))
    (attached,) = mail.iter_attachments()
    for body in bodies(mail):
        assert f"{zone} (Europe/Madrid, UTC+1)" in body
    for text in (*bodies(mail), attached.get_content().replace("\r\n ", "")):
        assert place in text
        assert partner in text


@pytest.mark.parametrize(
    ("before", "now", "subject"),
    [
        ([encounter(0, 1)], [], "Your agenda is now empty"),
        ([encounter(0, 1), session(3)], [session(3)], "Your agenda has changed (1 cancelled)"),
        ([session(3)], [session(3, "Panel")], "Your agenda has changed (1 changed)"),
    ],
)
def test_the_subject_tells_the_kind_of_change(before: list[AgendaEntry], now: list[AgendaEntry], subject: str) -> None:
    assert str(read(rendered(entries=tuple(now), before=content(*before)))["Subject"]).startswith(subject)


def test_a_change_of_time_zone_alone_is_a_change_of_details() -> None:
    mail = read(rendered(edition(2, timezone="Atlantic/Canary"), entries=(session(3),), before=content(session(3))))
    assert str(mail["Subject"]).startswith("Updated details")


def test_names_cannot_break_out_of_headers_html_or_their_line() -> None:
    hostile = "<script>alert(1)</script>\r\nBcc: x@example.org\u202e\u2028{{ 7*7 }}"
    mail = read(
        rendered(
            edition(2, name=hostile[:190]),
            organisation(1, 2, name=hostile),
            participant(0, 2, name=hostile),
            entries=(encounter(0, 1), session(4, hostile)),
        )
    )
    assert mail["Bcc"] is None
    text, html = bodies(mail)
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "\nBcc" not in text
    assert "\u202e" not in text + html
    assert "49" not in text


@pytest.mark.parametrize(
    "email",
    [
        "a@b.org\r\nBcc: x@example.org",
        "a@b@c",
        "no address",
        "ana@",
        "@b.org",
        "a@" + "ñ" * 70 + ".org",
        "a b@c.d",
        "josé@a.b",
    ],
)
def test_an_address_that_cannot_be_written_is_refused(email: str) -> None:
    with pytest.raises(Refused):
        rendered(participant(0, 2, email=email), entries=(encounter(0, 1),))


@pytest.mark.parametrize("error", [AttributeError("defect"), TypeError("defect")])
def test_a_defect_of_the_library_refuses_the_mail(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that escaped would keep the delivery claimed, and come again after every lease."""

    def fail(*_: object) -> bytes:
        raise error

    monkeypatch.setattr(type(POLICY), "fold_binary", fail)
    with capture_logs() as logs, pytest.raises(Refused, match=f"cannot be written: {type(error).__name__}"):
        rendered()
    assert [line["event"] for line in logs] == ["mail_unwritable"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe, Jane", "Doe, Jane"),
        ("Dr. " + "Jane " * 20, "Dr. " + "Jane " * 20),
        ("Núñez, Ana (Acme)", "Núñez, Ana (Acme)"),
        ("a" * 70 + ", b@example.org", None),
    ],
)
def test_a_name_loses_its_special_characters_only_where_the_library_loses_their_quotes(
    name: str, shown: str | None
) -> None:
    mail = read(rendered(participant(0, 2, name=name), entries=(encounter(0, 1),)))
    (address,) = mail["To"].addresses
    assert address.addr_spec == "person0@example.org"
    assert address.display_name in ({shown.strip()} if shown else {name, "a" * 70 + " b example org"})


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        ("señal.example", "xn--seal-hqa.example"),
        ("faß.example", "xn--fa-hia.example"),  # by IDNA 2003 it was fass.example, the domain of somebody else
    ],
)
def test_an_international_domain_is_written_by_idna_2008(domain: str, written: str) -> None:
    mail = rendered(participant(0, 2, email=f"ana@{domain}"), entries=(encounter(0, 1),))
    assert mail.recipient == f"ana@{written}"


#: Texts with encoded words whole and in pieces, some of them with line breaks that are no folding.
PIECES = st.sampled_from(
    [
        "=?utf-8?q?",
        "=?utf-8?b?",
        "=?us-ascii?q?",
        "=0d=0a",
        "=0a",
        "=0d",
        "DQpCY2M6IHg=",
        "=20",
        "Bcc:_x",
        "?=",
        " ",
        "=?",
    ]
)
TEXTS = st.text(max_size=120) | st.lists(st.text(max_size=9) | PIECES, max_size=12).map("".join)
ONE_HEADER = re.compile(rb"([\t\x20-\x7e]|\r\n[ \t])*\r\n\r\n")


def addresses(header: Callable[[], Any]) -> list[str] | None:
    """The addresses of a header; `None` if the library has no answer, by a defect of its own."""
    try:
        return [address.addr_spec for address in getattr(header(), "addresses", ())]
    except (AttributeError, TypeError, ValueError, LookupError):
        return None


@given(TEXTS, st.sampled_from(["Subject", "To", "From", "Message-ID", "X-Tertulia-Edition"]))
@example("=?utf-8?q?a?=", "Subject")
@example("=?utf-8?q?a=0d=0aBcc:_x?=", "Subject")
@example("=?utf-8?q?a=0d=0a_b?=", "X-Tertulia-Edition")
@example("=??B?=00", "Message-ID")
@example("x" * 77, "Subject")
@example('"Doe, Jane" <jane@example.org>', "To")
@example(f'"{"a" * 60}, b@example.org, c" <jane@example.org>', "To")
@example(".\x80000000000==>000\x80\x80\x80\x80\x80\x80\U00010000", "To")
def test_headers_have_the_bytes_of_the_library_unless_it_writes_more_than_a_header(value: str, name: str) -> None:
    def written(policy: EmailPolicy[Any]) -> bytes:
        message = EmailMessage(policy=policy)
        message[name] = value
        return message.as_bytes()

    try:
        expected = written(SMTP)
    except Exception as error:  # noqa: BLE001 - whatever the library raises
        with pytest.raises(type(error)):
            written(POLICY)
    else:
        read_back = addresses(lambda: BytesParser(policy=SMTP).parsebytes(expected)[name])
        meant = addresses(lambda: SMTP.header_factory(name, value))
        if not ONE_HEADER.fullmatch(expected) or read_back not in (None, meant):
            with pytest.raises(HeaderInjected):
                written(POLICY)
        else:
            # Addresses that break the rules may be refused: the library's readers do not agree about all of them.
            is_right = not SMTP.header_factory(name, value).defects
            with contextlib.nullcontext() if is_right else contextlib.suppress(HeaderInjected):
                assert written(POLICY) == expected


def test_no_part_contains_a_boundary() -> None:
    name = "=_part --=_body\r\n--=_part"
    mail = read(rendered(organisation(1, 2, name=name), entries=(encounter(0, 1),)))
    assert [part.get_content_type() for part in mail.walk()] == PARTS
    assert "=_part --=_body" in bodies(mail)[0]


def test_an_ascii_mail_is_ascii() -> None:
    assert rendered(organisation(1, 2, name="Ñandú 🏭"), entries=(encounter(0, 1),)).content.isascii()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("  Ana\t\r\n Pérez ", "Ana Pérez"),
        ("a\u202eb\u2066c", "abc"),
        ("a\x00b\x85c\u2029d", "a b c d"),
        ("José 🏭 محمد", "José 🏭 محمد"),
        ("\ud800x", "x"),
        ("Expo =?utf-8?q?=0d=0aBcc:_x?=", "Expo = ?utf-8?q?=0d=0aBcc:_x?="),
        ("==\u200e??=\n?", "== ??= ?"),
    ],
)
def test_clean_text_is_one_line_without_reordering_characters(typed: str, shown: str) -> None:
    assert clean(typed) == shown
