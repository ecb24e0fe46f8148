"""Indexes over an edition's state: look-ups that are kept up to date with every change, and never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.scheduler.domain.snapshots import PairSnapshot, ParticipantSnapshot
from services.scheduler.domain.timetable.evidence import TableOccupancy
from services.scheduler.domain.timetable.rules import zones_for
from shared.contract.events import OrganisationKind, Place, WaitingReason, Zone


class Links:
    """Pairs, participants, sessions and tables that belong together.

    - `pairs_of`: pair ids by participant id, guests included.
    - `participants_of`: participant ids by organisation id.
    - `attendees_of`: participant ids by session id.
    - `followers_of`: by pair id, the pairs whose encounters have to come after the pair's.
    - `occupancy`: pairs by table and time.
    - `waiting_for_table`: pairs that wait with the reason `NO_TABLE`.
    """

    def __init__(
        self,
        participants: Mapping[str, ParticipantSnapshot],
        pairs: Mapping[str, PairSnapshot],
        placements: Mapping[str, Place],
        waiting: Mapping[str, WaitingReason],
        comes_after: Mapping[str, Iterable[str]],
    ) -> None:
        self.pairs_of: defaultdict[str, set[str]] = defaultdict(set)
        self.participants_of: defaultdict[str, set[str]] = defaultdict(set)
        self.attendees_of: defaultdict[str, set[str]] = defaultdict(set)
        self.followers_of: defaultdict[str, set[str]] = defaultdict(set)
        self.occupancy = TableOccupancy(placements)
        self.waiting_for_table = {pair_id for pair_id, reason in waiting.items() if reason is WaitingReason.NO_TABLE}
        for pair_id, pair in pairs.items():
            for participant_id in pair.people:
                self.pairs_of[participant_id].add(pair_id)
        for participant_id, participant in participants.items():
            self.add_participant(participant_id, participant)
        for pair_id, earlier_pairs in comes_after.items():
            for earlier in earlier_pairs:
                self.followers_of[earlier].add(pair_id)

    def add_participant(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Link a participant with an organisation and with sessions."""
        self.participants_of[participant.organisation_id].add(participant_id)
        for session_id in participant.session_ids:
            self.attendees_of[session_id].add(participant_id)

    def remove_participant(self, participant_id: str, participant: ParticipantSnapshot) -> None:
        """Undo `add_participant`; the snapshot is the one that was added."""
        self.participants_of[participant.organisation_id].discard(participant_id)
        for session_id in participant.session_ids:
            self.attendees_of[session_id].discard(participant_id)


class ZonesByKinds(dict[tuple[OrganisationKind | None, ...], tuple[str, ...]]):
    """Zone ids allowed by `rules.zones_for`, by the kinds of the organisations that meet; computed at first use."""

    def __init__(self, zones: tuple[Zone, ...]) -> None:
        super().__init__()
        self._zones = zones

    def __missing__(self, kinds: tuple[OrganisationKind | None, ...]) -> tuple[str, ...]:
        zone_ids = self[kinds] = zones_for(kinds, self._zones)
        return zone_ids
