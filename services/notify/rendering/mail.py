"""An agenda as a mail: text, HTML and calendar, with headers for mail programs and for tracing."""

from __future__ import annotations

import re
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.state import Audience
from services.notify.ports import Refused, RenderedMail
from services.notify.rendering.calendar import CalendarFile
from services.notify.rendering.clean import clean
from services.notify.rendering.header_guard import LIBRARY_ERRORS, refuse_line_breaks, refuse_other_addresses
from services.notify.rendering.page import MailPage, PageWriter
from services.notify.settings import Settings
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)


class _Headers(HeaderRegistry):
    """A header registry with two caches, for the work that the library repeats for every header.

    The library makes a class for the header's name and parses its value. The headers of the parts are the same in every
    mail. Parsed headers are immutable, so mails can share them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._class_of = lru_cache(maxsize=64)(super().__getitem__)
        self._of_part = lru_cache(maxsize=64)(super().__call__)

    def __getitem__(self, name: str) -> type:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> Any:  # noqa: ANN401 - the library's types are its own
        describes_a_part = name.lower().startswith(("content-", "mime-")) and isinstance(value, str)
        return self._of_part(name, value) if describes_a_part else super().__call__(name, value)


class _Policy(EmailPolicy):
    """The policy for SMTP, with a guard for every header and a short cut for headers that need no encoding or folding.

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
        header = f"{name}: {value}"
        is_short = len(header) <= (self.max_line_length or 0)
        is_plain = header.isascii() and header.isprintable() and not header.endswith(" ") and "=?" not in header
        # The library writes an address from its parsed parts, so addresses take the long way.
        if is_short and is_plain and not isinstance(value, AddressHeader):
            return f"{header}{self.linesep}".encode("ascii")
        folded = super().fold_binary(name, value)
        self._check(name, value, folded.decode("latin-1"))
        return folded

    def _check(self, name: str, value: str, folded: str) -> None:
        refuse_line_breaks(folded, self.linesep)
        # A header written as it was parsed needs no second parsing.
        is_unchanged = folded == f"{name}: {value}{self.linesep}" and "=?" not in folded
        if isinstance(value, AddressHeader) and not is_unchanged:
            refuse_other_addresses(folded, self.linesep, value)


#: Policy of all mails: the same bytes as the library's `SMTP` policy, in less time, and no injected header.
POLICY = _Policy(linesep="\r\n", header_factory=_Headers())
#: Boundaries of the parts: no base64 and no quoted-printable line has `=_` (RFC 2045, 6.7). Without them, the library
#: searches every mail for a text that does not occur in it.
_BETWEEN_PARTS, _BETWEEN_BODIES = "=_part", "=_body"
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
            address = _address(clean(contact.name), contact.email)
            message = self._message(audience, delivery, mailing, address)
            content = bytes(message)
        except LIBRARY_ERRORS as error:
            # Any further attempt would end as this: a refusal ends the delivery, and the next change is mailed again.
            _log.warning("mail_unwritable", delivery=delivery.key, exc_info=error)
            raise Refused(f"the mail cannot be written: {type(error).__name__}") from error
        return RenderedMail(
            sender=parseaddr(self._from)[1],
            recipient=address.addr_spec,
            content=content,
        )

    def _message(self, audience: Audience, delivery: Delivery, mailing: Mailing, to: Address) -> EmailMessage:
        writer = PageWriter(audience, delivery.participant_id, mailing.content.timezone)
        page = writer.page(delivery.sent_content, mailing.content)
        message = EmailMessage(policy=POLICY)
        self._address(message, delivery, mailing, to, page)
        message.set_content(self._text.render(page=page), cte="quoted-printable")
        message.make_alternative(_BETWEEN_BODIES)
        message.add_alternative(self._html.render(page=page), subtype="html", cte="quoted-printable")
        message.make_mixed(_BETWEEN_PARTS)
        message.add_attachment(
            self._calendar(audience, delivery, mailing, writer),
            subtype="calendar",
            cte="base64",
            params={"method": "PUBLISH"},
            filename="agenda.ics",
        )
        message["Content-Language"] = page.language.value  # last: parts take the Content- headers set before them
        return message

    def _address(
        self, message: EmailMessage, delivery: Delivery, mailing: Mailing, to: Address, page: MailPage
    ) -> None:
        """Write the headers. `EmailMessage` refuses a line break in a value, `POLICY` in the finished header."""
        message["From"] = self._from
        message["To"] = to
        if self._reply_to:
            message["Reply-To"] = self._reply_to
        message["Subject"] = page.subject
        message["Date"] = format_datetime(self._clock())
        message["Message-ID"] = mailing.message_id
        message["Auto-Submitted"] = "auto-generated"
        message["List-Id"] = f"<{delivery.edition_id}.{self._domain}>"
        message["X-Tertulia-Edition"] = delivery.edition_id
        message["X-Tertulia-Participant"] = delivery.participant_id
        message["X-Tertulia-Version"] = str(mailing.version)
        message["X-Tertulia-Agenda-Revision"] = str(mailing.agenda_revision)

    def _calendar(self, audience: Audience, delivery: Delivery, mailing: Mailing, writer: PageWriter) -> str:
        agenda = audience.agendas[delivery.participant_id]
        sequences = {entry.entry_id: entry.sequence for entry in agenda.entries}
        file = CalendarFile(delivery.edition_id, delivery.participant_id, self._domain)
        return file.write(mailing.content, sequences, agenda.issued_at, writer)


def _address(name: str, email: str) -> Address:
    """Return the address. A domain outside ASCII is written in IDNA; a local part outside ASCII cannot be sent.

    Raises:
        ValueError, MessageError, LookupError: the text is not an address.
    """
    local, _, domain = email.rpartition("@")
    if not local or not domain:
        raise ValueError("an e-mail address needs a local part and a domain, joined by @")
    if not domain.isascii():
        email = f"{local}@{domain.encode('idna').decode('ascii')}"
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
