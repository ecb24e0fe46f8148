"""The verifier: says what is wrong with an agenda, in the plainest way, from the inputs and the places alone.

It shares nothing with the code that makes agendas but the models of the events, so that a mistake there is caught
here. It compares times, not slots in bitmasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple, Protocol

from shared.events import Consent, EditionChanged, Interval, OrganisationKind, Place, Status, ZoneKind


class Broken(StrEnum):
    """The rule that an encounter breaks."""

    PERSON_TWICE = "person_twice"
    TABLE_TWICE = "table_twice"
    NOT_AVAILABLE = "not_available"
    IN_A_SESSION = "in_a_session"
    NO_SUCH_SLOT = "no_such_slot"
    NO_SUCH_TABLE = "no_such_table"
    WRONG_ZONE = "wrong_zone"
    OVER_QUOTA = "over_quota"
    NO_CONSENT = "no_consent"
    NOT_TAKING_PART = "not_taking_part"
    PAIR_TWICE = "pair_twice"


class Violation(NamedTuple):
    """One thing wrong: the rule, and the pairs whose encounters break it."""

    broken: Broken
    pair_ids: tuple[str, ...]


class AgendaBroken(Exception):
    """An agenda that was about to be journalled breaks rules: nothing of it is kept."""

    def __init__(self, violations: list[Violation]) -> None:
        super().__init__("; ".join(f"{each.broken}: {', '.join(each.pair_ids)}" for each in violations[:20]))
        self.violations = violations


class Organisation(Protocol):
    """What the verifier reads of an organisation."""

    @property
    def kind(self) -> OrganisationKind: ...
    @property
    def status(self) -> Status: ...


class Participant(Protocol):
    """What the verifier reads of a participant."""

    @property
    def organisation_id(self) -> str: ...
    @property
    def available(self) -> tuple[Interval, ...]: ...
    @property
    def session_ids(self) -> tuple[str, ...]: ...
    @property
    def status(self) -> Status: ...


class Pair(Protocol):
    """What the verifier reads of a pair."""

    @property
    def participant_ids(self) -> tuple[str, str]: ...
    @property
    def consent(self) -> Consent: ...


class Inputs(NamedTuple):
    """All that an agenda is judged by."""

    edition: EditionChanged | None
    organisations: Mapping[str, Organisation]
    participants: Mapping[str, Participant]
    pairs: Mapping[str, Pair]


def verify(
    inputs: Inputs, places: Mapping[str, Place], begun: Collection[str] = (), about: Collection[str] | None = None
) -> list[Violation]:
    """What is wrong with the encounters at `places` (pair id -> place), nothing if it is a right agenda.

    `begun` are encounters that have begun or are over: what changed since cannot undo them, so they are asked only not
    to clash with others. With `about`, only those pairs are judged, against all others.
    """
    judged = [pair for pair in places if about is None or pair in about]
    return [
        *(
            Violation(broken, (pair,))
            for pair in judged
            if pair not in begun
            for broken in _alone(inputs, inputs.pairs[pair], places[pair])
        ),
        *_together(inputs, places if about is None else _near(inputs, places, judged), begun, set(judged)),
    ]


def _near(inputs: Inputs, places: Mapping[str, Place], judged: list[str]) -> Mapping[str, Place]:
    """The encounters that share a person or a table with the judged ones: only they can clash with them."""
    people = {participant for pair in judged for participant in inputs.pairs[pair].participant_ids}
    tables = {(places[pair].zone_id, places[pair].table) for pair in judged}
    return {
        pair: place
        for pair, place in places.items()
        if (place.zone_id, place.table) in tables or not people.isdisjoint(inputs.pairs[pair].participant_ids)
    }


def _alone(inputs: Inputs, pair: Pair, place: Place) -> Iterator[Broken]:
    edition = inputs.edition
    people = [inputs.participants[each] for each in pair.participant_ids if each in inputs.participants]
    if pair.consent is not Consent.GRANTED:
        yield Broken.NO_CONSENT
    if (
        edition is None
        or len(people) < len(pair.participant_ids)
        or not all(_takes_part(inputs, each) for each in people)
    ):
        yield Broken.NOT_TAKING_PART
    if edition is None:
        return
    if not any((slot.starts_at, slot.ends_at) == (place.starts_at, place.ends_at) for slot in edition.slots):
        yield Broken.NO_SUCH_SLOT
    if not any(zone.zone_id == place.zone_id and place.table in zone.tables for zone in edition.zones):
        yield Broken.NO_SUCH_TABLE
    if not _may_sit_in(inputs, people, place.zone_id):
        yield Broken.WRONG_ZONE
    if not all(_is_available(each, place) for each in people):
        yield Broken.NOT_AVAILABLE
    attended = {session for each in people for session in each.session_ids}
    if any(session.session_id in attended and session.overlaps(place) for session in edition.sessions):
        yield Broken.IN_A_SESSION


def _takes_part(inputs: Inputs, participant: Participant) -> bool:
    organisation = inputs.organisations.get(participant.organisation_id)
    return participant.status is Status.ACTIVE and (organisation is None or organisation.status is Status.ACTIVE)


def _is_available(participant: Participant, place: Place) -> bool:
    return not participant.available or any(window.contains(place) for window in participant.available)


def _may_sit_in(inputs: Inputs, people: list[Participant], zone_id: str) -> bool:
    assert inputs.edition is not None  # noqa: S101 - asked only where it is known
    if not any(zone.zone_id == zone_id and zone.kind is ZoneKind.INNOVA for zone in inputs.edition.zones):
        return True
    kinds = {
        inputs.organisations[each.organisation_id].kind
        for each in people
        if each.organisation_id in inputs.organisations
    }
    industry = {OrganisationKind.SME, OrganisationKind.LARGE_COMPANY}
    research = {OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE}
    return bool(kinds & industry) and bool(kinds & research)


def _together(
    inputs: Inputs, places: Mapping[str, Place], begun: Collection[str], judged: AbstractSet[str]
) -> Iterator[Violation]:
    at_table: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    of_person: defaultdict[str, list[str]] = defaultdict(list)
    of_people: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for pair, place in places.items():
        at_table[place.zone_id, place.table].append(pair)
        of_people[tuple(sorted(inputs.pairs[pair].participant_ids))].append(pair)
        for participant in inputs.pairs[pair].participant_ids:
            of_person[participant].append(pair)
    for group in at_table.values():
        yield from _clashes(Broken.TABLE_TWICE, group, places, judged)
    for group in of_person.values():
        yield from _clashes(Broken.PERSON_TWICE, group, places, judged)
        yield from _over_quota(inputs, group, begun, judged)
    for group in of_people.values():
        if len(group) > 1 and not judged.isdisjoint(group):
            yield Violation(Broken.PAIR_TWICE, tuple(group))


def _clashes(
    broken: Broken, group: list[str], places: Mapping[str, Place], judged: AbstractSet[str]
) -> Iterator[Violation]:
    if not any(pair in judged for pair in group):
        return
    for one, other in combinations(sorted(group), 2):
        if (one in judged or other in judged) and places[one].overlaps(places[other]):
            yield Violation(broken, (one, other))


def _over_quota(
    inputs: Inputs, group: list[str], begun: Collection[str], judged: AbstractSet[str]
) -> Iterator[Violation]:
    """Encounters that have begun count, but only those that have not can be too many."""
    most = inputs.edition.quotas.max_encounters if inputs.edition else None
    movable = [pair for pair in group if pair not in begun and pair in judged]
    if most is not None and movable and len(group) > most:
        yield Violation(Broken.OVER_QUOTA, tuple(sorted(group)))
