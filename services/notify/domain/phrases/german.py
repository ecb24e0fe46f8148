"""The phrases of the mails in German. A sentence after the greeting's comma begins in lower case."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

PHRASES: Final = Phrases(
    locale="de_DE",
    colon=":",
    subject_whole="Ihr Terminplan für {edition}",
    subject_changed="Ihr Terminplan hat sich geändert (Termine: {counts}) - {edition}",
    subject_details="Aktualisierte Angaben in Ihrem Terminplan - {edition}",
    subject_emptied="Ihr Terminplan ist jetzt leer - {edition}",
    greeting="Guten Tag {name},",
    intro_whole="dies ist Ihr vollständiger Terminplan für {edition}.",
    intro_changed="Ihr Terminplan für {edition} hat sich geändert. Das sind die Änderungen seit unserer letzten "
    "E-Mail:",
    intro_details="in Ihrem Terminplan für {edition} haben sich Angaben geändert. Dies ist der aktuelle Stand.",
    intro_emptied="Ihr Terminplan für {edition} ist jetzt leer: Sie haben keine Treffen und keine Programmpunkte mehr.",
    subject_left="Sie nehmen nicht mehr an {edition} teil",
    intro_left="{successor} übernimmt Ihren Platz bei {edition}. Die angehängte Datei entfernt die Termine aus Ihrem "
    "Kalender.",
    intro_successor="Sie übernehmen bei {edition} den Platz von {former}. Dies ist Ihr vollständiger Terminplan.",
    subject_ended="Ihre Anmeldung für {edition} ist beendet",
    intro_ended="Ihre Anmeldung für {edition} ist beendet, Ihre Termine entfallen. Die angehängte Datei entfernt sie "
    "aus Ihrem Kalender.",
    footer_left="Sie erhalten diese E-Mail, weil Sie für {edition} angemeldet waren.",
    intro_invitation="dieser Termin beginnt bald und hat sich geändert. Ihr Kalender übernimmt die Änderung aus dieser "
    "E-Mail.",
    intro_cancellation="dieser Termin, der bald beginnen sollte, ist abgesagt. Diese E-Mail entfernt ihn aus Ihrem "
    "Kalender.",
    heading_changes="Was sich geändert hat",
    heading_agenda="Ihr Terminplan",
    local_times="Ortszeit: {zone}",
    table="Tisch {table}",
    encounter="Treffen mit {organisation}",
    to_be_confirmed="noch offen",
    erased_person="eine nicht mehr teilnehmende Person",
    before="bisher",
    calendar_hint="Die angehängte Datei agenda.ics enthält diesen Terminplan für Ihren Kalender.",
    footer="Sie erhalten diese E-Mail, weil Sie an {edition} teilnehmen.",
    waits="Sie stehen auf der Warteliste für: {sessions}. Wird ein Platz für Sie frei, erscheint er in Ihrem "
    "Terminplan.",
    feed_hint="Abonnieren Sie diesen Terminplan in Ihrem Kalender, damit er jede Änderung übernimmt",
    page_hint="Aktuellen Terminplan ansehen",
    venue="Ort",
    questions="Fragen? Hier hilft man weiter",
    dropped="Nicht mehr in Ihrem Terminplan",
    kinds={
        DiffKind.ADDED: "Neu",
        DiffKind.MOVED: "Verschoben",
        DiffKind.TABLE: "Anderer Tisch",
        DiffKind.CHANGED: "Geändert",
        DiffKind.REMOVED: "Abgesagt",
    },
    counts={
        DiffKind.ADDED: Counted("1 neu", "{n} neu"),
        DiffKind.MOVED: Counted("1 verschoben", "{n} verschoben"),
        DiffKind.TABLE: Counted("1 an einem anderen Tisch", "{n} an einem anderen Tisch"),
        DiffKind.CHANGED: Counted("1 geändert", "{n} geändert"),
        DiffKind.REMOVED: Counted("1 abgesagt", "{n} abgesagt"),
    },
)
