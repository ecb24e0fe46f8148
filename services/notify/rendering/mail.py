"""An agenda as a mail: text, HTML and calendar, with headers for mail programs and for tracing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr

import idna
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import mail_content
from services.notify.domain.state import Audience
from services.notify.feed.document import FeedDocument
from services.notify.ports import Refused, RenderedMail
from services.notify.rendering.addresses import PublicAddresses
from services.notify.rendering.calendar import CalendarFile, CalendarUser, Method
from services.notify.rendering.clean import clean
from services.notify.rendering.header_guard import (
    LIBRARY_ERRORS,
    HeaderInjected,
    refuse_line_breaks,
    refuse_other_addresses,
)
from services.notify.rendering.page import MailPage, PageWriter
from services.notify.settings import Settings
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)


class _Policy(EmailPolicy):
    """The library's policy for SMTP, with a guard for every header.

    Every header of a mail and of its parts passes `fold_binary`, or `fold` if the mail is written as text.
    """

    def fold(self, name: str, value: str) -> str:
        """Return the header as text.

        Raises:
            HeaderInjected: the header would be read as more than this header.
        """
        folded: str = super().fold(name, value)
        self._check(name, value, folded)
        return folded

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return the header as it is sent.

        Raises:
            HeaderInjected: the header would be read as more than this header.
        """
        folded = super().fold_binary(name, value)
        self._check(name, value, folded.decode("latin-1"))
        return folded

    def _check(self, name: str, value: str, folded: str) -> None:
        refuse_line_breaks(folded, self.linesep)
        if not folded.isascii():
            # The library writes a raw byte for some encoded words without a charset: no server is told of SMTPUTF8.
            raise HeaderInjected(f"the header {name!r} has a byte outside ASCII")
        # A header written as it was parsed needs no second parsing.
        is_unchanged = folded == f"{name}: {value}{self.linesep}" and "=?" not in folded
        if isinstance(value, AddressHeader) and not is_unchanged:
            refuse_other_addresses(folded, self.linesep, value)


#: Policy of all mails.
POLICY = _Policy(linesep="\r\n")
#: Longest line of a header that is not folded.
_LINE = 78
#: Characters that a display name holds in quotes only (RFC 5322, 3.2.3).
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]')
#: An encoded word: the library would decode it into another address.
_ENCODED_WORD = re.compile(r"=\?.*\?=", re.DOTALL)


