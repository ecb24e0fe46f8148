"""The venue and the contact of an edition in its mails and calendars."""

from __future__ import annotations

from services.notify.domain.digest import MailContent, diff_of, mail_content
from services.notify.domain.told_calendar import ToldCalendar, next_calendar
from shared.contract.events import AgendaEntry, Event, HelpContact, Venue
from tests.support.notify_stage import NOW, agenda, audience, edition, encounter, everybody, read, rendered

PALACE = edition(2, venue=Venue(name="Palace"))


def content(*entries: AgendaEntry, after: tuple[Event, ...] = ()) -> MailContent:
    return mail_content(audience(*everybody(), agenda(1, *entries), *after), "prt_0")


def test_a_mail_names_the_venue_and_the_contact_of_the_edition() -> None:
    venue = Venue(name="Palace <1>", address="Calle Mayor 1, Toledo")
    placed = edition(2, venue=venue, contact=HelpContact(email="help@b\u00fcro.example", phone="+34 925 11 22 33"))
    mail = read(rendered(placed, entries=(encounter(0, 1, table="7"),), mail_reply_to="other@example.org"))
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert "Venue: Palace <1>, Calle Mayor 1, Toledo" in text
    assert "Venue: Palace &lt;1&gt;, Calle Mayor 1, Toledo" in html
    for body in (text, html):
        assert "Questions? Ask here: help@b\u00fcro.example, +34 925 11 22 33" in body
    (attached,) = mail.iter_attachments()
    calendar = attached.get_content().replace("\r\n ", "")
    assert "LOCATION:Workspace · table 7\\, Palace <1>\\, Calle Mayor 1\\, Toledo" in calendar
    assert str(mail["Reply-To"]) == "help@xn--bro-hoa.example"


def test_another_venue_is_mailed_as_a_detail_and_raises_the_sequence_of_entries() -> None:
    before, after = content(encounter(0, 1)), content(encounter(0, 1), after=(PALACE,))
    assert not before.is_like(after)
    assert diff_of(before, after) == ()
    told = next_calendar(audience(*everybody()), "prt_0", before, ToldCalendar(), 1, NOW)
    (entry,) = next_calendar(audience(*everybody(), PALACE), "prt_0", after, told, 2, NOW).entries
    assert entry.sequence == 2
    assert after.is_like(content(encounter(0, 1), after=(edition(3, venue=Venue(name="PALACE")),)))


def test_an_empty_agenda_is_not_mailed_again_for_a_venue() -> None:
    assert content().is_like(content(after=(PALACE,)))
