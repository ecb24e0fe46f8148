"""The calendar that a feed has served: it is kept to cancel the entries that are gone, and to date the last change."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.notify.domain.digest import mail_content
from services.notify.domain.snapshots import FrozenModel
from services.notify.domain.state import Audience
from services.notify.domain.told_calendar import ToldCalendar, next_calendar
from shared.contract.events import Instant

#: Time for which a cancelled entry stays in a feed.
CANCELLED_FOR = timedelta(days=30)


class FeedDocument(FrozenModel):
    """The calendar that a feed serves, and the time of its last change. `edit` counts the writes."""

    calendar: ToldCalendar = ToldCalendar()
    name: str = ""
    changed_at: Instant | None = None
    edit: int = 0

    def next(self, audience: Audience, participant_id: str, now: datetime) -> FeedDocument:
        """Return the document after the newest agenda; the same document if a reader would see the same."""
        content, version = mail_content(audience, participant_id), audience.versions.get(participant_id, 0)
        calendar = next_calendar(audience, participant_id, content, self.calendar, version, now)
        kept = tuple(
            entry
            for entry in calendar.entries
            if entry.cancelled_at is None or now - entry.cancelled_at < CANCELLED_FOR
        )
        name = audience.edition.name if audience.edition else ""
        if self.changed_at and kept == self.calendar.entries and name == self.name:
            return self
        return FeedDocument(
            calendar=calendar.model_copy(update={"entries": kept}), name=name, changed_at=now, edit=self.edit
        )


def shown_state(audience: Audience, participant_id: str) -> tuple[object, ...]:
    """Return the revisions of all that a participant's feed is made of: equal states serve equal feeds."""
    edition, agenda = audience.edition, audience.agendas[participant_id]
    people = {party.participant_id for entry in agenda.entries for party in entry.parties} | {participant_id}
    houses = {party.organisation_id or "" for entry in agenda.entries for party in entry.parties}
    contacts = (audience.contacts.get(person_id) for person_id in sorted(people))
    organisations = (audience.organisations.get(house_id) for house_id in sorted(houses))
    matches = (audience.match_of(participant_id, person_id) for person_id in sorted(people))
    return (
        edition.revision if edition else 0,
        agenda.revision,
        audience.versions.get(participant_id, 0),
        *(snapshot.revision if snapshot else 0 for group in (contacts, organisations, matches) for snapshot in group),
    )
