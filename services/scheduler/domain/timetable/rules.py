"""The hard rules: each in one place, said twice.

Plainly, for the verifier: a function named after what is broken takes the evidence and an encounter, compares times,
and returns the encounters that together break the rule, none if it holds. And as a set of slots, for those who make
agendas: a function takes the board and a pair without a seat on it, and returns the slots the rule leaves the pair by
itself. A test holds the two together. `RULES` has them all, in the order in which they are blamed when no slot is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import chain

from services.scheduler.domain.timetable.board import Board, Meeting
from services.scheduler.domain.timetable.evidence import Evidence
from services.scheduler.domain.timetable.timeline import SlotSet
from shared.contract.events import Consent, OrganisationKind, Status, WaitingReason, Zone, ZoneKind

COMPANIES = frozenset({OrganisationKind.SME, OrganisationKind.LARGE_COMPANY})
RESEARCHERS = frozenset({OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE})

#: The order in which zones are tried. Tables in the demonstration and conference areas are an organiser's overflow.
OPEN_TO_ALL = (ZoneKind.WORKSPACE, ZoneKind.DEMONSTRATION, ZoneKind.CONFERENCE)

#: The encounters that together break a rule.
Culprits = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A hard rule: its plain statement, and its encoding in slots with the reason to give where it leaves none.

    A rule about who may meet at all has no encoding: such a pair is never offered a slot. An encounter that has begun
    is history, bound by the rules with `binds_history` alone: it takes its people's time and its table whatever else
    has changed.
    """

    find_culprits: Callable[[Evidence, str], Culprits]
    allowed_slots: Callable[[Board, Meeting], SlotSet] | None = None
    reason: WaitingReason = WaitingReason.AGENDAS_FULL
    is_clash: bool = False

    @property
    def name(self) -> str:
        """What is reported when it is broken."""
        return self.find_culprits.__name__


# Who may meet at all.


def consent_is_granted(consent: Consent) -> bool:
    """Only a pair in which all who must have said yes did is given an encounter."""
    return consent is Consent.GRANTED


def no_consent(evidence: Evidence, pair_id: str) -> Culprits:
    """One of the two has not agreed to meet."""
    return () if consent_is_granted(evidence.inputs.pairs[pair_id].consent) else (pair_id,)


def all_take_part(statuses: Iterable[Status]) -> bool:
    """Neither the participants nor their organisations have cancelled."""
    return all(status is Status.ACTIVE for status in statuses)


def not_taking_part(evidence: Evidence, pair_id: str) -> Culprits:
    """Somebody of those who meet is unknown or has cancelled, or their organisation has."""
    people = evidence.participants(pair_id)
    known = evidence.edition is not None and len(people) == len(evidence.inputs.pairs[pair_id].people)
    statuses = [each.status for each in people] + [each.status for each in evidence.organisations(pair_id)]
    return () if known and all_take_part(statuses) else (pair_id,)


# When they can meet.


def no_such_slot(evidence: Evidence, pair_id: str) -> Culprits:
    """The edition has no slot with these bounds."""
    place, edition = evidence.places[pair_id], evidence.edition
    slots = edition.slots if edition else ()
    starts_at, ends_at = place.starts_at, place.ends_at
    return () if any(s.starts_at == starts_at and s.ends_at == ends_at for s in slots) else (pair_id,)


def not_available(evidence: Evidence, pair_id: str) -> Culprits:
    """Somebody has not said to be there for all of it."""
    place = evidence.places[pair_id]
    there = (
        not each.available or any(window.contains(place) for window in each.available)
        for each in evidence.participants(pair_id)
    )
    return () if all(there) else (pair_id,)


def all_available(board: Board, wanted: Meeting) -> SlotSet:
    """All said they are there."""
    left = board.all_slots
    for participant_id in wanted.participant_ids:
        left &= board.hours[participant_id].available
    return left


def in_a_session(evidence: Evidence, pair_id: str) -> Culprits:
    """Somebody attends a session at that time."""
    place, edition = evidence.places[pair_id], evidence.edition
    attended = {session for each in evidence.participants(pair_id) for session in each.session_ids}
    sessions = edition.sessions if edition else ()
    return (pair_id,) if any(s.session_id in attended and s.overlaps(place) for s in sessions) else ()


def outside_attended_sessions(board: Board, wanted: Meeting) -> SlotSet:
    """Nobody attends a session that overlaps."""
    left = board.all_slots
    for participant_id in wanted.participant_ids:
        left &= board.hours[participant_id].outside_sessions
    return left


# What else they do.


def over_quota(evidence: Evidence, pair_id: str) -> Culprits:
    """Somebody has more encounters than the edition allows a participant."""
    most = evidence.edition.quotas.max_encounters if evidence.edition else None
    if most is None:
        return ()
    for participant_id in evidence.inputs.pairs[pair_id].people:
        theirs = evidence.pairs_of_participant(participant_id)
        if len(theirs) > most:
            return tuple(theirs)
    return ()


def within_quota(board: Board, wanted: Meeting) -> SlotSet:
    """Nobody has as many encounters already as the edition allows a participant."""
    if board.quota is None:
        return board.all_slots
    most = max(len(board.encounters_of[participant_id]) for participant_id in wanted.participant_ids)
    return board.all_slots if most < board.quota else 0


def pair_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """The same two have another encounter. To be among the guests of one is something else."""
    pairs = evidence.inputs.pairs
    one, other = pairs[pair_id].participant_ids
    both = {(one, other), (other, one)}
    shared = evidence.pairs_of_participant(one) & evidence.pairs_of_participant(other) - {pair_id}
    same = {each for each in shared if pairs[each].participant_ids in both}
    return (pair_id, *same) if same else ()


