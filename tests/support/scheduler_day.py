"""Random days of an edition, drawn as steps, and checks of the state after a step."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from services.scheduler.domain import timing
from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edit_targets import arrangement_of
from services.scheduler.domain.organiser.edits import apply_edit, plan_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.publication import entries_of
from services.scheduler.domain.repair import settling
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import verify
from services.scheduler.domain.verification import inputs_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import EncounterChanged, EncounterState, Event, Phase
from shared.internal_api.edits import (
    Edit,
    InviteGuest,
    LockEncounter,
    OrderEncounters,
    PlaceEncounter,
    SwapRepresentative,
    UndoEdit,
)
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    organisation,
    participant,
    session,
    window,
    without_empty,
    workspace,
)

#: Two representatives of every organisation: a participant can be substituted.
PEOPLE = {f"p{n}": f"o{n // 2}" for n in range(6)}
PAIRS = [(first, second) for first in PEOPLE for second in PEOPLE if first < second and PEOPLE[first] != PEOPLE[second]]
QUICK = Effort(seed=3, rounds=1, round_effort=0.01, steps=100)

Step = tuple[str, dict[str, Any]]

#: The kinds of edits that are drawn; `edit_of` makes an edit of each. More frequent kinds are named repeatedly.
KINDS_OF_EDITS = (
    *("place", "place", "lock", "unlock", "swap", "undo"),
    *("order", "order", "disorder", "invite", "invite", "send away"),
)
edits = st.tuples(
    st.just("edit"),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(KINDS_OF_EDITS),
            "number": st.integers(0, 20),
            "other": st.integers(0, 20),
            "slot": st.integers(0, 5),
            "table": st.sampled_from([None, "W1", "W2"]),
            "side": st.integers(0, 1),
            "guest": st.sampled_from(sorted(PEOPLE)),
        }
    ),
)
steps = st.one_of(
    st.tuples(
        st.just("edition"),
        st.fixed_dictionaries(
            {
                "phase": st.sampled_from(["live", "live", "live", "closed"]),
                "freeze_minutes": st.sampled_from([0, 15, 20, 60]),
                "zones": st.integers(1, 3).map(lambda tables: (workspace(tables), HALL)),
                "sessions": st.sampled_from([(), (session("k", 1, 2),), (session("k", 2.5, 4),)]),
                "quotas": st.sampled_from([{}, {}, {"max_encounters": 2}]),
                "shift": st.sampled_from([0, 0, 0, 0.4, 0.5, -0.4, 4.2, 1, -1]),
            }
        ),
    ),
    *[
        st.tuples(
            st.just("participant"),
            st.fixed_dictionaries(
                {
                    "who": st.sampled_from(sorted(PEOPLE)),
                    "available": st.sampled_from([(), (), (window(0, 2),), (window(2, 5),)]),
                    "session_ids": st.sampled_from([(), ("k",)]),
                    "checked_in": st.sampled_from([True, True, False]),
                    "status": st.sampled_from(["active", "active", "active", "cancelled"]),
                }
            ),
        )
    ]
    * 2,
    st.tuples(
        st.just("organisation"),
        st.fixed_dictionaries(
            {
                "organisation_id": st.sampled_from(sorted(set(PEOPLE.values()))),
                "interchangeable": st.sampled_from([True, True, False]),
                "status": st.sampled_from(["active"] * 5 + ["cancelled"]),
            }
        ),
    ),
    *[
        st.tuples(
            st.just("affinity"),
            st.fixed_dictionaries(
                {
                    "sides": st.sampled_from(PAIRS),
                    "consent": st.sampled_from(["granted", "granted", "granted", "refused"]),
                    "priority": st.integers(1, 3),
                }
            ),
        )
    ]
    * 3,
    *[edits] * 5,
    *[st.tuples(st.just("attend"), st.fixed_dictionaries({"number": st.integers(0, 20), "absent": st.integers(0, 7)}))]
    * 3,
    *[st.tuples(st.just("clock"), st.fixed_dictionaries({"slot": st.floats(-3, 5, width=16)}))] * 2,
    st.tuples(st.sampled_from(["improve", "announce", "reload"]), st.just({})),
)


def full_fair(
    tables: int = 2, kind: type[Edition] = Edition, phase: Phase = Phase.LIVE, now: datetime | None = None
) -> Edition:
    """An edition with all participants present, where too many pairs want to meet; live before its first slot."""
    fields: dict[str, Any] = {"slots": 5, "zones": (workspace(tables), HALL)}
    subject = kind(
        edition(**fields),
        *(organisation(organisation_id) for organisation_id in sorted(set(PEOPLE.values()))),
        *(participant(name, organisation_id=PEOPLE[name], checked_in=True) for name in PEOPLE),
        *(affinity(*sides) for sides in PAIRS),
        now=now or at(-4),
    )
    subject.consume(edition(revision=2, phase=phase, freeze_minutes=20, **fields))
    return subject


def edit_of(state: AgendaState, fields: dict[str, Any]) -> Edit:
    ids = sorted(state.pairs_by_encounter)
    encounter = ids[fields["number"] % len(ids)]
    people = state.pairs[state.pairs_by_encounter[encounter]].participant_ids
    who = people[fields["side"]]
    match fields["kind"]:
        case "place":
            return PlaceEncounter(encounter_id=encounter, slot=fields["slot"], zone_id="work", table=fields["table"])
        case "swap":
            by = next(name for name in PEOPLE if PEOPLE[name] == PEOPLE[who] and name != who)
            return SwapRepresentative(encounter_id=encounter, participant_id=who, by=by)
        case "invite" | "send away":
            guest, is_invited = fields["guest"], fields["kind"] == "invite"
            there = [
                (pair_id, guest_id) for pair_id, pair in sorted(state.pairs.items()) for guest_id in pair.guest_ids
            ]
            if not is_invited and there:  # prefer a guest who can be sent away
                pair, guest = there[fields["number"] % len(there)]
                encounter = state.encounter_id(pair)
            return InviteGuest(encounter_id=encounter, participant_id=guest, is_invited=is_invited)
        case "undo":
            return UndoEdit()
        case "order" | "disorder":
            after, is_ordered = ids[fields["other"] % len(ids)], fields["kind"] == "order"
            if not is_ordered and state.comes_after:  # prefer an order that can be taken back
                later = sorted(state.comes_after)[fields["number"] % len(state.comes_after)]
                encounter, after = state.encounter_id(later), state.encounter_id(state.comes_after[later][0])
            return OrderEncounters(encounter_id=encounter, after_id=after, is_ordered=is_ordered)
    return LockEncounter(encounter_id=encounter, is_locked=fields["kind"] == "lock")


def event(kind: str, fields: dict[str, Any], revision: int) -> Event:
    fields = dict(fields)
    if kind == "edition":
        return edition(revision=revision, slots=5, **fields)
    if kind == "organisation":
        return organisation(fields.pop("organisation_id"), revision=revision, **fields)
    if kind == "participant":
        who = fields.pop("who")
        return participant(who, revision=revision, organisation_id=PEOPLE[who], **fields)
    first, second = fields.pop("sides")
    return affinity(first, second, revision=revision, **fields)


def attend(subject: Edition, fields: dict[str, Any]) -> None:
    state, decision = subject.state, subject.decision()
    begun = [pair for pair in state.pairs if timing.is_history(state, pair, subject.now)]
    ids = sorted(map(state.encounter_id, begun or state.pairs))
    encounter = ids[fields["number"] % len(ids)]
    pair = state.pairs[state.pairs_by_encounter[encounter]]
    people = pair.people
    absent = tuple(person for bit, person in enumerate(people) if fields["absent"] >> bit & 1)
    outcome = EncounterState.HELD if set(absent).isdisjoint(pair.participant_ids) else EncounterState.MISSED
    try:
        record_attendance(decision, encounter, AttendanceReport(outcome=outcome, absent=absent))
    except EditRejected:
        assert not decision.changes
    subject.finish(decision)


def apply_edit_as_planned(subject: Edition, edit: Edit) -> bool:
    """Plan an edit and apply it as planned. Returns whether it was accepted."""
    state, before = subject.state, subject.state.model_dump()
    placed, pinned = dict(state.board.placed), set(state.board.pinned)
    decision = subject.decision()
    try:
        planned = plan_edit(state, edit, subject.now)
        assert state.model_dump() == before
        assert (state.board.placed, state.board.pinned) == (placed, pinned)
        assert apply_edit(decision, edit, planned.token) == planned
    except (EditRejected, RulesBroken):
        assert state.model_dump() == before
        return False
    subject.finish(decision)
    assert {pair_id: arrangement_of(state, pair_id) for pair_id in planned.after} == planned.after
    return True


def apply_step(subject: Edition, kind: str, fields: dict[str, Any], revision: int) -> None:
    state = subject.state
    if kind == "clock":
        subject.now = max(subject.now, at(fields["slot"]))
    elif kind == "edit":
        apply_edit_as_planned(subject, edit_of(state, fields))
    elif kind == "attend":
        attend(subject, fields)
    elif kind == "reload":
        subject.state = AgendaState.model_validate_json(state.model_dump_json())
    elif kind in {"announce", "improve"}:
        decision = subject.decision()
        if kind == "announce":
            announce(decision)
        elif not state.is_closed:
            adopt(decision, improve(problem_of(state, subject.now, 3), QUICK))
        subject.finish(decision)
    elif not (kind == "edition" and state.is_closed):
        subject.consume(event(kind, fields, revision))


def check_agenda(subject: Edition) -> None:
    """Assert that the whole agenda breaks no rule, is complete, and is published."""
    state = subject.state
    if state.is_closed:
        return
    begun = {pair for pair in state.placements if timing.has_begun(state, pair, subject.now)}
    assert verify(inputs_of(state), state.placements, begun) == []
    for pair in state.pairs:
        if state.is_wanted(pair):
            assert (pair in state.placements) != (pair in state.waiting), pair
        else:
            assert pair not in state.waiting
            assert pair not in state.placements or pair in begun
    assert not state.unpublished_pairs
    assert not state.unpublished_participants
    assert state.locked <= state.placements.keys() | state.attended.keys() | state.waiting.keys() | begun


def check_indexes(subject: Edition) -> None:
    """Assert that indexes updated step by step equal indexes built anew."""
    state = subject.state
    fresh = AgendaState.model_validate_json(state.model_dump_json())
    assert state.board.placed == fresh.board.placed
    assert state.board.pinned == fresh.board.pinned
    assert {person: slots for person, slots in state.board.busy.items() if slots} == {
        person: slots for person, slots in fresh.board.busy.items() if slots
    }
    assert state.board.tables == fresh.board.tables
    assert (state.board.predecessors, state.board.successors) == (fresh.board.predecessors, fresh.board.successors)
    assert state.board.before_and_after == fresh.board.before_and_after
    for participant_id in state.participants:
        assert entries_of(state, participant_id, {}) == entries_of(fresh, participant_id, {})
    assert settling.open_places(state, subject.now) == settling.open_places(fresh, subject.now)
    assert without_empty(state.links) == without_empty(fresh.links)


def check_published(subject: Edition) -> None:
    """Assert that the newest event of every encounter agrees with the state, and that revisions have no gap."""
    newest: dict[str, Event] = {}
    for published in subject.published:
        assert published.revision == (newest[published.thing].revision + 1 if published.thing in newest else 1)
        newest[published.thing] = published
    state = subject.state
    if state.is_closed:
        return
    for pair, place in state.placements.items():
        published = newest[f"encounter/{state.encounter_id(pair)}"]
        assert isinstance(published, EncounterChanged)
        met = (*published.participant_ids, *(guest.participant_id for guest in published.guests))
        assert (published.place, met) == (place, state.pairs[pair].people)
    for pair, attended in state.attended.items():
        published = newest[f"encounter/{state.encounter_id(pair)}"]
        assert isinstance(published, EncounterChanged)
        assert (published.state, published.place, published.absent_ids) == (
            attended.outcome,
            attended.place,
            attended.absent_ids,
        )
