"""The mails with a link that registration asks for: to sign in, and about a new address."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.notify.ports import Refused, RenderedMail
from services.notify.rendering.clean import clean
from services.notify.rendering.header_guard import LIBRARY_ERRORS
from services.notify.rendering.link_phrases import ADDRESS_PHRASES, PHRASES, LinkPhrases
from services.notify.rendering.mail import POLICY, address_of
from services.notify.settings import Settings
from shared.internal_api.address_mail import AddressMail
from shared.internal_api.sign_in import SignInMail
from shared.runtime.clock import Clock


class LinkMailWriter:
    """Writes the mails with a link."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._from = settings.mail_from
        self._sender = parseaddr(self._from)[1]
        self._domain = settings.mail_domain
        self._clock = clock
        self._html = Environment(
            loader=PackageLoader("services.notify"), autoescape=True, undefined=StrictUndefined
        ).get_template("link.html.j2")

    def write(self, asked: SignInMail | AddressMail) -> RenderedMail:
        """Return the mail. Raises `Refused` if the address or a header cannot be written."""
        phrases = _filled(asked)
        name = clean(asked.name)
        greeting = phrases.greeting.format(name=name)
        lines = (greeting, phrases.ask, asked.link, phrases.life, phrases.not_asked)
        try:
            to = address_of(name, asked.email)
            message = EmailMessage(policy=POLICY)
            message["From"] = self._from
            message["To"] = to
            message["Subject"] = phrases.subject
            message["Date"] = format_datetime(self._clock())
            message["Message-ID"] = make_msgid(domain=self._domain)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content("\n\n".join(filter(None, lines)) + "\n", cte="quoted-printable")
            body = self._html.render(phrases=phrases, greeting=greeting, link=asked.link, asked=asked)
            message.add_alternative(body, subtype="html", cte="quoted-printable")
            message["Content-Language"] = asked.language.value
            return RenderedMail(sender=self._sender, recipient=to.addr_spec, content=bytes(message))
        except LIBRARY_ERRORS as error:
            raise Refused(f"the mail cannot be written: {type(error).__name__}") from error


def _filled(asked: SignInMail | AddressMail) -> LinkPhrases:
    """Return the phrases of a mail with its edition and its time; the greeting still takes a name."""
    if isinstance(asked, SignInMail):
        phrases = PHRASES[asked.language]
        return replace(phrases, life=phrases.life.format(minutes=asked.minutes))
    phrases, edition = ADDRESS_PHRASES[asked.kind][asked.language], clean(asked.edition)
    return replace(
        phrases,
        subject=phrases.subject.format(edition=edition),
        ask=phrases.ask.format(edition=edition),
        life=phrases.life.format(hours=asked.hours),
    )
