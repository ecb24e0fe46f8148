"""The picture of an edition: the newest snapshot of all its things, to look up by id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.contract.events import (
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
)


@dataclass
class EditionPicture:
    """Snapshots by id; `number` is that of the head up to which they were read.

    Erased people and organisations are missing: pages say so where an agenda names them.
    """

    edition_id: str
    number: int = 0
    edition: EditionChanged | None = None
    participants: dict[str, ParticipantChanged] = field(default_factory=dict)
    organisations: dict[str, OrganisationChanged] = field(default_factory=dict)
    requests: dict[str, MatchRequestChanged] = field(default_factory=dict)
    encounters: dict[str, EncounterChanged] = field(default_factory=dict)
    agendas: dict[str, AgendaChanged] = field(default_factory=dict)
    #: Requests by each of their sides.
    _requests_of: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def apply(self, event: Event) -> None:
        """Take a snapshot in, in place of an earlier snapshot of the thing."""
        if isinstance(event, MatchRequestChanged | EncounterChanged | AgendaChanged):
            self._apply_encounter(event)
        else:
            self._apply_party(event)

    def _apply_party(self, event: Event) -> None:
        match event:
            case EditionChanged():
                self.edition = event
            case ParticipantChanged():
                self.participants[event.participant_id] = event
            case ParticipantErased():
                self.participants.pop(event.participant_id, None)
            case OrganisationChanged():
                self.organisations[event.organisation_id] = event
            case OrganisationErased():
                self.organisations.pop(event.organisation_id, None)

    def _apply_encounter(self, event: MatchRequestChanged | EncounterChanged | AgendaChanged) -> None:
        match event:
            case EncounterChanged():
                self.encounters[event.encounter_id] = event
            case AgendaChanged():
                self.agendas[event.participant_id] = event
            case MatchRequestChanged():
                self.requests[event.request_id] = event
                for side in filter(None, (event.requester_id, event.target_id)):
                    self._requests_of[side].add(event.request_id)

    def requests_of(self, participant_id: str) -> Iterator[MatchRequestChanged]:
        """Yield the requests that a participant has made or was sent."""
        yield from (self.requests[request_id] for request_id in sorted(self._requests_of.get(participant_id, ())))

    def zone_name(self, zone_id: str) -> str:
        """Return the name of a zone; its id if the edition does not name it."""
        zones = self.edition.zones if self.edition else ()
        return next((zone.name for zone in zones if zone.zone_id == zone_id), zone_id)
