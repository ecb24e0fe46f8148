"""The digest as a mail: text, HTML and calendar, with headers that tell people and machines what it is."""

from __future__ import annotations

from email.errors import MessageError
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
from services.notify.rendering.page import Page, PageWriter
from services.notify.settings import Settings
from shared.runtime.clock import Clock


class _Headers(HeaderRegistry):
    """The registry, but for what it does anew each time a header is set.

    It makes a class for the header's name, and parses its value: those that say what a part is are the same in every
    mail. What comes out is never changed, so it can be shared.
    """

    def __init__(self) -> None:
        super().__init__()
        self._class_of = lru_cache(maxsize=64)(super().__getitem__)
        self._of_part = lru_cache(maxsize=64)(super().__call__)

    def __getitem__(self, name: str) -> type:
        return self._class_of(name)

    def __call__(self, name: str, value: Any) -> Any:  # noqa: ANN401 - the library's types are its own
        says_what_a_part_is = name.lower().startswith(("content-", "mime-")) and isinstance(value, str)
        return self._of_part(name, value) if says_what_a_part_is else super().__call__(name, value)


class _Policy(EmailPolicy):
    """The policy for SMTP, but a header that can be written as it is, is not taken apart to be folded."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """The header as it is sent."""
        header = f"{name}: {value}"
        is_short = len(header) <= (self.max_line_length or 0)
        is_plain = header.isascii() and header.isprintable() and not header.endswith(" ") and "=?" not in header
        # Addresses are written as the library understood them.
        if is_short and is_plain and not isinstance(value, AddressHeader):
            return f"{header}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


#: How our mails are written: byte for byte as by the library's own `SMTP` policy, in less time.
POLICY = _Policy(linesep="\r\n", header_factory=_Headers())
#: What separates the parts: no base64 and no quoted-printable line has `=_` (RFC 2045, 6.7). Left to itself, the
#: library looks through every mail for one that does not occur.
_BETWEEN_PARTS, _BETWEEN_BODIES = "=_part", "=_body"


class MailWriter:
    """Renders letters, as `services.notify.ports.Render`."""

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
        """The letter that tells what `mailing` says, against what the delivery's last mail said.

        Raises:
            Refused: the address or a header cannot be written.
        """
        contact = audience.contacts[delivery.participant_id]
        try:
            address = _address(clean(contact.name), contact.email)
            message = self._message(audience, delivery, mailing, address)
            content = bytes(message)
        except (ValueError, MessageError, LookupError) as error:
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

    def _address(self, message: EmailMessage, delivery: Delivery, mailing: Mailing, to: Address, page: Page) -> None:
        """Write the headers. `EmailMessage` refuses any that holds a line break."""
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
    """The addressee. A domain in other letters is written as DNS knows it (IDNA); a local part cannot be.

    Raises:
        ValueError, MessageError or LookupError: not an address.
    """
    local, _, domain = email.rpartition("@")
    if not local or not domain:
        raise ValueError("an address has two parts")
    if not domain.isascii():
        email = f"{local}@{domain.encode('idna').decode('ascii')}"
    return Address(display_name=name, addr_spec=email)
