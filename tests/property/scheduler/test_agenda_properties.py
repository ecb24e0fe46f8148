"""Property: any history of events leaves a valid, published agenda that its journal reproduces."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.changes import CHANGE
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import bits
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.construct import construct
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AgendaChanged, EncounterChanged, EncounterState, EntryKind, Event, Goal
from shared.contract.ids import encounter_id
from tests.support.scheduler_day import check_agenda
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    innova,
    organisation,
    participant,
    session,
    window,
    without_empty,
    workspace,
)

PEOPLE = [f"p{n}" for n in range(7)]
ORGANISATIONS = [f"o{n}" for n in range(4)]
QUICK = Effort(seed=3, rounds=2, round_effort=0.02, steps=50)

Step = tuple[str, dict[str, Any]]

windows = st.tuples(st.integers(0, 4), st.integers(1, 5)).map(lambda at: window(at[0], at[0] + at[1]))
sessions = st.lists(
    st.tuples(st.sampled_from(["k1", "k2"]), st.floats(0, 4, width=16), st.sampled_from([0.5, 1, 2])),
    max_size=2,
    unique_by=lambda drawn: drawn[0],
).map(lambda drawn: tuple(session(name, first, first + length) for name, first, length in drawn))
editions = st.fixed_dictionaries(
    {
        "slots": st.integers(0, 6),
        "shift": st.sampled_from([0, 0, 0, 1, 0.5]),
        "zones": st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda n: (workspace(n[0]), innova(n[1]), HALL)),
        "sessions": sessions,
        "quotas": st.sampled_from([{}, {}, {"max_encounters": 2}, {"max_encounters": 0}, {"min_encounters": 2}]),
        "phase": st.sampled_from(["open", "open", "open", "published", "live", "closed"]),
        "goals": st.sampled_from([(), tuple(Goal)]),
    }
)
participants = st.fixed_dictionaries(
    {
        "participant_id": st.sampled_from(PEOPLE),
        "organisation_id": st.sampled_from(ORGANISATIONS),
        "available": st.lists(windows, max_size=2).map(tuple),
        "session_ids": st.sets(st.sampled_from(["k1", "k2"]), max_size=1).map(tuple),
        "status": st.sampled_from(["active", "active", "active", "cancelled"]),
    }
)
organisations = st.fixed_dictionaries(
    {
        "organisation_id": st.sampled_from(ORGANISATIONS),
        "kind": st.sampled_from(["sme", "research_group", "consultant"]),
        "status": st.sampled_from(["active", "active", "active", "cancelled"]),
        "country": st.sampled_from(["ES", "MX"]),
    }
)
affinities = st.fixed_dictionaries(
    {
        "sides": st.lists(st.sampled_from(PEOPLE), min_size=2, max_size=2, unique=True),
        "consent": st.sampled_from(["granted", "granted", "granted", "pending", "refused"]),
        "priority": st.integers(1, 3),
        "score": st.floats(0, 1, width=16),
    }
)
#: Changes of tables and sessions alone, which do not remake the edition. A middle table may be lost.
repairs = st.fixed_dictionaries(
    {
        "tables": st.sets(st.sampled_from(["W1", "W2", "W3"]), min_size=1).map(sorted).map(tuple),
        "sessions": sessions,
    }
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("edition"), editions),
        st.tuples(st.just("repair"), repairs),
        *[st.tuples(st.just("participant"), participants)] * 3,
        st.tuples(st.just("organisation"), organisations),
        *[st.tuples(st.just("affinity"), affinities)] * 6,
        st.tuples(st.sampled_from(["improve", "announce", "reload"]), st.just({})),
        st.tuples(st.just("clock"), st.fixed_dictionaries({"slot": st.integers(-1, 6)})),
    ),
    max_size=40,
)


def event(kind: str, fields: dict[str, Any], revision: int) -> Event:
    fields = dict(fields)
    if kind == "edition":
        return edition(revision=revision, **fields)
    if kind == "participant":
        return participant(fields.pop("participant_id"), revision=revision, **fields)
    if kind == "organisation":
        return organisation(fields.pop("organisation_id"), revision=revision, **fields)
    first, second = fields.pop("sides")
    return affinity(first, second, revision=revision, **fields)


def apply_step(subject: Edition, kind: str, fields: dict[str, Any], revision: int) -> None:
    state = subject.state
    if kind == "clock":
        later = window(fields["slot"], fields["slot"] + 1).starts_at
        subject.now = max(subject.now, later)
    elif kind == "reload":
        subject.state = AgendaState.model_validate_json(state.model_dump_json())
    elif kind == "announce":
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    elif kind == "improve":
        if state.edition is not None and not state.is_closed:
            decision = subject.decision()
            adopt(decision, improve(problem_of(state, subject.now, 3), QUICK))
            subject.finish(decision)
    elif kind == "repair":
        if state.edition is not None:
            zones = [z.model_copy(update={"tables": fields["tables"]} if z.tables else {}) for z in state.edition.zones]
            changed = {"revision": revision, "zones": tuple(zones), "sessions": fields["sessions"]}
            subject.consume(state.edition.model_copy(update=changed))
    else:
        subject.consume(event(kind, fields, revision))


def check_indexes(state: AgendaState) -> None:
    """Assert that indexes updated change by change equal indexes built anew."""
    made = AgendaState.model_validate_json(state.model_dump_json())
    kept_board, board = state.board, made.board
    assert kept_board.placed == board.placed
    assert (kept_board.hours, kept_board.tables, kept_board.quota) == (board.hours, board.tables, board.quota)
    for zone in board.tables:
        assert kept_board.slots_with_free_table(zone) == board.slots_with_free_table(zone)
        for slot in bits(board.slots_with_free_table(zone)):
            assert kept_board.first_free_table(zone, slot) == board.first_free_table(zone, slot)
    assert without_empty(state.links) == without_empty(made.links)


def check_published(subject: Edition) -> None:
    """Assert that the newest events agree with the state, and that their revisions have no gap."""
    newest: dict[str, Event] = {}
    for published in subject.published:
        assert published.revision == (newest[published.thing].revision + 1 if published.thing in newest else 1)
        newest[published.thing] = published
    state = subject.state
    if state.is_closed:
        return
    for pair, place in state.placements.items():
        published = newest[f"encounter/{encounter_id('ed', *state.pairs[pair].participant_ids)}"]
        assert isinstance(published, EncounterChanged)
        assert published.place == place
        assert published.state in {EncounterState.SCHEDULED, EncounterState.MOVED}
    for participant_id in state.participants:
        agenda = newest.get(f"participant/{participant_id}")
        entries = agenda.entries if isinstance(agenda, AgendaChanged) else ()
        placed = {
            (state.placements[pair].starts_at, state.placements[pair].table)
            for pair in state.board.assignments_of[participant_id]
        }
        assert {(e.starts_at, e.table) for e in entries if e.kind is EntryKind.ENCOUNTER} == placed
        assert list(entries) == sorted(entries, key=lambda entry: entry.starts_at)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(editions, steps)
def test_every_event_leaves_a_valid_agenda(first: dict[str, Any], rest: list[Step]) -> None:
    subject = Edition(event("edition", {**first, "phase": "open"}, 1))
    for revision, (kind, fields) in enumerate(rest, start=2):
        apply_step(subject, kind, fields, revision)
        check_agenda(subject)
        check_indexes(subject.state)
    check_published(subject)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_replaying_the_changes_gives_the_state(rest: list[Step]) -> None:
    subject = Edition()
    for revision, (kind, fields) in enumerate(rest, start=1):
        apply_step(subject, kind, fields, revision)
    replayed = AgendaState(edition_id="ed")
    for change in subject.changes:
        evolve(replayed, CHANGE.validate_json(CHANGE.dump_json(change)))
    assert replayed.model_dump() == subject.state.model_dump()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_repeats_and_older_revisions_change_nothing(rest: list[Step]) -> None:
    events = [event(*step, revision) for revision, step in enumerate(rest, start=1) if step[0] in EVENTS]
    subject = Edition(*events)
    before = len(subject.changes)
    assert subject.consume(*events) == []
    assert len(subject.changes) == before


EVENTS = {"edition", "participant", "organisation", "affinity"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(editions, st.lists(st.tuples(st.just("participant"), participants), min_size=4, max_size=12), st.data())
def test_the_bound_holds_and_improving_places_no_fewer(
    first: dict[str, Any], registered: list[Step], data: st.DataObject
) -> None:
    asked = data.draw(st.lists(st.tuples(st.just("affinity"), affinities), max_size=20))
    subject = Edition(event("edition", {**first, "phase": "open"}, 1))
    subject.consume(*(event(*step, revision) for revision, step in enumerate(registered + asked, start=2)))
    problem = problem_of(subject.state, NOW, 0)
    solution = improve(problem, QUICK)
    assert len(construct(problem, 0, QUICK.seed).placed) <= len(solution.assignments) <= solution.bound
    assert len(subject.state.placements) <= placement_bound(problem)
