"""Who has something to hear: events in; out come the changes of the audience, and the deliveries wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.notify.domain.audience import (
    Agenda,
    AgendaRecorded,
    Audience,
    Change,
    Contact,
    ContactRecorded,
    DeliveryWanted,
    Edition,
    EditionRecorded,
    Match,
    MatchRecorded,
    Organisation,
    OrganisationRecorded,
    VersionRaised,
)
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    Consent,
    EditionChanged,
    Event,
    OrganisationChanged,
    ParticipantChanged,
    content_of,
)


@dataclass
class Stirred:
    """Whom a batch may have given something to hear: by name, as those who meet `subjects`, or everybody."""

    participants: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)
    everybody: bool = False
    #: When what changed in a participant's agenda begins, the first of it.
    soonest: dict[str, datetime] = field(default_factory=dict)

    def changes(self, participant_id: str, starts: Iterable[datetime]) -> None:
        """Note when lines of an agenda begin that are not as they were."""
        known = self.soonest.get(participant_id)
        first = min(starts, default=known)
        if first is not None:
            self.soonest[participant_id] = min(first, known or first)

    def among(self, audience: Audience) -> list[str]:
        """The participants to tell, sorted. Those who cannot be told yet stir again when the missing part comes."""
        stirred = set(self.participants)
        if self.everybody or self.subjects:
            stirred.update(
                participant_id
                for participant_id, agenda in audience.agendas.items()
                if self.everybody or agenda.names(self.subjects)
            )
        return sorted(filter(audience.can_tell, stirred))


def hear(state: Audience, events: Sequence[Event], now: datetime) -> tuple[list[Change], list[DeliveryWanted]]:
    """Note what is newer, then raise the version of, and want a delivery to, everyone it gave something to hear.

    A participant whom several events concern is wanted once. The changes returned are applied already.
    """
    stirred = Stirred()
    noted = [change for event in events if (change := _note(state, event, stirred, now))]
    raised = [_raise(state, participant_id) for participant_id in stirred.among(state)]
    return [*noted, *raised], [
        _want(state, change, now, stirred.soonest.get(change.participant_id)) for change in raised
    ]


def evolve(state: Audience, change: Change) -> None:
    """Apply a change: the only function that changes an audience."""
    match change:
        case EditionRecorded():
            state.edition = change.edition
        case OrganisationRecorded():
            state.organisations[change.organisation_id] = change.organisation
        case ContactRecorded():
            state.contacts[change.participant_id] = change.contact
        case AgendaRecorded():
            state.agendas[change.participant_id] = change.agenda
        case MatchRecorded():
            state.matches[change.pair_id] = change.match
        case VersionRaised():
            state.versions[change.participant_id] = change.version


def reach(state: Audience, participant_id: str, version: int) -> list[Change]:
    """Have a participant's version be at least this one: nothing to do on any state new enough to have wanted it."""
    if state.versions.get(participant_id, 0) >= version:
        return []
    change = VersionRaised(participant_id=participant_id, version=version)
    evolve(state, change)
    return [change]


def _raise(state: Audience, participant_id: str) -> VersionRaised:
    change = VersionRaised(participant_id=participant_id, version=state.versions.get(participant_id, 0) + 1)
    evolve(state, change)
    return change


def _note(state: Audience, event: Event, stirred: Stirred, now: datetime) -> Change | None:
    """Apply an event if it is newer than what is known, and say whom it stirs."""
    change: Change | None = None
    match event:
        case EditionChanged() if _is_newer(event, state.edition):
            change = _note_edition(state, Edition.of(event), stirred)
        case OrganisationChanged() if _is_newer(event, state.organisations.get(event.organisation_id)):
            change = _note_organisation(state, event.organisation_id, Organisation.of(event), stirred)
        case ParticipantChanged() if _is_newer(event, state.contacts.get(event.participant_id)):
            change = _note_contact(state, event.participant_id, Contact.of(event), stirred)
        case AgendaChanged(provisional=True):
            pass  # nobody is mailed before the announcement, and what is announced stays so
        case AffinityScored(consent=Consent.GRANTED) if _is_newer(event, state.matches.get(event.pair_id)):
            # Why they meet is told along with the agenda: it is no news by itself.
            match_ = Match.of(event)
            if not match_.is_as(state.matches.get(event.pair_id)):
                change = MatchRecorded(pair_id=event.pair_id, match=match_)
        case AgendaChanged() if _is_newer(event, state.agendas.get(event.participant_id)):
            stirred.participants.add(event.participant_id)
            known = state.agendas.get(event.participant_id)
            stirred.changes(event.participant_id, _begin(known.entries if known else (), event.entries, now))
            change = AgendaRecorded(participant_id=event.participant_id, agenda=Agenda.of(event))
    if change:
        evolve(state, change)
    return change


def _is_newer(event: Event, known: Edition | Organisation | Contact | Agenda | Match | None) -> bool:
    return known is None or event.revision > known.revision


def _note_edition(state: Audience, edition: Edition, stirred: Stirred) -> EditionRecorded:
    """Another time zone or other zones change what every agenda says; another phase or name does not."""
    known = state.edition
    stirred.everybody |= known is None or (known.timezone, known.zones) != (edition.timezone, edition.zones)
    return EditionRecorded(edition=edition)


def _note_organisation(
    state: Audience, organisation_id: str, organisation: Organisation, stirred: Stirred
) -> OrganisationRecorded:
    """Those who meet it hear when its name becomes known; a corrected name waits for their next mail."""
    if organisation_id not in state.organisations:
        stirred.subjects.add(organisation_id)
    return OrganisationRecorded(organisation_id=organisation_id, organisation=organisation)


def _note_contact(state: Audience, participant_id: str, contact: Contact, stirred: Stirred) -> ContactRecorded:
    """Another address means another person: those who meet them hear too. A corrected name waits for the next mail."""
    known = state.contacts.get(participant_id)
    if known is None or not contact.is_as(known):
        stirred.participants.add(participant_id)
    if known is None or contact.email != known.email:
        stirred.subjects.add(participant_id)
    return ContactRecorded(participant_id=participant_id, contact=contact)


def _begin(before: Iterable[AgendaEntry], after: Iterable[AgendaEntry], now: datetime) -> list[datetime]:
    """When the lines begin that only one of two agendas has, and that are not over. Sequence numbers are no change."""
    was, is_now = ({content_of(entry): entry for entry in entries} for entries in (before, after))
    changed = ((was | is_now)[content] for content in was.keys() ^ is_now.keys())
    return [entry.starts_at for entry in changed if entry.ends_at > now]


def _want(state: Audience, raised: VersionRaised, now: datetime, soonest: datetime | None) -> DeliveryWanted:
    edition = state.edition
    assert edition is not None  # noqa: S101 - `can_tell` holds for whom a version is raised
    return DeliveryWanted(
        operator_id=edition.operator_id,
        edition_id=state.edition_id,
        participant_id=raised.participant_id,
        version=raised.version,
        agenda_revision=state.agendas[raised.participant_id].revision,
        wanted_at=now,
        soonest=soonest,
    )
