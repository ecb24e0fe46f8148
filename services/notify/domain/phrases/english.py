"""The phrases of the mails in English."""

from __future__ import annotations

from typing import Final

from services.notify.domain.digest import DiffKind
from services.notify.domain.phrases.forms import Counted, Phrases

PHRASES: Final = Phrases(
    locale="en_GB",
    colon=":",
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
    intro_left="{successor} takes over from you at {edition}. The attached file takes the appointments out of your "
    "calendar.",
    intro_successor="You take over from {former} at {edition}. This is your whole agenda.",
    subject_ended="Your registration for {edition} has ended",
    intro_ended="Your registration for {edition} has ended, and your appointments with it. The attached file takes "
    "them out of your calendar.",
    footer_left="You receive this e-mail because you took part in {edition}.",
    intro_invitation="This appointment begins soon and has changed. Your calendar takes the change from this e-mail.",
    intro_cancellation="This appointment, soon to begin, is cancelled. This e-mail takes it out of your calendar.",
    heading_changes="What has changed",
    heading_agenda="Your agenda",
    local_times="Local times: {zone}",
    table="table {table}",
    encounter="Encounter with {organisation}",
    to_be_confirmed="to be confirmed",
    erased_person="a person who no longer takes part",
    before="before",
    calendar_hint="The attached agenda.ics holds this same agenda for your calendar.",
    footer="You receive this e-mail because you take part in {edition}.",
    waits="You wait for a seat in: {sessions}. If a seat is freed for you, it appears in your agenda.",
    feed_hint="Subscribe your calendar to this agenda: it follows every change",
    page_hint="See the agenda as it stands",
    venue="Venue",
    questions="Questions? Ask here",
    dropped="No longer in your agenda",
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
