"""The hard rules, stated in two forms in a single place.

The plain statement serves the verifier. It takes the evidence and a pair, compares times, and returns the pairs whose
meetings break the rule together. Its name is the rule's name. The encoding serves the makers of agendas. It takes the
board and an unplaced meeting, and returns the slots that the rule allows the meeting. Tests hold the two forms
together (`tests/property/scheduler/test_rules_agree.py`). `RULES` lists all rules in the order in which they are
blamed when no slot is left.

Placement, ejection chains, relaxation and verifier read `RULES`: they know a new rule at once. These further places
must learn of it, depending on the rule (`docs/how-to/add-a-rule.md` has the steps and their tests).

A rule about tables has a weak encoding: a slot stays allowed while some table in it may do. The table itself is chosen
and checked here:

- `placement.choose_table` takes the first suitable table, and `placement.is_allowed` checks a given table;
- `ejection._ChainSearch._blockers` names the meetings that must move for a table to be freed, and `_may_move` asks for
  free tables;
- `solver/tables.py` deals out the tables once the solver has settled the slots, and `solver/improve.py` places the
  meetings again that then break a rule;
- `organiser/edit_targets.py` takes a table for an edit that names none.

A rule between meetings of different participants:

- `organiser/edits._clashing` names the meetings that give way to an edit;
- `organiser/attendance.py` and `evolve._restore` put a meeting back that was held after all. They look at meetings of
  its participants, at its table and in an order with it.

A rule that reads further inputs:

- `decide.py` reconsiders the pairs concerned when the inputs change;
- `evolve.py` refreshes the meetings on the board, which hold their inputs;
- `verification.verify_touched` looks at meetings that a decision placed or whose pair or participants changed, not at
  all meetings after news of organisations and editions. The property tests verify whole agendas instead;
- `improvement/problem.py` copies the inputs for the worker process, and `organiser/what_if.py` replaces the copies.

A new waiting reason: `repair.MOVING_HELPS`, `publication.RELAXABLE`, `state.Links.waiting_for_table` and its twin in
`evolve.py`, and `relaxation.py`.

These engines see slots only and count the free tables of zones: `solver/kempe.py` (with `polish.py`),
`solver/draft.py`, `solver/neighbourhood.py`, `solver/fewest_moves.py` and `solver/bound.py`. They encode availability,
sessions, quota, order and clashes by themselves, so they are blind to every new rule. Their slots are checked when they
are put on a board (`solver/improve.py`), so the agenda stays valid. It may place fewer meetings than it could, and the
bound may be out of reach.
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

#: The kinds of zones open to every pair, in the order of preference. Tables in demonstration and conference areas are
#: overflow that the organiser provides.
OPEN_TO_ALL = (ZoneKind.WORKSPACE, ZoneKind.DEMONSTRATION, ZoneKind.CONFERENCE)

#: The pairs whose meetings break a rule together.
Culprits = tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """A hard rule: a condition that every meeting of a valid agenda fulfils.

    - `find_culprits`: the plain statement. It returns the pairs that break the rule together with the given pair's
      meeting, or nothing if the rule holds.
    - `allowed_slots`: the encoding. It returns the slots that this rule alone allows an unplaced meeting. A rule about
      tables allows a slot if some table may do in it. A rule on the right to meet at all has no encoding: such a pair
      is never offered a slot.
    - `reason`: the waiting reason of a pair to which this rule leaves no slot.
    - `is_clash`: whether the rule forbids two meetings to claim the same time, table or pair. Meetings that have begun
      are checked against clashes only, because later changes of the inputs cannot undo them. A clash does not forbid a
      meeting its place: the other meeting may give way, unless it has begun. A rule that a change of the inputs can
      break between two locked meetings is no clash, because both would have to stay: see `out_of_order`.
    - `binds_begun`: whether a clash is also forbidden between meetings that have all begun. A corrected report may show
      that two participants met, after they were given another meeting.
    """

    find_culprits: Callable[[Evidence, str], Culprits]
    allowed_slots: Callable[[Board, Meeting], SlotSet] | None = None
    reason: WaitingReason = WaitingReason.AGENDAS_FULL
    is_clash: bool = False
    binds_begun: bool = True

    @property
    def name(self) -> str:
        """The name under which violations are reported: that of the plain statement."""
        return self.find_culprits.__name__


# The right to meet.


def consent_is_granted(consent: Consent) -> bool:
    """Return whether the match is agreed by all participants whose consent it needs."""
    return consent is Consent.GRANTED


def no_consent(evidence: Evidence, pair_id: str) -> Culprits:
    """The pair is not agreed, so it may have no meeting."""
    return () if consent_is_granted(evidence.inputs.pairs[pair_id].consent) else (pair_id,)


def all_take_part(statuses: Iterable[Status]) -> bool:
    """Return whether no status of participants and organisations is cancelled."""
    return all(status is Status.ACTIVE for status in statuses)


def not_taking_part(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant is unknown or has cancelled, or their organisation has cancelled."""
    participants, organisations = evidence.participants(pair_id), evidence.organisations(pair_id)
    known = evidence.edition is not None and len(participants) == len(evidence.inputs.pairs[pair_id].people)
    statuses = [participant.status for participant in participants]
    statuses += [organisation.status for organisation in organisations]
    return () if known and all_take_part(statuses) else (pair_id,)


