"""The phrases of the mails in Spanish."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

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
    intro_left="{successor} ocupa ahora su lugar en {edition}. El archivo adjunto retira las citas de su calendario.",
    intro_successor="Usted ocupa el lugar de {former} en {edition}. Esta es su agenda completa.",
    subject_ended="Su inscripción en {edition} ha terminado",
    intro_ended="Su inscripción en {edition} ha terminado y, con ella, sus citas. El archivo adjunto las retira de su "
    "calendario.",
    footer_left="Recibe este correo porque participaba en {edition}.",
    intro_invitation="Esta cita empieza pronto y ha cambiado. Su calendario recoge el cambio de este correo.",
    intro_cancellation="Esta cita, que empezaba pronto, se ha cancelado. Su calendario la retira con este correo.",
    heading_changes="Qué ha cambiado",
    heading_agenda="Su agenda",
    local_times="Horas locales: {zone}",
    table="mesa {table}",
    encounter="Encuentro con {organisation}",
    to_be_confirmed="por confirmar",
    erased_person="una persona que ya no participa",
    before="antes",
    calendar_hint="El archivo agenda.ics adjunto contiene esta misma agenda para su calendario.",
    footer="Recibe este correo porque participa en {edition}.",
    waits="Espera una plaza en: {sessions}. Si queda una libre, aparecerá en su agenda.",
    feed_hint="Suscriba su calendario a esta agenda: recogerá cada cambio",
    page_hint="Ver la agenda al día",
    venue="Lugar",
    questions="¿Preguntas? Escriba o llame a",
    dropped="Ya no está en su agenda",
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
