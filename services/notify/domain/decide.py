"""Decide which participants an event concerns: its changes of the state, and the deliveries that they cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.notify.domain.changes import (
    AgendaRecorded,
    Change,
    ContactRecorded,
    EditionRecorded,
    MatchRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    VersionRaised,
)
from services.notify.domain.delivery import ChangedLine, DeliveryWanted
from services.notify.domain.evolve import evolve
from services.notify.domain.snapshots import (
    AgendaSnapshot,
    ContactSnapshot,
    EditionSnapshot,
    MatchSnapshot,
    OrganisationSnapshot,
)
from services.notify.domain.state import Audience
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    Consent,
    EditionChanged,
    Event,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
    content_of,
)


@dataclass
class Affected:
    """The participants whose mail a batch of events may change.

    They are `participant_ids`, and the participants with a partner among `met_ids` (participants or organisations).
    With `everybody`, they are all participants of the edition.
    """

    participant_ids: set[str] = field(default_factory=set)
    met_ids: set[str] = field(default_factory=set)
    everybody: bool = False
    #: Changed lines of a participant's agenda: entry id to earliest start.
    changed: dict[str, dict[str, datetime]] = field(default_factory=dict)
    #: Participants whose first announced agenda is in the batch: nothing has changed for them.
    newly_announced: set[str] = field(default_factory=set)
    #: Persons who left their place, as (participant id, number of the person).
    left: list[tuple[str, str]] = field(default_factory=list)

    def note_changed(self, participant_id: str, starts: Mapping[str, datetime]) -> None:
        """Record the changed lines of a participant's agenda: entry id to start, the earliest start counts."""
        known = self.changed.setdefault(participant_id, {})
        for entry_id, start in starts.items():
            known[entry_id] = min(start, known.get(entry_id, start))

    def writable(self, audience: Audience) -> list[str]:
        """List the affected participants who can be written to, sorted by id.

        A participant with a missing part is affected again by the event that brings it.
        """
        affected = set(self.participant_ids)
        if self.everybody or self.met_ids:
            affected.update(
                participant_id
                for participant_id, agenda in audience.agendas.items()
                if self.everybody or agenda.mentions(self.met_ids)
            )
        return sorted(filter(audience.can_write_to, affected))


def decide(state: Audience, events: Sequence[Event], now: datetime) -> tuple[list[Change], list[DeliveryWanted]]:
    """Record newer events, then raise the versions of the affected participants and want deliveries to them.

    A participant who is affected by several events gets a single delivery. The returned changes are applied already.
    """
    affected = Affected()
    recorded = [change for event in events for change in _record_all(state, event, affected, now)]
    raised = [_raise(state, participant_id) for participant_id in affected.writable(state)]
    versions = {change.participant_id: change for change in raised}
    last_mails = [
        (versions[participant_id], person) for participant_id, person in affected.left if participant_id in versions
    ]
    return [*recorded, *raised], [
        *(_delivery_wanted(state, change, now, affected) for change in raised),
        *(_last_mail_wanted(state, change, now, person) for change, person in last_mails),
    ]


def raise_version_to(state: Audience, participant_id: str, version: int) -> list[Change]:
    """Raise a participant's version to at least this number, and return the change.

    The list is empty if the state has this version already.
    """
    if state.versions.get(participant_id, 0) >= version:
        return []
    change = VersionRaised(participant_id=participant_id, version=version)
    evolve(state, change)
    return [change]


def _raise(state: Audience, participant_id: str) -> VersionRaised:
    change = VersionRaised(participant_id=participant_id, version=state.versions.get(participant_id, 0) + 1)
    evolve(state, change)
    return change


def _record_all(state: Audience, event: Event, affected: Affected, now: datetime) -> Iterator[Change]:
    """Record the operator of a first event, or of the edition if that differs, then the event."""
    if state.edition is None and event.operator_id != state.operator_id:
        operator = OperatorRecorded(operator_id=event.operator_id)
        evolve(state, operator)
        yield operator
    if change := _record(state, event, affected, now):
        yield change


def _record(state: Audience, event: Event, affected: Affected, now: datetime) -> Change | None:
    """Apply an event if it is newer than the known revision, and add the participants it affects."""
    change: Change | None = None
    match event:
        case EditionChanged() if _is_newer(event, state.edition):
            change = _record_edition(state, EditionSnapshot.of(event), affected)
        case OrganisationChanged() | OrganisationErased():
            change = _organisation_change(state, event, affected)
        case ParticipantChanged() | ParticipantErased():
            change = _contact_change(state, event, affected)
        case AgendaChanged(provisional=True):
            pass  # Mails begin with the announcement, and an announced agenda is never provisional again.
        case AffinityScored(consent=Consent.GRANTED) if _is_newer(event, state.matches.get(event.pair_id)):
            # A mail about the encounter gives its reasons: other reasons alone cause no mail.
            match_ = MatchSnapshot.of(event)
            if not match_.has_same_reasons(state.matches.get(event.pair_id)):
                change = MatchRecorded(pair_id=event.pair_id, match=match_)
        case AgendaChanged() if _is_newer(event, state.agendas.get(event.participant_id)):
            affected.participant_ids.add(event.participant_id)
            known = state.agendas.get(event.participant_id)
            starts = _starts_of_changed_lines(known.entries if known else (), event.entries, now)
            affected.note_changed(event.participant_id, starts)
            if known is None:
                affected.newly_announced.add(event.participant_id)
            change = AgendaRecorded(participant_id=event.participant_id, agenda=AgendaSnapshot.of(event, known))
    if change:
        evolve(state, change)
    return change