# Times at which participants are present.


def no_such_slot(evidence: Evidence, pair_id: str) -> Culprits:
    """The edition has no slot with the bounds of the place."""
    place, edition = evidence.places[pair_id], evidence.edition
    slots = edition.slots if edition else ()
    starts_at, ends_at = place.starts_at, place.ends_at
    return () if any(slot.starts_at == starts_at and slot.ends_at == ends_at for slot in slots) else (pair_id,)


def not_available(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant has named times of presence, and none of them contains the whole meeting."""
    place = evidence.places[pair_id]
    are_present = (
        not participant.available or any(window.contains(place) for window in participant.available)
        for participant in evidence.participants(pair_id)
    )
    return () if all(are_present) else (pair_id,)


def all_available(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `not_available`: the slots in which all participants are present."""
    left = board.all_slots
    for participant_id in meeting.participant_ids:
        left &= board.hours[participant_id].available
    return left


def in_a_session(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant attends a session that overlaps the meeting."""
    place, edition = evidence.places[pair_id], evidence.edition
    attended = {session_id for participant in evidence.participants(pair_id) for session_id in participant.session_ids}
    sessions = edition.sessions if edition else ()
    clashes = any(session.session_id in attended and session.overlaps(place) for session in sessions)
    return (pair_id,) if clashes else ()


def outside_attended_sessions(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `in_a_session`: the slots that overlap no attended session of a participant."""
    left = board.all_slots
    for participant_id in meeting.participant_ids:
        left &= board.hours[participant_id].outside_sessions
    return left


# Other meetings of the participants.


def over_quota(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant has more meetings than the edition allows."""
    most = evidence.edition.quotas.max_encounters if evidence.edition else None
    if most is None:
        return ()
    for participant_id in evidence.inputs.pairs[pair_id].people:
        theirs = evidence.pairs_of_participant(participant_id)
        if len(theirs) > most:
            return tuple(theirs)
    return ()


def within_quota(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `over_quota`: all slots, or none if a participant has used up the quota."""
    if board.quota is None:
        return board.all_slots
    most = max(len(board.assignments_of[participant_id]) for participant_id in meeting.participant_ids)
    return board.all_slots if most < board.quota else 0


def pair_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """The two participants have another meeting of their own. A meeting that either joins as a guest does not count."""
    pairs = evidence.inputs.pairs
    first_id, second_id = pairs[pair_id].participant_ids
    both = {(first_id, second_id), (second_id, first_id)}
    shared = evidence.pairs_of_participant(first_id) & evidence.pairs_of_participant(second_id) - {pair_id}
    same = {other for other in shared if pairs[other].participant_ids in both}
    return (pair_id, *same) if same else ()


def one_encounter_a_pair(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `pair_twice`: all slots, or none if the two participants meet already."""
    first_id, *rest = meeting.pair
    first = board.assignments_of[first_id].keys()
    shared = (pair_id for second_id in rest for pair_id in first & board.assignments_of[second_id].keys())
    return 0 if any(board.placed[pair_id][0].pair == meeting.pair for pair_id in shared) else board.all_slots


def out_of_order(evidence: Evidence, pair_id: str) -> Culprits:
    """The meeting starts before the end of a predecessor, or ends after the start of a successor."""
    place, places = evidence.places[pair_id], evidence.places
    too_late = {earlier for earlier in evidence.predecessors(pair_id) if places[earlier].ends_at > place.starts_at}
    too_soon = {later for later in evidence.successors(pair_id) if places[later].starts_at < place.ends_at}
    return (pair_id, *(too_late | too_soon)) if too_late or too_soon else ()


def in_order(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `out_of_order`: the slots after all placed predecessors and before all placed successors."""
    left = board.all_slots
    if board.predecessors:
        for predecessor_id in board.predecessors.get(meeting.pair_id, ()):
            left &= board.slots_before_and_after(predecessor_id)[1]
        for successor_id in board.successors.get(meeting.pair_id, ()):
            left &= board.slots_before_and_after(successor_id)[0]
    return left


def person_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """A participant has another meeting at the same time."""
    clashing = evidence.overlapping(pair_id, evidence.other_meetings(pair_id))
    return (pair_id, *clashing) if clashing else ()


def no_participant_twice(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `person_twice`: the slots in which no participant has a meeting."""
    return board.all_slots & ~board.busy_slots(meeting)


# Tables.


def no_such_table(evidence: Evidence, pair_id: str) -> Culprits:
    """The zone does not exist, or has no such table in service."""
    place, edition = evidence.places[pair_id], evidence.edition
    zones = edition.zones if edition else ()
    return () if any(zone.zone_id == place.zone_id and place.table in zone.tables for zone in zones) else (pair_id,)


def wrong_zone(evidence: Evidence, pair_id: str) -> Culprits:
    """The table is in Innova+, which only admits a company with a research group or technology centre."""
    zone_id, edition = evidence.places[pair_id].zone_id, evidence.edition
    kinds = [organisation.kind for organisation in evidence.organisations(pair_id)]
    zones = edition.zones if edition else ()
    is_innova = any(zone.zone_id == zone_id and zone.kind is ZoneKind.INNOVA for zone in zones)
    return (pair_id,) if is_innova and not _is_academia_with_industry(kinds) else ()


def zones_for(kinds: tuple[OrganisationKind | None, ...], zones: Iterable[Zone]) -> tuple[str, ...]:
    """Return the zones open to participants from organisations of these kinds, the preferred zone first.

    A company with a research group or technology centre meets in Innova+ while it has room. They and all other pairs
    may meet in the workspace, then at tables of the demonstration and conference areas.
    """
    with_tables = [zone for zone in zones if zone.tables]
    kinds_of_zone = (ZoneKind.INNOVA, *OPEN_TO_ALL) if _is_academia_with_industry(kinds) else OPEN_TO_ALL
    return tuple(
        chain.from_iterable([zone.zone_id for zone in with_tables if zone.kind is kind] for kind in kinds_of_zone)
    )


def _is_academia_with_industry(kinds: Collection[OrganisationKind | None]) -> bool:
    return not (COMPANIES.isdisjoint(kinds) or RESEARCHERS.isdisjoint(kinds))


def tables_in_service(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `no_such_table`: all slots, or none if no zone open to the pair has a table."""
    return board.all_slots if any(board.tables.get(zone_id) for zone_id in meeting.zone_ids) else 0


def table_twice(evidence: Evidence, pair_id: str) -> Culprits:
    """Another meeting is at the same table at the same time."""
    clashing = evidence.overlapping(pair_id, evidence.pairs_near_table(evidence.places[pair_id]))
    return (pair_id, *clashing) if clashing else ()


def no_table_twice(board: Board, meeting: Meeting) -> SlotSet:
    """Encode `table_twice`: the slots with a free table in a zone open to the pair."""
    mask = 0
    for zone_id in meeting.zone_ids:
        mask |= board.slots_with_free_table(zone_id)
    return mask


RULES: tuple[Rule, ...] = (
    Rule(no_consent),
    Rule(not_taking_part),
    Rule(no_such_slot),
    Rule(not_available, all_available, WaitingReason.NO_COMMON_SLOT),
    Rule(in_a_session, outside_attended_sessions, WaitingReason.NO_COMMON_SLOT),
    Rule(over_quota, within_quota, WaitingReason.QUOTA_REACHED),
    Rule(pair_twice, one_encounter_a_pair, is_clash=True, binds_begun=False),
    Rule(out_of_order, in_order, WaitingReason.NO_SLOT_IN_ORDER),
    Rule(person_twice, no_participant_twice, is_clash=True),
    Rule(no_such_table, tables_in_service, WaitingReason.NO_TABLE),
    Rule(wrong_zone),
    Rule(table_twice, no_table_twice, WaitingReason.NO_TABLE, is_clash=True),
)


def slots_left(board: Board, meeting: Meeting, allowed: SlotSet) -> tuple[SlotSet, WaitingReason]:
    """Return the slots among `allowed` that all rules allow the meeting, and a waiting reason.

    The reason is meaningful if no slot is left: it belongs to the rule that took the last slot.
    """
    left = allowed
    for rule in RULES:
        if rule.allowed_slots is not None:
            left &= rule.allowed_slots(board, meeting)
            if not left:
                return 0, rule.reason
    return left, WaitingReason.AGENDAS_FULL
