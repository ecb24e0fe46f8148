"""The mail with a sign-in link, in six languages."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from services.notify.ports import Refused, RenderedMail
from services.notify.rendering.clean import clean
from services.notify.rendering.header_guard import LIBRARY_ERRORS
from services.notify.rendering.mail import POLICY, address_of
from services.notify.settings import Settings
from shared.contract.events import Language
from shared.internal_api.sign_in import SignInMail
from shared.runtime.clock import Clock


@dataclass(frozen=True)
class SignInPhrases:
    """The phrases of the mail. `greeting` takes a name, and `life` a number of minutes."""

    subject: str
    greeting: str
    ask: str
    button: str
    life: str
    not_asked: str


PHRASES: Final = {
    Language.ENGLISH: SignInPhrases(
        "Sign in to Tertulia",
        "Hello {name},",
        "You asked for a link to sign in. Open it, and press the button there:",
        "Sign in",
        "The link works once, within {minutes} minutes.",
        "You did not ask for it? Then do nothing: without this mail nobody can sign in.",
    ),
    Language.SPANISH: SignInPhrases(
        "Iniciar sesión en Tertulia",
        "Hola, {name}:",
        "Ha pedido un enlace para iniciar sesión. Ábralo y pulse allí el botón:",
        "Iniciar sesión",
        "El enlace sirve una sola vez, durante {minutes} minutos.",
        "¿No lo ha pedido? No haga nada: sin este correo nadie puede iniciar sesión.",
    ),
    Language.PORTUGUESE: SignInPhrases(
        "Iniciar sessão no Tertulia",
        "Olá, {name}:",
        "Pediu uma ligação para iniciar sessão. Abra-a e prima o botão que lá está:",
        "Iniciar sessão",
        "A ligação serve uma única vez, durante {minutes} minutos.",
        "Não a pediu? Não faça nada: sem esta mensagem ninguém pode iniciar sessão.",
    ),
    Language.FRENCH: SignInPhrases(
        "Se connecter à Tertulia",
        "Bonjour {name},",
        "Vous avez demandé un lien de connexion. Ouvrez-le et appuyez sur le bouton\u00a0:",
        "Se connecter",
        "Le lien ne sert qu'une fois, pendant {minutes} minutes.",
        "Vous n'avez rien demandé\u00a0? Ne faites rien\u00a0: sans ce message, personne ne peut se connecter.",
    ),
    Language.GERMAN: SignInPhrases(
        "Bei Tertulia anmelden",
        "Guten Tag, {name},",
        "Sie haben einen Link zur Anmeldung angefordert. Öffnen Sie ihn, und drücken Sie dort auf die Schaltfläche:",
        "Anmelden",
        "Der Link gilt einmal, und nur {minutes} Minuten lang.",
        "Sie haben nichts angefordert? Dann ist nichts zu tun: Ohne diese Mail kann sich niemand anmelden.",
    ),
    Language.ITALIAN: SignInPhrases(
        "Accedere a Tertulia",
        "Buongiorno {name},",
        "Ha chiesto un link per accedere. Lo apra e prema il pulsante:",
        "Accedi",
        "Il link vale una sola volta, per {minutes} minuti.",
        "Non l'ha chiesto Lei? Non faccia nulla: senza questa e-mail nessuno può accedere.",
    ),
}


class SignInMailWriter:
    """Writes the mail with a sign-in link."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._from = settings.mail_from
        self._sender = parseaddr(self._from)[1]
        self._domain = settings.mail_domain
        self._clock = clock
        self._html = Environment(
            loader=PackageLoader("services.notify"), autoescape=True, undefined=StrictUndefined
        ).get_template("sign_in.html.j2")

    def write(self, asked: SignInMail) -> RenderedMail:
        """Return the mail. Raises `Refused` if the address or a header cannot be written."""
        phrases = PHRASES[asked.language]
        name = clean(asked.name)
        life = phrases.life.format(minutes=asked.minutes)
        lines = (phrases.greeting.format(name=name), phrases.ask, asked.link, life, phrases.not_asked)
        try:
            to = address_of(name, asked.email)
            message = EmailMessage(policy=POLICY)
            message["From"] = self._from
            message["To"] = to
            message["Subject"] = phrases.subject
            message["Date"] = format_datetime(self._clock())
            message["Message-ID"] = make_msgid(domain=self._domain)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content("\n\n".join(lines) + "\n", cte="quoted-printable")
            body = self._html.render(phrases=phrases, greeting=lines[0], link=asked.link, life=life, asked=asked)
            message.add_alternative(body, subtype="html", cte="quoted-printable")
            message["Content-Language"] = asked.language.value
            return RenderedMail(sender=self._sender, recipient=to.addr_spec, content=bytes(message))
        except LIBRARY_ERRORS as error:
            raise Refused(f"the mail cannot be written: {type(error).__name__}") from error
