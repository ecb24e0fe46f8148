"""The letters of notify: a participant's agenda, an invitation, and the last mail to a person who left the place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.notify.domain.delivery import Delivery, Mailing, reason_to_skip
from services.notify.domain.digest import mail_content, reason_too_late
from services.notify.domain.state import Audience
from services.notify.domain.told_calendar import CalendarEntry, ToldCalendar, next_calendar


@dataclass(frozen=True)
class Letter:
    """A mail to write. `audience` is the edition as the reader sees it; `skipped` says why the mail is needless."""

    audience: Audience
    mailing: Mailing
    skipped: str = ""


def agenda_letter(audience: Audience, delivery: Delivery, domain: str, now: datetime) -> Letter:
    """Return the mail of a participant's newest agenda. `domain` is the domain of Message-IDs."""
    participant_id = delivery.participant_id
    person, version = audience.contacts[participant_id].person_id, audience.versions[participant_id]
    content, told = mail_content(audience, participant_id), delivery.told_to(person, now)
    calendar = next_calendar(audience, participant_id, content, told, version, now)
    mailing = _mailing(audience, delivery, domain).model_copy(update={"content": content, "calendar": calendar})
    skipped = reason_to_skip(delivery, audience, content, person)
    unconfirmed = delivery.unconfirmed.content if delivery.unconfirmed else None
    late = reason_too_late(delivery.sent_content, unconfirmed, content, now)
    return Letter(audience, mailing, skipped or late)


def last_letter(audience: Audience, delivery: Delivery, main: Delivery | None, domain: str, now: datetime) -> Letter:
    """Return the last mail to the person whose number is `delivery.about`: it cancels every entry that they were told.

    `main` is the delivery of the participant's agenda. No mail is needed if the person is back, was told no agenda, or
    if all that they were told is over.
    """
    told = _told_before(main, delivery.about or "")
    empty = _as_left(audience, delivery)
    if empty is None or not told.confirmed():
        return Letter(audience, _mailing(audience, delivery, domain), "the person was told no agenda")
    mailing = _mailing(empty, delivery, domain).model_copy(
        update={"calendar": told.cancelled(now, audience.versions[delivery.participant_id])}
    )
    if audience.contacts[delivery.participant_id].person_id == delivery.about:
        return Letter(empty, mailing, "the person is back")
    is_over = all(entry.line.ends_at <= now for entry in told.confirmed())
    return Letter(empty, mailing, "the told agenda is over" if is_over else "")


def invitation(audience: Audience, delivery: Delivery, main: Delivery | None, domain: str, now: datetime) -> Letter:
    """Return the invitation to an entry that begins soon and changed, or its cancellation.

    `main` is the delivery of the participant's agenda: before its first mail, there is nothing that changed. An entry
    is cancelled only if an invitation to it may have been accepted.
    """
    participant_id, entry_id = delivery.participant_id, delivery.entry_id or ""
    contact, version = audience.contacts[participant_id], audience.versions[participant_id]
    person = contact.person_id
    mailing = _mailing(audience, delivery, domain)
    content = mailing.content.model_copy(
        update={"lines": tuple(line for line in mailing.content.lines if line.entry_id == entry_id)}
    )
    told, invited = (main.told_to(person, now) if main else ToldCalendar()), delivery.told_to(person, now)
    newest = max(
        filter(None, (told.entry(entry_id), invited.entry(entry_id))), key=lambda entry: entry.sequence, default=None
    )
    calendar = next_calendar(
        audience, participant_id, content, ToldCalendar(entries=(newest,) if newest else ()), version, now
    )
    mailing = mailing.model_copy(update={"content": content, "calendar": calendar})
    if contact.erased or (content.lines and not contact.active):
        return Letter(audience, mailing, f"the participant is {'erased' if contact.erased else 'cancelled'}")
    if not told.entries:
        return Letter(audience, mailing, "the first mail of the agenda tells it")
    return Letter(audience, mailing, _reason_not_to_invite(calendar.entry(entry_id), invited.entry(entry_id), now))


def _reason_not_to_invite(entry: CalendarEntry | None, invited: CalendarEntry | None, now: datetime) -> str:
    if entry is None or entry.line.ends_at <= now:
        return "the entry is over or gone"
    if entry.cancelled_at and (invited is None or invited.cancelled_at):
        return "there is no invitation to cancel"
    return "nothing new to tell" if invited and not entry.cancelled_at and invited.shown == entry.shown else ""


def _mailing(audience: Audience, delivery: Delivery, domain: str) -> Mailing:
    participant_id = delivery.participant_id
    version = audience.versions[participant_id]
    return Mailing(
        version=version,
        agenda_revision=audience.agendas[participant_id].revision,
        message_id=delivery.message_id(version, domain),
        content=mail_content(audience, participant_id),
    )


def _told_before(main: Delivery | None, person: str) -> ToldCalendar:
    """Return the calendar that a person was told by the mails of the participant's agenda."""
    calendars = (main.told_calendar, *main.former_calendars) if main else ()
    return next((calendar for calendar in calendars if calendar.person == person), ToldCalendar())


def _as_left(audience: Audience, delivery: Delivery) -> Audience | None:
    """Return the edition with the person who left in the place, and without an agenda; `None` if they are unknown.

    The person in the place now comes first among the other persons of the place: the mail names the successor.
    """
    participant_id = delivery.participant_id
    former = audience.former_contacts.get(participant_id, ())
    contact = next((contact for contact in former if contact.person_id == delivery.about), None)
    if contact is None:
        return None
    emptied = audience.agendas[participant_id].model_copy(update={"entries": ()})
    return audience.model_copy(
        update={
            "contacts": {**audience.contacts, participant_id: contact},
            "former_contacts": {**audience.former_contacts, participant_id: (audience.contacts[participant_id],)},
            "agendas": {**audience.agendas, participant_id: emptied},
        }
    )
