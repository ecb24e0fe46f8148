"""The phrases about the cause of a change, in every language of participants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.contract.events import CauseCode, Language


@dataclass(frozen=True)
class CausePhrases:
    """The sentences about causes, by code. `{partner}` stands for the partner whom a cause is about.

    Attributes:
        own: the reader, or the very encounter of the line.
        partner: a partner of the line, or the partner's organisation.
        others: anybody else, or the edition.
    """

    own: dict[CauseCode, str]
    partner: dict[CauseCode, str]
    others: dict[CauseCode, str]


_SPANISH: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "Se ha acordado este encuentro.",
        CauseCode.PAIR_REVOKED: "Se ha retirado el acuerdo para este encuentro.",
        CauseCode.PARTICIPANT_CHANGED: "Han cambiado los datos o los horarios de usted.",
        CauseCode.PARTICIPANT_CANCELLED: "Su inscripción ha terminado.",
        CauseCode.ATTENDANCE_REPORTED: "La organización ha anotado la asistencia a este encuentro.",
        CauseCode.CHECKED_IN: "Ha llegado usted al evento.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "Han cambiado los datos o los horarios de {partner}.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} ya no participa.",
        CauseCode.ORGANISATION_CHANGED: "Han cambiado los datos de {partner}.",
        CauseCode.CHECKED_IN: "Ha llegado {partner}.",
    },
    others={
        CauseCode.PAIR_GRANTED: "Se ha hecho sitio a otro encuentro acordado.",
        CauseCode.PAIR_REVOKED: "Otro encuentro ha dejado un hueco.",
        CauseCode.PARTICIPANT_CHANGED: "Han cambiado los datos o los horarios de otro participante.",
        CauseCode.PARTICIPANT_CANCELLED: "Otro participante ya no viene.",
        CauseCode.ORGANISATION_CHANGED: "Han cambiado los datos de una organización.",
        CauseCode.EDITION_CHANGED: "La organización del evento ha cambiado el programa, los horarios o las mesas.",
        CauseCode.IMPROVED: "Así las agendas de todos encajan mejor.",
        CauseCode.ORGANISER_EDITED: "La organización del evento ha hecho este cambio.",
        CauseCode.ATTENDANCE_REPORTED: "Se ha anotado la ausencia de otro participante.",
        CauseCode.CHECKED_IN: "Ha llegado otro participante.",
    },
)
_ENGLISH: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "This encounter was agreed.",
        CauseCode.PAIR_REVOKED: "The agreement to this encounter was withdrawn.",
        CauseCode.PARTICIPANT_CHANGED: "Your own details or hours have changed.",
        CauseCode.PARTICIPANT_CANCELLED: "Your registration has ended.",
        CauseCode.ATTENDANCE_REPORTED: "The organiser has recorded who came to this encounter.",
        CauseCode.CHECKED_IN: "You have arrived.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "The details or hours of {partner} have changed.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} no longer takes part.",
        CauseCode.ORGANISATION_CHANGED: "The details of {partner} have changed.",
        CauseCode.CHECKED_IN: "{partner} has arrived.",
    },
    others={
        CauseCode.PAIR_GRANTED: "This makes room for another encounter that was agreed.",
        CauseCode.PAIR_REVOKED: "Another encounter has left a gap.",
        CauseCode.PARTICIPANT_CHANGED: "The details or hours of another participant have changed.",
        CauseCode.PARTICIPANT_CANCELLED: "Another participant no longer takes part.",
        CauseCode.ORGANISATION_CHANGED: "The details of an organisation have changed.",
        CauseCode.EDITION_CHANGED: "The organiser has changed the programme, the hours or the tables.",
        CauseCode.IMPROVED: "With this change all agendas fit better.",
        CauseCode.ORGANISER_EDITED: "The organiser has made this change.",
        CauseCode.ATTENDANCE_REPORTED: "Another participant was reported absent.",
        CauseCode.CHECKED_IN: "Another participant has arrived.",
    },
)
_PORTUGUESE: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "Este encontro foi acordado.",
        CauseCode.PAIR_REVOKED: "O acordo para este encontro foi retirado.",
        CauseCode.PARTICIPANT_CHANGED: "Os seus dados ou horários mudaram.",
        CauseCode.PARTICIPANT_CANCELLED: "A sua inscrição terminou.",
        CauseCode.ATTENDANCE_REPORTED: "A organização registou as presenças neste encontro.",
        CauseCode.CHECKED_IN: "A sua chegada foi registada.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "Os dados ou horários de {partner} mudaram.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} já não participa.",
        CauseCode.ORGANISATION_CHANGED: "Os dados de {partner} mudaram.",
        CauseCode.CHECKED_IN: "A chegada de {partner} foi registada.",
    },
    others={
        CauseCode.PAIR_GRANTED: "Esta mudança dá lugar a outro encontro acordado.",
        CauseCode.PAIR_REVOKED: "Outro encontro deixou um horário livre.",
        CauseCode.PARTICIPANT_CHANGED: "Os dados ou horários de outro participante mudaram.",
        CauseCode.PARTICIPANT_CANCELLED: "Outro participante já não vem.",
        CauseCode.ORGANISATION_CHANGED: "Os dados de uma organização mudaram.",
        CauseCode.EDITION_CHANGED: "A organização do evento mudou o programa, os horários ou as mesas.",
        CauseCode.IMPROVED: "Assim, as agendas de todos encaixam melhor.",
        CauseCode.ORGANISER_EDITED: "A organização do evento fez esta alteração.",
        CauseCode.ATTENDANCE_REPORTED: "Foi registada a ausência de outro participante.",
        CauseCode.CHECKED_IN: "Chegou outro participante.",
    },
)
_FRENCH: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "Ce rendez-vous a été convenu.",
        CauseCode.PAIR_REVOKED: "L'accord pour ce rendez-vous a été retiré.",
        CauseCode.PARTICIPANT_CHANGED: "Vos informations ou vos horaires ont changé.",
        CauseCode.PARTICIPANT_CANCELLED: "Votre inscription a pris fin.",
        CauseCode.ATTENDANCE_REPORTED: "L'organisateur a noté les présences à ce rendez-vous.",
        CauseCode.CHECKED_IN: "Votre arrivée a été enregistrée.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "Les informations ou les horaires de {partner} ont changé.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} ne participe plus.",
        CauseCode.ORGANISATION_CHANGED: "Les informations de {partner} ont changé.",
        CauseCode.CHECKED_IN: "L'arrivée de {partner} a été enregistrée.",
    },
    others={
        CauseCode.PAIR_GRANTED: "Ce changement libère un créneau pour un autre rendez-vous convenu.",
        CauseCode.PAIR_REVOKED: "Un autre rendez-vous a libéré un créneau.",
        CauseCode.PARTICIPANT_CHANGED: "Les informations ou les horaires d'un autre participant ont changé.",
        CauseCode.PARTICIPANT_CANCELLED: "Un autre participant ne vient plus.",
        CauseCode.ORGANISATION_CHANGED: "Les informations d'une organisation ont changé.",
        CauseCode.EDITION_CHANGED: "L'organisateur a modifié le programme, les horaires ou les tables.",
        CauseCode.IMPROVED: "Ainsi, les agendas de tous s'accordent mieux.",
        CauseCode.ORGANISER_EDITED: "L'organisateur a fait ce changement.",
        CauseCode.ATTENDANCE_REPORTED: "L'absence d'un autre participant a été notée.",
        CauseCode.CHECKED_IN: "Un autre participant est arrivé.",
    },
)
_GERMAN: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "Dieses Treffen wurde vereinbart.",
        CauseCode.PAIR_REVOKED: "Die Zusage für dieses Treffen wurde zurückgezogen.",
        CauseCode.PARTICIPANT_CHANGED: "Ihre Angaben oder Zeiten haben sich geändert.",
        CauseCode.PARTICIPANT_CANCELLED: "Ihre Anmeldung ist beendet.",
        CauseCode.ATTENDANCE_REPORTED: "Der Veranstalter hat festgehalten, wer zu diesem Treffen kam.",
        CauseCode.CHECKED_IN: "Ihre Ankunft ist vermerkt.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "Angaben oder Zeiten von {partner} haben sich geändert.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} nimmt nicht mehr teil.",
        CauseCode.ORGANISATION_CHANGED: "Die Angaben zu {partner} haben sich geändert.",
        CauseCode.CHECKED_IN: "{partner} ist eingetroffen.",
    },
    others={
        CauseCode.PAIR_GRANTED: "So entsteht Platz für ein anderes vereinbartes Treffen.",
        CauseCode.PAIR_REVOKED: "Ein anderes Treffen hat eine Lücke hinterlassen.",
        CauseCode.PARTICIPANT_CHANGED: "Angaben oder Zeiten einer anderen Person haben sich geändert.",
        CauseCode.PARTICIPANT_CANCELLED: "Eine andere Person nimmt nicht mehr teil.",
        CauseCode.ORGANISATION_CHANGED: "Die Angaben zu einer Organisation haben sich geändert.",
        CauseCode.EDITION_CHANGED: "Der Veranstalter hat Programm, Zeiten oder Tische geändert.",
        CauseCode.IMPROVED: "So passen alle Terminpläne besser zusammen.",
        CauseCode.ORGANISER_EDITED: "Der Veranstalter hat dies geändert.",
        CauseCode.ATTENDANCE_REPORTED: "Eine andere Person wurde als abwesend gemeldet.",
        CauseCode.CHECKED_IN: "Eine andere Person ist eingetroffen.",
    },
)
_ITALIAN: Final = CausePhrases(
    own={
        CauseCode.PAIR_GRANTED: "Questo incontro è stato concordato.",
        CauseCode.PAIR_REVOKED: "L'accordo per questo incontro è stato ritirato.",
        CauseCode.PARTICIPANT_CHANGED: "I Suoi dati o i Suoi orari sono cambiati.",
        CauseCode.PARTICIPANT_CANCELLED: "La Sua iscrizione è terminata.",
        CauseCode.ATTENDANCE_REPORTED: "L'organizzazione ha registrato le presenze a questo incontro.",
        CauseCode.CHECKED_IN: "Il Suo arrivo è stato registrato.",
    },
    partner={
        CauseCode.PARTICIPANT_CHANGED: "I dati o gli orari di {partner} sono cambiati.",
        CauseCode.PARTICIPANT_CANCELLED: "{partner} non partecipa più.",
        CauseCode.ORGANISATION_CHANGED: "I dati di {partner} sono cambiati.",
        CauseCode.CHECKED_IN: "L'arrivo di {partner} è stato registrato.",
    },
    others={
        CauseCode.PAIR_GRANTED: "Questo cambiamento fa posto a un altro incontro concordato.",
        CauseCode.PAIR_REVOKED: "Un altro incontro ha lasciato un orario libero.",
        CauseCode.PARTICIPANT_CHANGED: "I dati o gli orari di un altro partecipante sono cambiati.",
        CauseCode.PARTICIPANT_CANCELLED: "Un altro partecipante non viene più.",
        CauseCode.ORGANISATION_CHANGED: "I dati di un'organizzazione sono cambiati.",
        CauseCode.EDITION_CHANGED: "L'organizzazione dell'evento ha cambiato il programma, gli orari o i tavoli.",
        CauseCode.IMPROVED: "Così le agende di tutti si incastrano meglio.",
        CauseCode.ORGANISER_EDITED: "L'organizzazione dell'evento ha fatto questo cambiamento.",
        CauseCode.ATTENDANCE_REPORTED: "È stata segnalata l'assenza di un altro partecipante.",
        CauseCode.CHECKED_IN: "È arrivato un altro partecipante.",
    },
)
CAUSE_PHRASES: Final[dict[Language, CausePhrases]] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
    Language.FRENCH: _FRENCH,
    Language.GERMAN: _GERMAN,
    Language.ITALIAN: _ITALIAN,
}
