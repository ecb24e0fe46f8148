"""Property: on random agendas, encodings and plain statements of the rules agree for every pair, slot and table."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.instances.editions import WHEN, Size, synthetic
from bench.instances.stream import STRESS, late_changes
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edits import apply_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable import rules
from services.scheduler.domain.timetable.board import Assignment
from services.scheduler.domain.timetable.evidence import Evidence
from services.scheduler.domain.timetable.timeline import bits
from services.scheduler.domain.timetable.verifier import verify_meetings
from services.scheduler.domain.verification import inputs_of
from shared.internal_api.edits import InviteGuest, OrderEncounters

SIZE = Size("tiny", 5, 8, 14, 5, 3, sessions=2)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 10_000),
    st.integers(0, 30),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8),
)
def test_the_encoding_allows_exactly_what_the_verifier_accepts(
    seed: int, changes: int, orders: list[tuple[int, int]], guests: list[tuple[int, int]]
) -> None:
    instance, state, aggregate = synthetic(SIZE, seed), AgendaState(edition_id="bench"), AgendaAggregate()
    aggregate.decide(state, instance.events, WHEN)
    for later, earlier in orders:
        order(state, later, earlier)
    for encounter, guest in guests:
        invite(state, encounter, guest)
    aggregate.decide(state, [change.event for change in late_changes(instance, changes, STRESS)], WHEN)
    for pair in sorted(state.pairs):
        if state.is_wanted(pair) and state.is_known(pair):
            assert allowed(state, pair) == accepted(state, pair), pair


def invite(state: AgendaState, encounter: int, guest: int) -> None:
    """Invite a guest to an encounter, if the edit is accepted."""
    ids, people = sorted(state.pairs_by_encounter), sorted(state.participants)
    there, who = ids[encounter % len(ids)], people[guest % len(people)]
    with suppress(EditRejected, RulesBroken):
        apply_edit(
            DecisionInProgress(state, WHEN), InviteGuest(encounter_id=there, participant_id=who, is_invited=True), "*"
        )


def order(state: AgendaState, later: int, earlier: int) -> None:
    """Order two encounters, if the edit is accepted."""
    ids = sorted(state.pairs_by_encounter)
    later_id, earlier_id = ids[later % len(ids)], ids[earlier % len(ids)]
    with suppress(EditRejected, RulesBroken):
        apply_edit(
            DecisionInProgress(state, WHEN),
            OrderEncounters(encounter_id=later_id, after_id=earlier_id, is_ordered=True),
            "*",
        )


def allowed(state: AgendaState, pair: str) -> set[tuple[int, str, str]]:
    """Return every slot and table that placement may give the pair."""
    board, meeting = state.board, state.meeting(pair)
    removed = board.remove(pair) if pair in board.placed else None
    left, _ = rules.slots_left(board, meeting, board.all_slots)
    found = {
        (slot.bit_length() - 1, zone, table)
        for slot in bits(left)
        for zone in meeting.zone_ids
        for table in board.tables[zone]
        if board.is_table_free(zone, table, slot)
    }
    if removed is not None:
        board.place(*removed)
    return found


def accepted(state: AgendaState, pair: str) -> set[tuple[int, str, str]]:
    """Return every slot and table at which the verifier accepts the pair."""
    assert state.edition is not None
    found = set()
    for slot in state.edition.slots:
        for zone in state.edition.zones:
            for table in zone.tables:
                place = state.place(Assignment(1 << slot.index, zone.zone_id, table))
                if not verify_meetings(Evidence.collect(inputs_of(state), {**state.placements, pair: place}), [pair]):
                    found.add((slot.index, zone.zone_id, table))
    return found
