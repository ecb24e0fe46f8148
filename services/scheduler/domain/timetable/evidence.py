"""What an agenda is judged by: the inputs as they were told, the places, and who else is with whom or at which table.

It shares nothing with the code that makes agendas but the models of the events, so that a mistake there is caught.
"""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self, cast

from shared.contract.events import Consent, EditionChanged, Interval, OrganisationKind, Place, Status


class JudgedOrganisation(Protocol):
    """What is read of an organisation."""

    @property
    def kind(self) -> OrganisationKind: ...
    @property
    def status(self) -> Status: ...


class JudgedParticipant(Protocol):
    """What is read of a participant."""

    @property
    def organisation_id(self) -> str: ...
    @property
    def available(self) -> tuple[Interval, ...]: ...
    @property
    def session_ids(self) -> tuple[str, ...]: ...
    @property
    def status(self) -> Status: ...


class JudgedPair(Protocol):
    """What is read of a pair."""

    @property
    def participant_ids(self) -> tuple[str, str]: ...
    @property
    def people(self) -> tuple[str, ...]: ...
    @property
    def consent(self) -> Consent: ...


class Inputs(NamedTuple):
    """All that an agenda is judged by."""

    edition: EditionChanged | None
    organisations: Mapping[str, JudgedOrganisation]
    participants: Mapping[str, JudgedParticipant]
    pairs: Mapping[str, JudgedPair]
    #: The pairs whose encounters a pair's has to come after.
    comes_after: Mapping[str, tuple[str, ...]]


class TableOccupancy:
    """The pairs at each table, by the hours of the clock that their places touch.

    To find who may clash is then a look at a handful, not at all that the table sees in all its days.
    """

    def __init__(self, places: Mapping[str, Place]) -> None:
        self._by_hour: defaultdict[tuple[str, str], defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for pair_id, place in places.items():
            self.add(pair_id, place)

    def add(self, pair_id: str, place: Place) -> None:
        """Count a pair in."""
        for hour in _hours(place):
            self._by_hour[place.zone_id, place.table][hour].add(pair_id)

    def discard(self, pair_id: str, place: Place) -> None:
        """Undo `add`."""
        for hour in _hours(place):
            self._by_hour[place.zone_id, place.table][hour].discard(pair_id)

    def at(self, zone_id: str, table: str) -> set[str]:
        """All who sit at a table at some time."""
        return set().union(*self._by_hour[zone_id, table].values())

    def near(self, place: Place) -> set[str]:
        """Those at the place's table in the hours that it touches, so all who share a moment with it."""
        by_hour = self._by_hour[place.zone_id, place.table]
        return set().union(*(by_hour.get(hour, ()) for hour in _hours(place)))


def _hours(interval: Interval) -> range:
    first, last = interval.starts_at.timestamp() // 3600, -(-interval.ends_at.timestamp() // 3600)
    return range(int(first), int(last))


@dataclass(frozen=True)
class Evidence:
    """Inputs and places, with the ways to look up which encounters could clash.

    `pairs_of_participant` gives the pairs of a participant that have a place, `around` those at a place's table that may share a
    moment with it; `before` those with a place that a pair's encounter has to come after, `after` those that have to
    come after it.
    """

    inputs: Inputs
    places: Mapping[str, Place]
    pairs_of_participant: Callable[[str], set[str]]
    pairs_near_table: Callable[[Place], set[str]]
    predecessors: Callable[[str], Iterable[str]]
    successors: Callable[[str], Iterable[str]]

    @classmethod
    def collect(cls, inputs: Inputs, places: Mapping[str, Place]) -> Self:
        """The evidence of a whole agenda, its look-ups made from the places alone."""
        people: defaultdict[str, set[str]] = defaultdict(set)
        for pair_id in places:
            for participant_id in inputs.pairs[pair_id].people:
                people[participant_id].add(pair_id)
        before: defaultdict[str, list[str]] = defaultdict(list)
        after: defaultdict[str, list[str]] = defaultdict(list)
        for later, comes_after in inputs.comes_after.items():
            for earlier in comes_after:
                if later in places and earlier in places:
                    before[later].append(earlier)
                    after[earlier].append(later)
        return cls(
            inputs,
            places,
            pairs_of_participant=lambda person: people[person],
            pairs_near_table=TableOccupancy(places).near,
            predecessors=lambda pair: before[pair],
            successors=lambda pair: after[pair],
        )

    def with_meeting_at(self, pair_id: str, place: Place) -> Self:
        """The same with one encounter at this place."""
        people = self.inputs.pairs[pair_id].people

        def pairs_of_participant(person: str) -> set[str]:
            return (
                {*self.pairs_of_participant(person), pair_id} if person in people else self.pairs_of_participant(person)
            )

        sittings = TableOccupancy({pair_id: place})

        def pairs_near_table(there: Place) -> set[str]:
            return self.pairs_near_table(there) - {pair_id} | sittings.near(there)

        return replace(
            self,
            places=ChainMap({pair_id: place}, cast("dict[str, Place]", self.places)),
            pairs_of_participant=pairs_of_participant,
            pairs_near_table=pairs_near_table,
        )

    @property
    def edition(self) -> EditionChanged | None:
        """The edition, if it is known."""
        return self.inputs.edition

    def participants(self, pair_id: str) -> list[JudgedParticipant]:
        """Who meets, as far as they are known."""
        known = self.inputs.participants
        return [known[each] for each in self.inputs.pairs[pair_id].people if each in known]

    def organisations(self, pair_id: str) -> list[JudgedOrganisation]:
        """Their organisations, as far as they are known."""
        known = self.inputs.organisations
        return [known[each.organisation_id] for each in self.participants(pair_id) if each.organisation_id in known]

    def other_meetings(self, pair_id: str) -> list[str]:
        """The other encounters of those who meet; one of several comes as often."""
        people = self.inputs.pairs[pair_id].people
        return [other for person in people for other in self.pairs_of_participant(person) if other != pair_id]

    def overlapping(self, pair_id: str, others: Iterable[str]) -> set[str]:
        """Those of the others that share a moment with the encounter: most of a verdict's time goes here."""
        places = self.places
        starts_at, ends_at = places[pair_id].starts_at, places[pair_id].ends_at
        return {
            other
            for other in others
            if (place := places[other]).starts_at < ends_at and starts_at < place.ends_at and other != pair_id
        }
