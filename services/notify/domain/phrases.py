"""The phrases of the mails in every language."""

from __future__ import annotations

from dataclasses import dataclass

from services.notify.domain.digest import DiffKind
from shared.contract.events import Language


@dataclass(frozen=True)
class Counted:
    """The singular and the plural of a phrase. `{n}` stands for the number."""

    singular: str
    plural: str

    def of(self, number: int) -> str:
        """Return the phrase for a number."""
        return self.singular if number == 1 else self.plural.format(n=number)


@dataclass(frozen=True)
class Phrases:
    """The phrases of a language. The page fills in the fields in braces."""

    locale: str
    subject_whole: str
    subject_changed: str
    subject_details: str
    subject_emptied: str
    greeting: str
    intro_whole: str
    intro_changed: str
    intro_details: str
    intro_emptied: str
    subject_left: str
    intro_left: str
    footer_left: str
    intro_invitation: str
    intro_cancellation: str
    heading_changes: str
    heading_agenda: str
    local_times: str
    table: str
    encounter: str
    to_be_confirmed: str
    before: str
    calendar_hint: str
    footer: str
    waits: str
    feed_hint: str
    page_hint: str
    kinds: dict[DiffKind, str]
    counts: dict[DiffKind, Counted]


_SPANISH = Phrases(
    locale="es_ES",
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
_ENGLISH = Phrases(
    locale="en_GB",
    subject_whole="Your agenda for {edition}",
    subject_changed="Your agenda has changed ({counts}) - {edition}",
    subject_details="Updated details in your agenda - {edition}",
    subject_emptied="Your agenda is now empty - {edition}",
    greeting="Hello {name},",
    intro_whole="This is your whole agenda for {edition}.",
    intro_changed="Your agenda for {edition} has changed. This is what differs from our last e-mail:",
    intro_details="Details of your agenda for {edition} have changed. This is how it stands now.",
    intro_emptied="Your agenda for {edition} is now empty: you have no encounters or sessions any more.",
    subject_left="You no longer take part in {edition}",
    intro_left="Another person now has your place at {edition}. The attached file takes the appointments out of your "
    "calendar.",
    footer_left="You receive this e-mail because you took part in {edition}.",
    intro_invitation="This appointment begins soon and has changed. Your calendar takes the change from this e-mail.",
    intro_cancellation="This appointment, soon to begin, is cancelled. This e-mail takes it out of your calendar.",
    heading_changes="What has changed",
    heading_agenda="Your agenda",
    local_times="Local times: {zone}",
    table="table {table}",
    encounter="Encounter with {organisation}",
    to_be_confirmed="to be confirmed",
    before="before",
    calendar_hint="The attached agenda.ics holds this same agenda for your calendar.",
    footer="You receive this e-mail because you take part in {edition}.",
    waits="You wait for a seat in: {sessions}. If a seat is freed for you, it appears in your agenda.",
    feed_hint="Subscribe your calendar to this agenda: it follows every change",
    page_hint="See the agenda as it stands",
    kinds={
        DiffKind.ADDED: "New",
        DiffKind.MOVED: "Moved",
        DiffKind.TABLE: "Another table",
        DiffKind.CHANGED: "Changed",
        DiffKind.REMOVED: "Cancelled",
    },
    counts={
        DiffKind.ADDED: Counted("1 new", "{n} new"),
        DiffKind.MOVED: Counted("1 moved", "{n} moved"),
        DiffKind.TABLE: Counted("1 at another table", "{n} at another table"),
        DiffKind.CHANGED: Counted("1 changed", "{n} changed"),
        DiffKind.REMOVED: Counted("1 cancelled", "{n} cancelled"),
    },
)
_PORTUGUESE = Phrases(
    locale="pt_PT",
    subject_whole="A sua agenda de {edition}",
    subject_changed="A sua agenda mudou (compromissos: {counts}) - {edition}",
    subject_details="Dados atualizados na sua agenda - {edition}",
    subject_emptied="A sua agenda ficou vazia - {edition}",
    greeting="Olá, {name}:",
    intro_whole="Esta é a sua agenda completa de {edition}.",
    intro_changed="A sua agenda de {edition} mudou. Eis o que muda em relação ao nosso último e-mail:",
    intro_details="Mudaram dados da sua agenda de {edition}. Esta é a versão em vigor.",
    intro_emptied="A sua agenda de {edition} ficou vazia: já não tem encontros nem sessões.",
    subject_left="Já não participa em {edition}",
    intro_left="Outra pessoa ocupa agora o seu lugar em {edition}. O ficheiro em anexo retira os compromissos do seu "
    "calendário.",
    footer_left="Recebe este e-mail porque participava em {edition}.",
    intro_invitation="Este compromisso começa em breve e mudou. O seu calendário recolhe a alteração deste e-mail.",
    intro_cancellation="Este compromisso, que ia começar, foi cancelado. Este e-mail retira-o do seu calendário.",
    heading_changes="O que mudou",
    heading_agenda="A sua agenda",
    local_times="Horas locais: {zone}",
    table="mesa {table}",
    encounter="Encontro com {organisation}",
    to_be_confirmed="por confirmar",
    before="antes",
    calendar_hint="O ficheiro agenda.ics em anexo contém esta mesma agenda para o seu calendário.",
    footer="Recebe este e-mail porque participa em {edition}.",
    waits="Aguarda um lugar em: {sessions}. Se ficar um livre, aparecerá na sua agenda.",
    feed_hint="Subscreva esta agenda no seu calendário: acompanha cada alteração",
    page_hint="Ver a agenda atualizada",
    kinds={
        DiffKind.ADDED: "Novo",
        DiffKind.MOVED: "Movido",
        DiffKind.TABLE: "Mudança de mesa",
        DiffKind.CHANGED: "Alterado",
        DiffKind.REMOVED: "Cancelado",
    },
    counts={
        DiffKind.ADDED: Counted("1 novo", "{n} novos"),
        DiffKind.MOVED: Counted("1 movido", "{n} movidos"),
        DiffKind.TABLE: Counted("1 com outra mesa", "{n} com outra mesa"),
        DiffKind.CHANGED: Counted("1 alterado", "{n} alterados"),
        DiffKind.REMOVED: Counted("1 cancelado", "{n} cancelados"),
    },
)

PHRASES: dict[Language, Phrases] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
}
