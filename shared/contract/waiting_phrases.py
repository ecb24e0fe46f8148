"""The phrases about encounters that wait, in every language of participants: for mails and for exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.contract.events import Language, RemedyKind, WaitingReason


@dataclass(frozen=True)
class WaitingPhrases:
    """The phrases about an encounter that waits. The sentence of a remedy fills in the fields in braces."""

    heading: str
    reasons: dict[WaitingReason, str]
    remedy: str
    steps: dict[RemedyKind, str]
    further_tables: str
    another_waits: str
    others_move: str
    separator: str = "; "


_SPANISH: Final = WaitingPhrases(
    heading="Encuentros en espera de hueco (a {as_of})",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "Los participantes no coinciden a ninguna hora.",
        WaitingReason.QUOTA_REACHED: "Un participante tiene ya todos los encuentros que permite la edición.",
        WaitingReason.NO_SLOT_IN_ORDER: "No queda hora en el orden de encuentros que fijó la organización.",
        WaitingReason.NO_TABLE: "No hay mesa libre cuando los participantes lo están.",
        WaitingReason.AGENDAS_FULL: "Los participantes no tienen ninguna hora libre en común.",
        WaitingReason.EDITION_UNKNOWN: "Los datos de la edición se están preparando.",
        WaitingReason.PARTICIPANT_UNKNOWN: "Los datos de un participante se están preparando.",
    },
    remedy="Podría celebrarse el {time} con: {steps}. (Situación a {as_of})",
    steps={
        RemedyKind.HOURS: "disponibilidad de {person} el {time}",
        RemedyKind.SESSION: "{person} sin asistir a la sesión de esa hora",
        RemedyKind.QUOTA: "un máximo de {quota} encuentros por participante",
        RemedyKind.TABLE: "una mesa más en {zone}",
        RemedyKind.SLOT: "una hora más al final del último día",
        RemedyKind.GUEST: "el encuentro sin {person}",
        RemedyKind.ORDER: "otro orden de los encuentros",
        RemedyKind.UNLOCK: "un encuentro sin bloquear",
        RemedyKind.PLACE: "un cambio a mano de la organización",
    },
    further_tables="{tables} mesas más en {zone}",
    another_waits="otro encuentro quedaría en espera",
    others_move="otros encuentros cambiarían de hora o de mesa",
)
_ENGLISH: Final = WaitingPhrases(
    heading="Encounters that wait for a place (as of {as_of})",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "The participants are present together at no time.",
        WaitingReason.QUOTA_REACHED: "A participant has as many encounters as the edition allows.",
        WaitingReason.NO_SLOT_IN_ORDER: "No time is left in the order of encounters that the organiser set.",
        WaitingReason.NO_TABLE: "No table is free when the participants are.",
        WaitingReason.AGENDAS_FULL: "The participants have no free time in common.",
        WaitingReason.EDITION_UNKNOWN: "The data of the edition are being prepared.",
        WaitingReason.PARTICIPANT_UNKNOWN: "The data of a participant are being prepared.",
    },
    remedy="It could be held on {time} with: {steps}. (As of {as_of})",
    steps={
        RemedyKind.HOURS: "{person} present on {time}",
        RemedyKind.SESSION: "{person} leaving out the session at that time",
        RemedyKind.QUOTA: "up to {quota} encounters for each participant",
        RemedyKind.TABLE: "one more table in {zone}",
        RemedyKind.SLOT: "a longer last day",
        RemedyKind.GUEST: "the encounter without {person}",
        RemedyKind.ORDER: "another order of the encounters",
        RemedyKind.UNLOCK: "an encounter unlocked",
        RemedyKind.PLACE: "a change by the organiser's hand",
    },
    further_tables="{tables} more tables in {zone}",
    another_waits="another encounter would wait",
    others_move="other encounters would change their time or table",
)
_PORTUGUESE: Final = WaitingPhrases(
    heading="Encontros à espera de lugar (em {as_of})",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "Os participantes não coincidem em nenhuma hora.",
        WaitingReason.QUOTA_REACHED: "Um participante já tem todos os encontros que a edição permite.",
        WaitingReason.NO_SLOT_IN_ORDER: "Não resta hora na ordem de encontros que a organização definiu.",
        WaitingReason.NO_TABLE: "Não há mesa livre quando os participantes o estão.",
        WaitingReason.AGENDAS_FULL: "Os participantes não têm nenhuma hora livre em comum.",
        WaitingReason.EDITION_UNKNOWN: "Os dados da edição estão a ser preparados.",
        WaitingReason.PARTICIPANT_UNKNOWN: "Os dados de um participante estão a ser preparados.",
    },
    remedy="Poderia realizar-se em {time} com: {steps}. (Situação em {as_of})",
    steps={
        RemedyKind.HOURS: "disponibilidade de {person} em {time}",
        RemedyKind.SESSION: "{person} sem assistir à sessão dessa hora",
        RemedyKind.QUOTA: "um máximo de {quota} encontros por participante",
        RemedyKind.TABLE: "mais uma mesa em {zone}",
        RemedyKind.SLOT: "mais uma hora no fim do último dia",
        RemedyKind.GUEST: "o encontro sem {person}",
        RemedyKind.ORDER: "outra ordem dos encontros",
        RemedyKind.UNLOCK: "um encontro desbloqueado",
        RemedyKind.PLACE: "uma alteração à mão da organização",
    },
    further_tables="mais {tables} mesas em {zone}",
    another_waits="outro encontro ficaria à espera",
    others_move="outros encontros mudariam de hora ou de mesa",
)
_FRENCH: Final = WaitingPhrases(
    heading="Rendez-vous en attente d'une place (situation au {as_of})",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "Les participants ne sont présents ensemble à aucun moment.",
        WaitingReason.QUOTA_REACHED: "Un participant a déjà tous les rendez-vous que permet l'édition.",
        WaitingReason.NO_SLOT_IN_ORDER: "Il ne reste aucun horaire dans l'ordre des rendez-vous fixé par "
        "l'organisation.",
        WaitingReason.NO_TABLE: "Aucune table n'est libre quand les participants le sont.",
        WaitingReason.AGENDAS_FULL: "Les participants n'ont aucun horaire libre en commun.",
        WaitingReason.EDITION_UNKNOWN: "Les données de l'édition sont en préparation.",
        WaitingReason.PARTICIPANT_UNKNOWN: "Les données d'un participant sont en préparation.",
    },
    remedy="Il pourrait avoir lieu le {time} avec\u00a0: {steps}. (Situation au {as_of})",
    steps={
        RemedyKind.HOURS: "{person} sur place le {time}",
        RemedyKind.SESSION: "{person} sans la session prévue à cette heure",
        RemedyKind.QUOTA: "un maximum de {quota} rendez-vous par participant",
        RemedyKind.TABLE: "une table de plus dans la zone {zone}",
        RemedyKind.SLOT: "un horaire de plus à la fin du dernier jour",
        RemedyKind.GUEST: "le rendez-vous sans {person}",
        RemedyKind.ORDER: "un autre ordre des rendez-vous",
        RemedyKind.UNLOCK: "un rendez-vous déverrouillé",
        RemedyKind.PLACE: "une modification manuelle par l'organisation",
    },
    further_tables="{tables} tables de plus dans la zone {zone}",
    another_waits="un autre rendez-vous serait mis en attente",
    others_move="d'autres rendez-vous changeraient d'horaire ou de table",
    separator="\u00a0; ",
)
_GERMAN: Final = WaitingPhrases(
    heading="Treffen, die auf einen Platz warten (Stand: {as_of} Uhr)",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "Die Beteiligten sind zu keiner Zeit gemeinsam anwesend.",
        WaitingReason.QUOTA_REACHED: "Für eine der beteiligten Personen ist die Höchstzahl an Treffen erreicht.",
        WaitingReason.NO_SLOT_IN_ORDER: "In der Reihenfolge der Treffen, die der Veranstalter festgelegt hat, ist "
        "keine Zeit mehr frei.",
        WaitingReason.NO_TABLE: "Wenn die Beteiligten Zeit haben, ist kein Tisch frei.",
        WaitingReason.AGENDAS_FULL: "Die Beteiligten haben keine gemeinsame freie Zeit.",
        WaitingReason.EDITION_UNKNOWN: "Die Daten der Veranstaltung werden vorbereitet.",
        WaitingReason.PARTICIPANT_UNKNOWN: "Die Daten einer der beteiligten Personen werden vorbereitet.",
    },
    remedy="Möglicher Termin: {time} Uhr. Nötig dafür: {steps}. (Stand: {as_of} Uhr)",
    steps={
        RemedyKind.HOURS: "Anwesenheit von {person} am {time} Uhr",
        RemedyKind.SESSION: "{person} ohne den Programmpunkt zu dieser Zeit",
        RemedyKind.QUOTA: "bis zu {quota} Treffen pro Person",
        RemedyKind.TABLE: "ein weiterer Tisch im Bereich {zone}",
        RemedyKind.SLOT: "ein längerer letzter Tag",
        RemedyKind.GUEST: "das Treffen ohne {person}",
        RemedyKind.ORDER: "eine andere Reihenfolge der Treffen",
        RemedyKind.UNLOCK: "die Freigabe eines gesperrten Treffens",
        RemedyKind.PLACE: "eine Änderung von Hand durch den Veranstalter",
    },
    further_tables="{tables} weitere Tische im Bereich {zone}",
    another_waits="ein anderes Treffen müsste warten",
    others_move="andere Treffen bekämen eine andere Zeit oder einen anderen Tisch",
)
_ITALIAN: Final = WaitingPhrases(
    heading="Incontri in attesa di un posto (situazione a {as_of})",
    reasons={
        WaitingReason.NO_COMMON_SLOT: "I partecipanti non sono presenti insieme in nessun momento.",
        WaitingReason.QUOTA_REACHED: "Un partecipante ha già tutti gli incontri che l'edizione consente.",
        WaitingReason.NO_SLOT_IN_ORDER: "Non resta alcun orario nell'ordine degli incontri fissato "
        "dall'organizzazione.",
        WaitingReason.NO_TABLE: "Nessun tavolo è libero quando lo sono i partecipanti.",
        WaitingReason.AGENDAS_FULL: "I partecipanti non hanno alcun orario libero in comune.",
        WaitingReason.EDITION_UNKNOWN: "I dati dell'edizione sono in preparazione.",
        WaitingReason.PARTICIPANT_UNKNOWN: "I dati di un partecipante sono in preparazione.",
    },
    remedy="Potrebbe tenersi {time} con: {steps}. (Situazione a {as_of})",
    steps={
        RemedyKind.HOURS: "{person} sul posto {time}",
        RemedyKind.SESSION: "{person} senza la sessione di quell'ora",
        RemedyKind.QUOTA: "un massimo di {quota} incontri per partecipante",
        RemedyKind.TABLE: "un tavolo in più nella zona {zone}",
        RemedyKind.SLOT: "un orario in più alla fine dell'ultimo giorno",
        RemedyKind.GUEST: "l'incontro senza {person}",
        RemedyKind.ORDER: "un altro ordine degli incontri",
        RemedyKind.UNLOCK: "un incontro sbloccato",
        RemedyKind.PLACE: "una modifica manuale dell'organizzazione",
    },
    further_tables="{tables} tavoli in più nella zona {zone}",
    another_waits="un altro incontro resterebbe in attesa",
    others_move="altri incontri cambierebbero orario o tavolo",
)
WAITING_PHRASES: Final[dict[Language, WaitingPhrases]] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
    Language.FRENCH: _FRENCH,
    Language.GERMAN: _GERMAN,
    Language.ITALIAN: _ITALIAN,
}
