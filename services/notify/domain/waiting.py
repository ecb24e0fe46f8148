"""The phrases about encounters that wait: the reason, and the remedy that the scheduler found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.contract.events import Language, Remedy, RemedyKind, RemedyStep, WaitingEncounter, WaitingReason


@dataclass(frozen=True)
class WaitingPhrases:
    """The phrases of a language. The sentence of a remedy fills in the fields in braces."""

    heading: str
    reasons: dict[WaitingReason, str]
    remedy: str
    steps: dict[RemedyKind, str]
    further_tables: str
    another_waits: str
    others_move: str


@dataclass(frozen=True)
class WaitingWords:
    """The words of a participant's mail: the name of a participant and of a zone, and a time in the edition's zone."""

    person: Callable[[str], str]
    zone: Callable[[str], str]
    time: Callable[[datetime], str]


def sentences_of(waiting: WaitingEncounter, phrases: WaitingPhrases, words: WaitingWords) -> tuple[str, ...]:
    """Return the reason of a waiting encounter and its remedy, if the scheduler has found one, as sentences."""
    reason = phrases.reasons[waiting.reason]
    return (reason, _remedy(waiting.remedy, phrases, words)) if waiting.remedy else (reason,)


def _remedy(remedy: Remedy, phrases: WaitingPhrases, words: WaitingWords) -> str:
    steps = [_step(step, phrases, words) for step in remedy.steps]
    if remedy.lost_ids:
        steps.append(phrases.another_waits)
    elif remedy.moved_ids:
        steps.append(phrases.others_move)
    time, as_of = words.time(remedy.place.starts_at), words.time(remedy.as_of)
    return phrases.remedy.format(time=time, steps="; ".join(steps), as_of=as_of)


def _step(step: RemedyStep, phrases: WaitingPhrases, words: WaitingWords) -> str:
    is_many = step.kind is RemedyKind.TABLE and (step.tables or 1) > 1
    return (phrases.further_tables if is_many else phrases.steps[step.kind]).format(
        person=words.person(step.participant_id) if step.participant_id else "",
        zone=words.zone(step.zone_id) if step.zone_id else "",
        time=words.time(step.time.starts_at) if step.time else "",
        quota=step.quota,
        tables=step.tables,
    )


_SPANISH = WaitingPhrases(
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
_ENGLISH = WaitingPhrases(
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
_PORTUGUESE = WaitingPhrases(
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

WAITING_PHRASES: dict[Language, WaitingPhrases] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
}
