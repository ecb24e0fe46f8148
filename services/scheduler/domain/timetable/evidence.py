"""Evidence: the inputs and places from which the verifier judges an agenda, with indexes of possible clashes.

The module shares nothing with the makers of agendas but the models of the events, so that the verifier finds their
mistakes.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self, cast

from shared.contract.events import Consent, EditionChanged, Interval, OrganisationKind, Place, Status


class JudgedOrganisation(Protocol):
    """The fields of an organisation that rules read."""

    @property
    def kind(self) -> OrganisationKind: ...
    @property
    def status(self) -> Status: ...


class JudgedParticipant(Protocol):
    """The fields of a participant that rules read."""

    @property
    def organisation_id(self) -> str: ...
    @property
    def available(self) -> tuple[Interval, ...]: ...
    @property
    def session_ids(self) -> tuple[str, ...]: ...
    @property
    def status(self) -> Status: ...


class JudgedPair(Protocol):
    """The fields of a pair that rules read. `people` are the two participants and their guests."""

    @property
    def participant_ids(self) -> tuple[str, str]: ...
    @property
    def people(self) -> tuple[str, ...]: ...
    @property
    def consent(self) -> Consent: ...


class Inputs(NamedTuple):
    """The inputs of an agenda, by id: the facts that rules compare with the places."""

    edition: EditionChanged | None
    organisations: Mapping[str, JudgedOrganisation]
    participants: Mapping[str, JudgedParticipant]
    pairs: Mapping[str, JudgedPair]
    #: By pair, the pairs whose meetings must be over before.
    comes_after: Mapping[str, tuple[str, ...]]


class TableOccupancy:
    """The pairs by table, indexed by the clock hours that their places touch.

    The index keeps the search for clashes short: it looks at a few pairs, not at all pairs of a table's days.
    """

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._by_hour: defaultdict[tuple[str, str], defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for pair_id, place in places.items():
            self.add(pair_id, place)

    def add(self, pair_id: str, place: Place) -> None:
        """Add a pair at its place."""
        for hour in _hours(place):
            self._by_hour[place.zone_id, place.table][hour].add(pair_id)

    def discard(self, pair_id: str, place: Place) -> None:
        """Undo `add`."""
        for hour in _hours(place):
            self._by_hour[place.zone_id, place.table][hour].discard(pair_id)

    def at(self, zone_id: str, table: str) -> set[str]:
        """Return the pairs at a table at any time."""
        return set().union(*self._by_hour[zone_id, table].values())

    def near(self, place: Place) -> set[str]:
        """Return the pairs at the place's table in the hours it touches: a superset of the pairs that overlap it."""
        by_hour = self._by_hour[place.zone_id, place.table]
        return set().union(*(by_hour.get(hour, ()) for hour in _hours(place)))


def _hours(interval: Interval) -> range:
    first, last = interval.starts_at.timestamp() // 3600, -(-interval.ends_at.timestamp() // 3600)
    return range(int(first), int(last))


@dataclass(frozen=True)
class Evidence:
    """The inputs and the places of an agenda, and indexes of the meetings that may break a rule together.

    Rules find related meetings through the indexes only. All four give placed pairs alone:

    - `pairs_of_participant`: the pairs of a participant.
    - `pairs_near_table`: the pairs at the very table of a place that may overlap the place in time. Any place may be
      asked for, also a place without a meeting.
    - `predecessors` and `successors`: the pairs whose meetings must be over before a pair's meeting, or begin after it.
    """

    inputs: Inputs
    places: Mapping[str, Place]
    pairs_of_participant: Callable[[str], set[str]]
    pairs_near_table: Callable[[Place], set[str]]
    predecessors: Callable[[str], Iterable[str]]
    successors: Callable[[str], Iterable[str]]

    @classmethod
    def collect(cls, inputs: Inputs, places: Mapping[str, Place]) -> Self:
        """Collect the evidence of a whole agenda. The indexes are built from the places alone."""
        pairs_of: defaultdict[str, set[str]] = defaultdict(set)
        for pair_id in places:
            for participant_id in inputs.pairs[pair_id].people:
                pairs_of[participant_id].add(pair_id)
        predecessors: defaultdict[str, list[str]] = defaultdict(list)
        successors: defaultdict[str, list[str]] = defaultdict(list)
        for later_id, earlier_ids in inputs.comes_after.items():
            for earlier_id in earlier_ids:
                if later_id in places and earlier_id in places:
                    predecessors[later_id].append(earlier_id)
                    successors[earlier_id].append(later_id)
        return cls(
            inputs,
            places,
            pairs_of_participant=lambda participant_id: pairs_of[participant_id],
            pairs_near_table=TableOccupancy(places).near,
            predecessors=lambda pair_id: predecessors[pair_id],
            successors=lambda pair_id: successors[pair_id],
        )

    def with_meeting_at(self, pair_id: str, place: Place) -> Self:
        """Return a copy in which this pair's meeting is at another place."""
        people = self.inputs.pairs[pair_id].people

        def pairs_of_participant(participant_id: str) -> set[str]:
            pairs = self.pairs_of_participant(participant_id)
            return {*pairs, pair_id} if participant_id in people else pairs

        moved = TableOccupancy({pair_id: place})

        def pairs_near_table(other: Place) -> set[str]:
            return self.pairs_near_table(other) - {pair_id} | moved.near(other)

        return replace(
            self,
            places=ChainMap({pair_id: place}, cast("dict[str, Place]", self.places)),
            pairs_of_participant=pairs_of_participant,
            pairs_near_table=pairs_near_table,
        )

    @property
    def edition(self) -> EditionChanged | None:
        """The edition, or `None` if it is unknown."""
        return self.inputs.edition

    def participants(self, pair_id: str) -> list[JudgedParticipant]:
        """List the known participants of a meeting."""
        known = self.inputs.participants
        people = self.inputs.pairs[pair_id].people
        return [known[participant_id] for participant_id in people if participant_id in known]

    def organisations(self, pair_id: str) -> list[JudgedOrganisation]:
        """List the known organisations of a meeting's participants, in their order."""
        known = self.inputs.organisations
        organisation_ids = [participant.organisation_id for participant in self.participants(pair_id)]
        return [known[organisation_id] for organisation_id in organisation_ids if organisation_id in known]

    def other_meetings(self, pair_id: str) -> list[str]:
        """List the pairs of the participants' other meetings. A pair with several of them is listed repeatedly."""
        people = self.inputs.pairs[pair_id].people
        return [other for person in people for other in self.pairs_of_participant(person) if other != pair_id]

    def overlapping(self, pair_id: str, other_ids: Iterable[str]) -> set[str]:
        """Return the pairs among `other_ids` whose meetings overlap this pair's in time.

        The verifier spends most of its time here.
        """
        places = self.places
        starts_at, ends_at = places[pair_id].starts_at, places[pair_id].ends_at
        return {
            other
            for other in other_ids
            if (place := places[other]).starts_at < ends_at and starts_at < place.ends_at and other != pair_id
        }
