"""Hashes of people in data that versions before numbers wrote, and the numbers that stand for them.

Older ledgers, feeds and links hold hashes of addresses and names. A hash is replaced by the number of the person whom
it fits today. A hash that fits no person gets a number that fits none either.
"""

from __future__ import annotations

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import AgendaLine, MailContent
from services.notify.domain.snapshots import ContactSnapshot
from services.notify.domain.state import Audience
from services.notify.domain.told_calendar import CalendarEntry, ToldCalendar
from services.notify.feed.document import FeedDocument
from shared.contract.ids import derived_id
from shared.contract.spelling import similar_name

_PERSON, _ADDRESSEE, _SHOWN = "person_", "addressee_", "shown_"
#: Shortest hash of a person in a link.
_LINK_LENGTH = len(_PERSON) + 10
UNKNOWN_PERSON, UNKNOWN_READER = "person-unknown", "reader-unknown"


def is_person(text: str, participant_id: str, contact: ContactSnapshot) -> bool:
    """Return whether a text in a link is the number of the person in a place, or the beginning of an old hash."""
    if text == contact.person_id:
        return True
    return len(text) >= _LINK_LENGTH and bool(contact.email) and _hash_of(participant_id, contact).startswith(text)


def number_of(person: str, audience: Audience, participant_id: str) -> str:
    """Return the number for a hash of a person in a participant's place; a number stays."""
    if not person.startswith(_PERSON):
        return person
    contacts = [audience.contacts.get(participant_id), *audience.former_contacts.get(participant_id, ())]
    known = (contact for contact in contacts if contact and _hash_of(participant_id, contact) == person)
    return next((contact.person_id for contact in known), UNKNOWN_PERSON)


def renumbered(delivery: Delivery, audience: Audience) -> Delivery:
    """Return a delivery with numbers for hashes, except in its key."""
    if not _has_hashes(delivery):
        return delivery
    participant_id = delivery.participant_id

    def content(old: MailContent) -> MailContent:
        return _content(old, audience, participant_id)

    def mailing(old: Mailing | None) -> Mailing | None:
        return old and old.model_copy(update={"content": content(old.content)})

    def calendar(old: ToldCalendar) -> ToldCalendar:
        return _calendar(old, audience, participant_id)

    return delivery.model_copy(
        update={
            "mailing": mailing(delivery.mailing),
            "sent_content": delivery.sent_content and content(delivery.sent_content),
            "unconfirmed": mailing(delivery.unconfirmed),
            "calendar": delivery.calendar and calendar(delivery.calendar),
            "former_calendars": tuple(map(calendar, delivery.former_calendars)),
        }
    )


def renumbered_feed(feed: FeedDocument, audience: Audience, participant_id: str) -> FeedDocument:
    """Return the document of a feed with numbers for hashes."""
    return feed.model_copy(update={"calendar": _calendar(feed.calendar, audience, participant_id)})


def _has_hashes(delivery: Delivery) -> bool:
    text = delivery.model_dump_json(exclude={"about"})
    return any(f'"{prefix}' in text for prefix in (_PERSON, _ADDRESSEE, _SHOWN))


def _hash_of(participant_id: str, contact: ContactSnapshot) -> str:
    return derived_id("person", participant_id, contact.first_person.email.casefold())


def _reader(contact: ContactSnapshot, name: str) -> str:
    return derived_id("reader", contact.email.casefold(), name, contact.language)


def _content(content: MailContent, audience: Audience, participant_id: str) -> MailContent:
    addressee = content.addressee
    if addressee.startswith(_ADDRESSEE):
        contact = audience.contacts.get(participant_id)
        is_reader = contact is not None and (
            content.reader in {_reader(contact, contact.name), _reader(contact, similar_name(contact.name))}
            or addressee == derived_id("addressee", contact.email, contact.name, contact.language)
        )
        addressee = f"reader-{contact.addressed}" if contact and is_reader else UNKNOWN_READER
    lines = tuple(_line(line, audience) for line in content.lines)
    return content.model_copy(update={"addressee": addressee, "reader": None, "lines": lines})


def _calendar(calendar: ToldCalendar, audience: Audience, participant_id: str) -> ToldCalendar:
    person = calendar.person and number_of(calendar.person, audience, participant_id)
    return calendar.model_copy(
        update={"person": person, "entries": tuple(_entry(entry, audience) for entry in calendar.entries)}
    )


def _entry(entry: CalendarEntry, audience: Audience) -> CalendarEntry:
    shown = "" if entry.shown.startswith(_SHOWN) else entry.shown
    return entry.model_copy(update={"line": _line(entry.line, audience), "shown": shown})


def _line(line: AgendaLine, audience: Audience) -> AgendaLine:
    if line.person is None or not line.person.startswith(_PERSON):
        return line
    contacts = [(party_id, audience.contacts.get(party_id)) for party_id, _ in line.parties()]
    parts = [text for party_id, known in contacts if known for text in (party_id, known.first_person.email)]
    is_same = len(parts) == 2 * len(contacts) and derived_id("person", *parts) == line.person
    numbers = "-".join(str(known.person) for _, known in contacts if known)
    return line.model_copy(update={"person": f"person-{numbers}" if is_same else UNKNOWN_PERSON})