def one_encounter_a_pair(board: Board, wanted: Meeting) -> SlotSet:
    """The two have no encounter yet."""
    one, *others = wanted.pair
    both = (pair for other in others for pair in board.encounters_of[one].keys() & board.encounters_of[other].keys())
    return 0 if any(board.placed[pair_id][0].pair == wanted.pair for pair_id in both) else board.all_slots


def out_of_order(evidence: Evidence, pair_id: str) -> Culprits:
    """It starts before one has ended that it has to come after, or ends after one has started that comes after it."""
    place, places = evidence.places[pair_id], evidence.places
    too_late = {each for each in evidence.predecessors(pair_id) if places[each].ends_at > place.starts_at}
    too_soon = {each for each in evidence.successors(pair_id) if places[each].starts_at < place.ends_at}
    return (pair_id, *(too_late | too_soon)) if too_late or too_soon else ()


def in_order(board: Board, wanted: Meeting) -> SlotSet:
    """Those it has to come after have ended, and those that have to come after it have not begun."""
    left = board.all_slots
    if board.predecessors:
        for each in board.predecessors.get(wanted.pair_id, ()):
            left &= board.slots_before_and_after(each)[1]
        for each in board.successors.get(wanted.pair_id, ()):
            left &= board.slots_before_and_after(each)[0]
    return left


def person_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """Somebody is in another encounter at that time."""
    clashing = evidence.overlapping(pair_id, evidence.other_meetings(pair_id))
    return (pair_id, *clashing) if clashing else ()


def no_participant_twice(board: Board, wanted: Meeting) -> SlotSet:
    """Nobody is in another encounter."""
    return board.all_slots & ~board.busy_slots(wanted)


# Where they can meet.


def no_such_table(evidence: Evidence, pair_id: str) -> Culprits:
    """The zone has no such table in service."""
    place, edition = evidence.places[pair_id], evidence.edition
    zones = edition.zones if edition else ()
    return () if any(zone.zone_id == place.zone_id and place.table in zone.tables for zone in zones) else (pair_id,)


def wrong_zone(evidence: Evidence, pair_id: str) -> Culprits:
    """They sit in Innova+, which is for a company with a research group or technology centre."""
    zone_id, edition = evidence.places[pair_id].zone_id, evidence.edition
    kinds = [each.kind for each in evidence.organisations(pair_id)]
    is_innova = any(z.zone_id == zone_id and z.kind is ZoneKind.INNOVA for z in (edition.zones if edition else ()))
    return (pair_id,) if is_innova and not _is_academia_with_industry(kinds) else ()


def zones_for(kinds: tuple[OrganisationKind | None, ...], zones: Iterable[Zone]) -> tuple[str, ...]:
    """The zones in which people from organisations of these kinds may meet, the preferred first.

    A company and a research group or technology centre meet in Innova+ while it has room, then where all others meet:
    the workspace, then whichever tables the demonstration and conference areas have. Innova+ is theirs alone.
    """
    with_tables = [zone for zone in zones if zone.tables]
    kinds_of_zone = (ZoneKind.INNOVA, *OPEN_TO_ALL) if _is_academia_with_industry(kinds) else OPEN_TO_ALL
    return tuple(
        chain.from_iterable([zone.zone_id for zone in with_tables if zone.kind is kind] for kind in kinds_of_zone)
    )


def _is_academia_with_industry(kinds: Collection[OrganisationKind | None]) -> bool:
    return not (COMPANIES.isdisjoint(kinds) or RESEARCHERS.isdisjoint(kinds))


def tables_in_service(board: Board, wanted: Meeting) -> SlotSet:
    """A zone open to the pair has tables."""
    return board.all_slots if any(board.tables.get(zone) for zone in wanted.zone_ids) else 0


def table_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """Others sit at the table at that time."""
    clashing = evidence.overlapping(pair_id, evidence.pairs_near_table(evidence.places[pair_id]))
    return (pair_id, *clashing) if clashing else ()


def no_table_twice(board: Board, wanted: Meeting) -> SlotSet:
    """A zone open to the pair has a table at which nobody sits."""
    mask = 0
    for zone in wanted.zone_ids:
        mask |= board.slots_with_free_table(zone)
    return mask


RULES: tuple[Rule, ...] = (
    Rule(no_consent),
    Rule(not_taking_part),
    Rule(no_such_slot),
    Rule(not_available, all_available, WaitingReason.NO_COMMON_SLOT),
    Rule(in_a_session, outside_attended_sessions, WaitingReason.NO_COMMON_SLOT),
    Rule(over_quota, within_quota, WaitingReason.QUOTA_REACHED),
    Rule(pair_twice, one_encounter_a_pair, is_clash=True),
    Rule(out_of_order, in_order, WaitingReason.NO_SLOT_IN_ORDER),
    Rule(person_twice, no_participant_twice, is_clash=True),
    Rule(no_such_table, tables_in_service, WaitingReason.NO_TABLE),
    Rule(wrong_zone),
    Rule(table_twice, no_table_twice, WaitingReason.NO_TABLE, is_clash=True),
)


def slots_left(board: Board, wanted: Meeting, allowed: SlotSet) -> tuple[SlotSet, WaitingReason]:
    """The slots among `allowed` that every rule leaves the encounter, and the first rule to blame if that is none."""
    left = allowed
    for rule in RULES:
        if rule.allowed_slots is not None:
            left &= rule.allowed_slots(board, wanted)
            if not left:
                return 0, rule.reason
    return left, WaitingReason.AGENDAS_FULL
