"""The phrases of the mails with a link, in six languages: to sign in, and about a new address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.contract.events import Language
from shared.internal_api.address_mail import AddressMailKind


@dataclass(frozen=True)
class LinkPhrases:
    """The phrases of a mail. `greeting` takes a name, `subject` and `ask` an edition, `life` minutes or hours."""

    subject: str
    greeting: str
    ask: str
    button: str
    life: str
    not_asked: str


PHRASES: Final = {
    Language.ENGLISH: LinkPhrases(
        "Sign in to Tertulia",
        "Hello {name},",
        "You asked for a link to sign in. Open it, and press the button there:",
        "Sign in",
        "The link works once, within {minutes} minutes.",
        "You did not ask for it? Then do nothing: without this mail nobody can sign in.",
    ),
    Language.SPANISH: LinkPhrases(
        "Iniciar sesión en Tertulia",
        "Hola, {name}:",
        "Ha pedido un enlace para iniciar sesión. Ábralo y pulse allí el botón:",
        "Iniciar sesión",
        "El enlace sirve una sola vez, durante {minutes} minutos.",
        "¿No lo ha pedido? No haga nada: sin este correo nadie puede iniciar sesión.",
    ),
    Language.PORTUGUESE: LinkPhrases(
        "Iniciar sessão no Tertulia",
        "Olá, {name}:",
        "Pediu uma ligação para iniciar sessão. Abra-a e prima o botão que lá está:",
        "Iniciar sessão",
        "A ligação serve uma única vez, durante {minutes} minutos.",
        "Não a pediu? Não faça nada: sem esta mensagem ninguém pode iniciar sessão.",
    ),
    Language.FRENCH: LinkPhrases(
        "Se connecter à Tertulia",
        "Bonjour {name},",
        "Vous avez demandé un lien de connexion. Ouvrez-le et appuyez sur le bouton\u00a0:",
        "Se connecter",
        "Le lien ne sert qu'une fois, pendant {minutes} minutes.",
        "Vous n'avez rien demandé\u00a0? Ne faites rien\u00a0: sans ce message, personne ne peut se connecter.",
    ),
    Language.GERMAN: LinkPhrases(
        "Bei Tertulia anmelden",
        "Guten Tag, {name},",
        "Sie haben einen Link zur Anmeldung angefordert. Öffnen Sie ihn, und drücken Sie dort auf die Schaltfläche:",
        "Anmelden",
        "Der Link gilt einmal, und nur {minutes} Minuten lang.",
        "Sie haben nichts angefordert? Dann ist nichts zu tun: Ohne diese Mail kann sich niemand anmelden.",
    ),
    Language.ITALIAN: LinkPhrases(
        "Accedere a Tertulia",
        "Buongiorno {name},",
        "Ha chiesto un link per accedere. Lo apra e prema il pulsante:",
        "Accedi",
        "Il link vale una sola volta, per {minutes} minuti.",
        "Non l'ha chiesto Lei? Non faccia nulla: senza questa e-mail nessuno può accedere.",
    ),
}
#: The phrases of mails about a new address. The mail to the present address has no link.
ADDRESS_PHRASES: Final = {
    AddressMailKind.CONFIRM: {
        Language.ENGLISH: LinkPhrases(
            "Confirm your new address: {edition}",
            "Hello {name},",
            "This address is to receive your mails about {edition}. Open the link, and press the button there:",
            "Confirm this address",
            "The link works once, within {hours} hours. Until then mails go to your present address.",
            "You did not ask for it? Then do nothing: the address is not used.",
        ),
        Language.SPANISH: LinkPhrases(
            "Confirme su nueva dirección: {edition}",
            "Hola, {name}:",
            "Esta dirección recibirá sus correos sobre {edition}. Abra el enlace y pulse allí el botón:",
            "Confirmar esta dirección",
            "El enlace sirve una sola vez, durante {hours} horas. Hasta entonces escribimos a su dirección actual.",
            "¿No lo ha pedido? No haga nada: la dirección no se usará.",
        ),
        Language.PORTUGUESE: LinkPhrases(
            "Confirme o seu novo endereço: {edition}",
            "Olá, {name}:",
            "Este endereço vai receber as suas mensagens sobre {edition}. Abra a ligação e prima o botão que lá está:",
            "Confirmar este endereço",
            "A ligação serve uma única vez, durante {hours} horas. Até lá escrevemos para o seu endereço atual.",
            "Não o pediu? Não faça nada: o endereço não será usado.",
        ),
        Language.FRENCH: LinkPhrases(
            "Confirmez votre nouvelle adresse\u00a0: {edition}",
            "Bonjour {name},",
            "Cette adresse doit recevoir vos messages sur {edition}. Ouvrez le lien et appuyez sur le bouton\u00a0:",
            "Confirmer cette adresse",
            "Le lien ne sert qu'une fois, pendant {hours} heures. D'ici là, nous écrivons à votre adresse actuelle.",
            "Vous n'avez rien demandé\u00a0? Ne faites rien\u00a0: l'adresse ne sera pas utilisée.",
        ),
        Language.GERMAN: LinkPhrases(
            "Neue Adresse bestätigen: {edition}",
            "Guten Tag, {name},",
            "Diese Adresse soll Ihre Mails zu {edition} erhalten. Öffnen Sie den Link, und drücken Sie dort auf die "
            "Schaltfläche:",
            "Adresse bestätigen",
            "Der Link gilt einmal, und nur {hours} Stunden lang. Bis dahin schreiben wir an Ihre bisherige Adresse.",
            "Sie haben das nicht angefordert? Dann ist nichts zu tun: Die Adresse wird nicht verwendet.",
        ),
        Language.ITALIAN: LinkPhrases(
            "Confermi il nuovo indirizzo: {edition}",
            "Buongiorno {name},",
            "Questo indirizzo riceverà le Sue e-mail su {edition}. Apra il link e prema il pulsante:",
            "Conferma l'indirizzo",
            "Il link vale una sola volta, per {hours} ore. Fino ad allora scriviamo al Suo indirizzo attuale.",
            "Non l'ha chiesto Lei? Non faccia nulla: l'indirizzo non sarà usato.",
        ),
    },
    AddressMailKind.TELL: {
        Language.ENGLISH: LinkPhrases(
            "A new address for your mails: {edition}",
            "Hello {name},",
            "A new address was asked for, for your mails about {edition}. They still come here until it is confirmed.",
            "",
            "",
            "You know nothing of it? Then tell the organiser.",
        ),
        Language.SPANISH: LinkPhrases(
            "Una nueva dirección para sus correos: {edition}",
            "Hola, {name}:",
            "Se ha pedido una nueva dirección para sus correos sobre {edition}. Hasta que se confirme, llegarán aquí.",
            "",
            "",
            "¿No sabe nada de ello? Avise a la organización.",
        ),
        Language.PORTUGUESE: LinkPhrases(
            "Um novo endereço para as suas mensagens: {edition}",
            "Olá, {name}:",
            "Foi pedido um novo endereço para as suas mensagens sobre {edition}. Até ser confirmado, chegam aqui.",
            "",
            "",
            "Não sabe de nada? Avise a organização.",
        ),
        Language.FRENCH: LinkPhrases(
            "Une nouvelle adresse pour vos messages\u00a0: {edition}",
            "Bonjour {name},",
            "Une nouvelle adresse a été demandée pour vos messages sur {edition}. Ils arrivent ici jusqu'à sa "
            "confirmation.",
            "",
            "",
            "Vous n'en savez rien\u00a0? Prévenez l'organisation.",
        ),
        Language.GERMAN: LinkPhrases(
            "Eine neue Adresse für Ihre Mails: {edition}",
            "Guten Tag, {name},",
            "Für Ihre Mails zu {edition} wurde eine neue Adresse angegeben. Bis sie bestätigt ist, kommen sie hierher.",
            "",
            "",
            "Sie wissen nichts davon? Dann sagen Sie es dem Veranstalter.",
        ),
        Language.ITALIAN: LinkPhrases(
            "Un nuovo indirizzo per le Sue e-mail: {edition}",
            "Buongiorno {name},",
            "È stato chiesto un nuovo indirizzo per le Sue e-mail su {edition}. Fino alla conferma arrivano qui.",
            "",
            "",
            "Non ne sa nulla? Avvisi l'organizzazione.",
        ),
    },
}
