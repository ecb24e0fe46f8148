"""The phrases of the mails in French."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

PHRASES: Final = Phrases(
    locale="fr_FR",
    colon="\u00a0:",
    subject_whole="Votre agenda pour {edition}",
    subject_changed="Votre agenda a changé (rendez-vous\u00a0: {counts}) - {edition}",
    subject_details="Informations mises à jour dans votre agenda - {edition}",
    subject_emptied="Votre agenda est désormais vide - {edition}",
    greeting="Bonjour {name},",
    intro_whole="Voici votre agenda complet pour {edition}.",
    intro_changed="Votre agenda pour {edition} a changé. Voici ce qui change par rapport à notre dernier e-mail\u00a0:",
    intro_details="Des informations de votre agenda pour {edition} ont changé. Voici la version à jour.",
    intro_emptied="Votre agenda pour {edition} est désormais vide\u00a0: vous n'avez plus ni rendez-vous ni session.",
    subject_left="Vous ne participez plus à {edition}",
    intro_left="{successor} prend désormais votre place à {edition}. Le fichier joint retire les rendez-vous de votre "
    "calendrier.",
    intro_successor="Vous prenez la place de {former} à {edition}. Voici votre agenda complet.",
    subject_ended="Votre inscription à {edition} a pris fin",
    intro_ended="Votre inscription à {edition} a pris fin, et vos rendez-vous avec elle. Le fichier joint les retire "
    "de votre calendrier.",
    footer_left="Vous recevez cet e-mail parce que vous participiez à {edition}.",
    intro_invitation="Ce rendez-vous commence bientôt et a changé. Cet e-mail met votre calendrier à jour.",
    intro_cancellation="Ce rendez-vous, qui devait bientôt commencer, est annulé. Cet e-mail le retire de votre "
    "calendrier.",
    heading_changes="Ce qui a changé",
    heading_agenda="Votre agenda",
    local_times="Heures locales\u00a0: {zone}",
    table="table {table}",
    encounter="Rendez-vous avec {organisation}",
    to_be_confirmed="à confirmer",
    erased_person="une personne qui ne participe plus",
    before="avant",
    calendar_hint="Le fichier agenda.ics joint contient ce même agenda pour votre calendrier.",
    footer="Vous recevez cet e-mail parce que vous participez à {edition}.",
    waits="Vous êtes sur liste d'attente pour\u00a0: {sessions}. Si une place se libère pour vous, elle apparaîtra "
    "dans votre agenda.",
    feed_hint="Abonnez votre calendrier à cet agenda pour suivre chaque changement",
    page_hint="Voir l'agenda à jour",
    venue="Lieu",
    questions="Des questions ? Écrivez ou appelez ici",
    dropped="Ne figure plus dans votre agenda",
    kinds={
        DiffKind.ADDED: "Nouveau",
        DiffKind.MOVED: "Déplacé",
        DiffKind.TABLE: "Changement de table",
        DiffKind.CHANGED: "Modifié",
        DiffKind.REMOVED: "Annulé",
    },
    counts={
        DiffKind.ADDED: Counted("1 nouveau", "{n} nouveaux"),
        DiffKind.MOVED: Counted("1 déplacé", "{n} déplacés"),
        DiffKind.TABLE: Counted("1 à une autre table", "{n} à une autre table"),
        DiffKind.CHANGED: Counted("1 modifié", "{n} modifiés"),
        DiffKind.REMOVED: Counted("1 annulé", "{n} annulés"),
    },
)
