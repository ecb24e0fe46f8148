"""The phrases of the mails in Italian. A sentence after the greeting's comma begins in lower case."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

PHRASES: Final = Phrases(
    locale="it_IT",
    colon=":",
    subject_whole="La Sua agenda per {edition}",
    subject_changed="La Sua agenda è cambiata (appuntamenti: {counts}) - {edition}",
    subject_details="Dati aggiornati nella Sua agenda - {edition}",
    subject_emptied="La Sua agenda è ora vuota - {edition}",
    greeting="Buongiorno {name},",
    intro_whole="questa è la Sua agenda completa per {edition}.",
    intro_changed="la Sua agenda per {edition} è cambiata. Ecco che cosa cambia rispetto alla nostra ultima e-mail:",
    intro_details="alcuni dati della Sua agenda per {edition} sono cambiati. Questa è la versione aggiornata.",
    intro_emptied="la Sua agenda per {edition} è ora vuota: non ha più incontri né sessioni.",
    subject_left="Non partecipa più a {edition}",
    intro_left="{successor} occupa ora il Suo posto a {edition}. Il file allegato toglie gli appuntamenti dal Suo "
    "calendario.",
    intro_successor="Lei prende il posto di {former} a {edition}. Questa è la Sua agenda completa.",
    subject_ended="La Sua iscrizione a {edition} è terminata",
    intro_ended="la Sua iscrizione a {edition} è terminata e con essa i Suoi appuntamenti. Il file allegato li toglie "
    "dal Suo calendario.",
    footer_left="Riceve questa e-mail perché partecipava a {edition}.",
    intro_invitation="questo appuntamento inizia tra poco ed è cambiato. Questa e-mail aggiorna il Suo calendario.",
    intro_cancellation="questo appuntamento, che stava per iniziare, è annullato. Questa e-mail lo toglie dal Suo "
    "calendario.",
    heading_changes="Che cosa è cambiato",
    heading_agenda="La Sua agenda",
    local_times="Orari locali: {zone}",
    table="tavolo {table}",
    encounter="Incontro con {organisation}",
    to_be_confirmed="da confermare",
    erased_person="una persona che non partecipa più",
    before="prima",
    calendar_hint="Il file agenda.ics allegato contiene questa stessa agenda per il Suo calendario.",
    footer="Riceve questa e-mail perché partecipa a {edition}.",
    waits="È in lista d'attesa per: {sessions}. Se si libera un posto per Lei, comparirà nella Sua agenda.",
    feed_hint="Si abboni a questa agenda dal Suo calendario per seguire ogni modifica",
    page_hint="Consulti l'agenda aggiornata",
    venue="Luogo",
    questions="Domande? Si rivolga qui",
    dropped="Non più nella Sua agenda",
    kinds={
        DiffKind.ADDED: "Nuovo",
        DiffKind.MOVED: "Spostato",
        DiffKind.TABLE: "Cambio di tavolo",
        DiffKind.CHANGED: "Modificato",
        DiffKind.REMOVED: "Annullato",
    },
    counts={
        DiffKind.ADDED: Counted("1 nuovo", "{n} nuovi"),
        DiffKind.MOVED: Counted("1 spostato", "{n} spostati"),
        DiffKind.TABLE: Counted("1 a un altro tavolo", "{n} a un altro tavolo"),
        DiffKind.CHANGED: Counted("1 modificato", "{n} modificati"),
        DiffKind.REMOVED: Counted("1 annullato", "{n} annullati"),
    },
)