def _organisation_change(
    state: Audience, event: OrganisationChanged | OrganisationErased, affected: Affected
) -> Change | None:
    organisation_id, known = event.organisation_id, state.organisations.get(event.organisation_id)
    if not _is_newer(event, known):
        return None
    if isinstance(event, OrganisationErased):
        erased = OrganisationSnapshot.erased_by(event, known)
        return OrganisationRecorded(organisation_id=organisation_id, organisation=erased)
    return _record_organisation(state, organisation_id, OrganisationSnapshot.of(event, known), affected)


def _contact_change(
    state: Audience, event: ParticipantChanged | ParticipantErased, affected: Affected
) -> Change | None:
    participant_id, known = event.participant_id, state.contacts.get(event.participant_id)
    if not _is_newer(event, known):
        return None
    if isinstance(event, ParticipantErased):
        # Partners are mailed when the scheduler cancels their encounters.
        return ContactRecorded(participant_id=participant_id, contact=ContactSnapshot.erased_by(event, known))
    former = state.former_contacts.get(participant_id, ())
    return _record_contact(state, participant_id, ContactSnapshot.of(event, known, former), affected)


def _is_newer(
    event: Event,
    known: EditionSnapshot | OrganisationSnapshot | ContactSnapshot | AgendaSnapshot | MatchSnapshot | None,
) -> bool:
    return known is None or event.revision > known.revision


def _record_edition(state: Audience, edition: EditionSnapshot, affected: Affected) -> EditionRecorded:
    """Affect all participants if the place, the time zone or the set of zones differs.

    Another phase, name or contact causes no mail.
    """
    known = state.edition
    affected.everybody |= (
        known is None
        or known.timezone != edition.timezone
        or known.zones.keys() != edition.zones.keys()
        or known.venue != edition.venue
    )
    return EditionRecorded(edition=edition)


def _record_organisation(
    state: Audience, organisation_id: str, organisation: OrganisationSnapshot, affected: Affected
) -> OrganisationRecorded:
    """Affect the partners of an organisation that becomes known. A corrected name waits for their next mail."""
    if organisation_id not in state.organisations:
        affected.met_ids.add(organisation_id)
    return OrganisationRecorded(organisation_id=organisation_id, organisation=organisation)


def _record_contact(
    state: Audience, participant_id: str, contact: ContactSnapshot, affected: Affected
) -> ContactRecorded:
    """Affect the participant, and the partners of a person who becomes known or takes the participant's place.

    Another person has another name and another address. A correction of either is no change to the partners.
    """
    known = state.contacts.get(participant_id)
    if known is None or not contact.has_same_addressee(known):
        affected.participant_ids.add(participant_id)
    if known is None or contact.person != known.person:
        affected.met_ids.add(participant_id)
    if known and contact.active and contact.person != known.person:
        affected.left.append((participant_id, known.person_id))
    return ContactRecorded(participant_id=participant_id, contact=contact)


def _starts_of_changed_lines(
    before: Iterable[AgendaEntry], after: Iterable[AgendaEntry], now: datetime
) -> dict[str, datetime]:
    """Map the entries in which two agendas differ to their earliest start, without lines that are over.

    Sequence numbers are not compared.
    """
    was, is_now = ({content_of(entry): entry for entry in entries} for entries in (before, after))
    changed = [(was | is_now)[content] for content in was.keys() ^ is_now.keys()]
    starts: dict[str, datetime] = {}
    for entry in changed:
        if entry.ends_at > now:
            starts[entry.entry_id] = min(entry.starts_at, starts.get(entry.entry_id, entry.starts_at))
    return starts


def _delivery_wanted(state: Audience, raised: VersionRaised, now: datetime, affected: Affected) -> DeliveryWanted:
    changed = affected.changed.get(raised.participant_id, {})
    is_new = raised.participant_id in affected.newly_announced
    lines = [ChangedLine(entry_id=entry_id, starts_at=starts_at) for entry_id, starts_at in sorted(changed.items())]
    return _wanted(state, raised, now).model_copy(
        update={"soonest": min(changed.values(), default=None), "changed": () if is_new else tuple(lines)}
    )


def _last_mail_wanted(state: Audience, raised: VersionRaised, now: datetime, person: str) -> DeliveryWanted:
    return _wanted(state, raised, now).model_copy(update={"about": person})


def _wanted(state: Audience, raised: VersionRaised, now: datetime) -> DeliveryWanted:
    edition = state.edition
    assert edition is not None  # noqa: S101 - a version is raised only where `can_write_to` holds
    return DeliveryWanted(
        operator_id=edition.operator_id,
        edition_id=state.edition_id,
        participant_id=raised.participant_id,
        version=raised.version,
        agenda_revision=state.agendas[raised.participant_id].revision,
        wanted_at=now,
    )