class MailWriter:
    """Writes mails: implements `services.notify.ports.Render`."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._from = settings.mail_from
        self._sender = parseaddr(self._from)[1]
        self._alarm_minutes = settings.calendar_alarm_minutes
        self._addresses = PublicAddresses(settings)
        self._reply_to = settings.mail_reply_to
        self._domain = settings.mail_domain
        self._clock = clock
        templates = Environment(
            loader=PackageLoader("services.notify"),
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._text = templates.get_template("agenda.txt.j2")
        self._html = templates.get_template("agenda.html.j2")

    def __call__(self, audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
        """Write the mail of a version, with the differences from the last mail sent.

        Raises:
            Refused: the address, a header or the text cannot be written.
        """
        contact = audience.contacts[delivery.participant_id]
        try:
            address = address_of(clean(contact.name), contact.email)
            message = self._message(audience, delivery, mailing, address)
            content = bytes(message)
        except LIBRARY_ERRORS as error:
            # Any further attempt would end as this: a refusal ends the delivery, and the next change is mailed again.
            _log.warning("mail_unwritable", delivery=delivery.key, exc_info=error)
            raise Refused(f"the mail cannot be written: {type(error).__name__}") from error
        return RenderedMail(
            sender=self._sender,
            recipient=address.addr_spec,
            content=content,
        )

    def feed(self, audience: Audience, participant_id: str, feed: FeedDocument) -> bytes:
        """Write the calendar of a feed."""
        timezone = audience.edition.timezone if audience.edition else "UTC"
        writer = PageWriter(audience, participant_id, timezone)
        page = self._addresses.page(audience, participant_id)
        file = self._calendar(audience, participant_id, writer, page)
        return file.feed(feed.calendar.entries, clean(feed.name), timezone, feed.changed_at or self._clock())

    def page(self, audience: Audience, participant_id: str) -> str:
        """Write a participant's page: the newest agenda as HTML."""
        content = mail_content(audience, participant_id)
        page = PageWriter(audience, participant_id, content.timezone).page(None, content)
        return self._html.render(page=page, feed=self._addresses.feed(audience, participant_id), page_address="")

    def _message(self, audience: Audience, delivery: Delivery, mailing: Mailing, to: Address) -> EmailMessage:
        now = self._clock()
        writer = PageWriter(audience, delivery.participant_id, mailing.content.timezone, now)
        invited = mailing.calendar.entry(delivery.entry_id) if delivery.entry_id else None
        page = (
            writer.invitation(invited, mailing.content)
            if invited
            else writer.page(
                delivery.sent_content,
                mailing.content,
                has_left=delivery.about is not None,
                former=_former_person(audience, delivery),
            )
        )
        message = EmailMessage(policy=POLICY)
        self._address(message, delivery, mailing, to, page, now)
        self._set_reply_to(message, audience)
        links = self._links(audience, delivery)
        bodies = {"page": page, **links}
        message.set_content(self._text.render(bodies), cte="quoted-printable")
        message.add_alternative(self._html.render(bodies), subtype="html", cte="quoted-printable")
        file = self._calendar(audience, delivery.participant_id, writer, links["page_address"])
        if invited:
            _add_invitation(message, *file.invite(invited, CalendarUser(to.display_name, to.addr_spec), now))
        elif mailing.calendar.entries:
            message.add_attachment(
                file.write(mailing.calendar.entries, now).decode(),
                subtype="calendar",
                cte="base64",
                params={"method": Method.PUBLISH.value},
                filename="agenda.ics",
            )
        message["Content-Language"] = page.language.value  # last: parts take the Content- headers set before them
        return message

    def _address(
        self, message: EmailMessage, delivery: Delivery, mailing: Mailing, to: Address, page: MailPage, now: datetime
    ) -> None:
        """Write the headers. `EmailMessage` refuses a line break in a value, `POLICY` in the finished header."""
        message["From"] = self._from
        message["To"] = to
        message["Subject"] = page.subject
        message["Date"] = format_datetime(now)
        message["Message-ID"] = mailing.message_id
        message["Auto-Submitted"] = "auto-generated"
        message["List-Id"] = f"<{delivery.edition_id}.{self._domain}>"
        message["X-Tertulia-Edition"] = delivery.edition_id
        message["X-Tertulia-Participant"] = delivery.participant_id
        if delivery.entry_id:
            message["X-Tertulia-Entry"] = delivery.entry_id
        message["X-Tertulia-Version"] = str(mailing.version)
        message["X-Tertulia-Agenda-Revision"] = str(mailing.agenda_revision)

    def _set_reply_to(self, message: EmailMessage, audience: Audience) -> None:
        """Let replies go to the edition's own address, else to that of the settings."""
        if help_email := audience.edition.help_email if audience.edition else "":
            message["Reply-To"] = address_of("", help_email)
        elif self._reply_to:
            message["Reply-To"] = self._reply_to

    def _links(self, audience: Audience, delivery: Delivery) -> dict[str, str]:
        """Return the addresses of feed and page. The last mail to a person who left has none."""
        if delivery.about:
            return {"feed": "", "page_address": ""}
        participant_id = delivery.participant_id
        return {
            "feed": self._addresses.feed(audience, participant_id),
            "page_address": self._addresses.page(audience, participant_id),
        }

    def _calendar(self, audience: Audience, participant_id: str, writer: PageWriter, page: str) -> CalendarFile:
        organizer = CalendarUser(clean(audience.edition.name if audience.edition else ""), self._sender)
        return CalendarFile(
            audience.edition_id,
            participant_id,
            self._domain,
            organizer,
            writer,
            timedelta(minutes=self._alarm_minutes),
            page,
        )


def _former_person(audience: Audience, delivery: Delivery) -> str:
    """Return the name of the person who was told the agenda so far, if another person is in the place now."""
    told = delivery.told_calendar.person
    contact = audience.contacts[delivery.participant_id]
    if told is None or told == contact.person_id or delivery.subject:
        return ""
    former = audience.former_contacts.get(delivery.participant_id, ())
    return next((person.name for person in former if person.person_id == told), "")


def _add_invitation(message: EmailMessage, file: bytes, method: Method) -> None:
    """Add an invitation beside text and HTML, as the last alternative: there, Outlook looks for it."""
    message.add_alternative(file.decode(), subtype="calendar", cte="base64", params={"method": method.value})


def address_of(name: str, email: str) -> Address:
    """Return the address. A domain outside ASCII is written by IDNA 2008; a local part outside ASCII cannot be sent.

    Raises:
        ValueError, MessageError, LookupError: the text is not an address.
    """
    local, _, domain = email.rpartition("@")
    if not local or not domain:
        raise ValueError("an e-mail address needs a local part and a domain, joined by @")
    if not domain.isascii():
        email = f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    if _ENCODED_WORD.search(email):
        raise ValueError("an encoded word is not allowed in an e-mail address (RFC 2047, 5)")
    address = Address(display_name=name, addr_spec=email)
    return address if _is_read_back(address) else Address(display_name=_without_specials(name), addr_spec=email)


def _is_read_back(address: Address) -> bool:
    """Return whether a reader of the header sees this address. Names without special characters need no check."""
    if not _SPECIALS.search(address.display_name) or _is_short_and_plain(f"To: {address}"):
        return True
    try:
        POLICY.fold_binary("To", POLICY.header_factory("To", str(address)))
    except LIBRARY_ERRORS:
        return False
    return True


def _without_specials(name: str) -> str:
    return " ".join(_SPECIALS.sub(" ", name).split())


def _is_short_and_plain(header: str) -> bool:
    return len(header) <= _LINE and header.isascii() and header.isprintable()
