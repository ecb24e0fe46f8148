"""The phrases of the mails in Spanish."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases, ReasonPhrases, WaitingPhrases
from shared.contract.events import RemedyKind, WaitingReason

PHRASES: Final = Phrases(
    locale="es_ES",
    colon=":",
    subject_whole="Su agenda de {edition}",
    subject_changed="Su agenda ha cambiado (citas: {counts}) - {edition}",
    subject_details="Datos actualizados en su agenda - {edition}",
    subject_emptied="Su agenda ha quedado vacía - {edition}",
    greeting="Hola, {name}:",
    intro_whole="Esta es su agenda completa de {edition}.",
    intro_changed="Su agenda de {edition} ha cambiado. Esto es lo que cambia respecto a nuestro correo anterior:",
    intro_details="Han cambiado datos de su agenda de {edition}. Esta es la versión vigente.",
    intro_emptied="Su agenda de {edition} ha quedado vacía: ya no tiene encuentros ni sesiones.",
    subject_left="Ya no participa en {edition}",
    intro_left="Otra persona ocupa ahora su lugar en {edition}. El archivo adjunto retira las citas de su calendario.",
    footer_left="Recibe este correo porque participaba en {edition}.",
    intro_invitation="Esta cita empieza pronto y ha cambiado. Su calendario recoge el cambio de este correo.",
    intro_cancellation="Esta cita, que empezaba pronto, se ha cancelado. Su calendario la retira con este correo.",
    heading_changes="Qué ha cambiado",
    heading_agenda="Su agenda",
    local_times="Horas locales: {zone}",
    table="mesa {table}",
    encounter="Encuentro con {organisation}",
    to_be_confirmed="por confirmar",
    before="antes",
    calendar_hint="El archivo agenda.ics adjunto contiene esta misma agenda para su calendario.",
    footer="Recibe este correo porque participa en {edition}.",
    waits="Espera una plaza en: {sessions}. Si queda una libre, aparecerá en su agenda.",
    feed_hint="Suscriba su calendario a esta agenda: recogerá cada cambio",
    page_hint="Ver la agenda al día",
    kinds={
        DiffKind.ADDED: "Nuevo",
        DiffKind.MOVED: "Movido",
        DiffKind.TABLE: "Cambio de mesa",
        DiffKind.CHANGED: "Cambiado",
        DiffKind.REMOVED: "Cancelado",
    },
    counts={
        DiffKind.ADDED: Counted("1 nueva", "{n} nuevas"),
        DiffKind.MOVED: Counted("1 movida", "{n} movidas"),
        DiffKind.TABLE: Counted("1 con otra mesa", "{n} con otra mesa"),
        DiffKind.CHANGED: Counted("1 cambiada", "{n} cambiadas"),
        DiffKind.REMOVED: Counted("1 cancelada", "{n} canceladas"),
    },
)
REASONS: Final = ReasonPhrases(
    they_offer="Ofrecen lo que usted busca: «{offer}».",
    they_need="Buscan lo que usted ofrece: «{need}».",
    both="Ofrecen lo que usted busca («{offer}») y buscan lo que usted ofrece («{need}»).",
    also="En común: {reasons}.",
    near="Su actividad es cercana a la de usted: {names}.",
    asked="Encuentro pedido por una de las dos partes.",
    you_asked="Usted pidió este encuentro.",
    they_asked="Pidieron reunirse con usted.",
    both_asked="Ambas partes pidieron este encuentro.",
    terms={
        "sector": "la actividad ({names})",
        "kets": "tecnología: {names}",
        "s3": "prioridad regional: {names}",
        "shared_codes": "{names}",
        "cooperation": "la cooperación que buscan: {names}",
        "met_before": "ya se reunieron en una edición anterior",
    },
    names={
        "coop:rd": "proyecto de I+D",
        "coop:commercial": "acuerdo comercial",
        "coop:sale": "compra y venta",
        "coop:purchase": "compra y venta",
        "ket:biotechnology": "biotecnología",
        "coop:internationalisation": "internacionalización",
    },
    tell_more="Apenas sabemos qué busca y qué ofrece: complete su perfil y podremos proponerle mejores encuentros.",
)
WAITING: Final = WaitingPhrases(
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
