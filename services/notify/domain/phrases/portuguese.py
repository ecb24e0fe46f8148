"""The phrases of the mails in Portuguese."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

PHRASES: Final = Phrases(
    locale="pt_PT",
    colon=":",
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
    intro_left="{successor} ocupa agora o seu lugar em {edition}. O ficheiro em anexo retira os compromissos do seu "
    "calendário.",
    intro_successor="Ocupa agora o lugar de {former} em {edition}. Esta é a sua agenda completa.",
    subject_ended="A sua inscrição em {edition} terminou",
    intro_ended="A sua inscrição em {edition} terminou e, com ela, os seus compromissos. O ficheiro em anexo retira-os "
    "do seu calendário.",
    footer_left="Recebe este e-mail porque participava em {edition}.",
    intro_invitation="Este compromisso começa em breve e mudou. O seu calendário recolhe a alteração deste e-mail.",
    intro_cancellation="Este compromisso, que ia começar, foi cancelado. Este e-mail retira-o do seu calendário.",
    heading_changes="O que mudou",
    heading_agenda="A sua agenda",
    local_times="Horas locais: {zone}",
    table="mesa {table}",
    encounter="Encontro com {organisation}",
    to_be_confirmed="por confirmar",
    erased_person="uma pessoa que já não participa",
    before="antes",
    calendar_hint="O ficheiro agenda.ics em anexo contém esta mesma agenda para o seu calendário.",
    footer="Recebe este e-mail porque participa em {edition}.",
    waits="Aguarda um lugar em: {sessions}. Se ficar um livre, aparecerá na sua agenda.",
    feed_hint="Subscreva esta agenda no seu calendário: acompanha cada alteração",
    page_hint="Ver a agenda atualizada",
    venue="Local",
    questions="Perguntas? Contacte",
    dropped="Já não está na sua agenda",
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
