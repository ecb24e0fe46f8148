"""Guests: participants that join a pair's encounter by hand, and leave it again."""

from __future__ import annotations

import pytest

from services.scheduler.domain.improvement.adopt import adopt, announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edits import apply_edit, plan_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AgendaChanged, EncounterChanged, WaitingReason
from shared.contract.ids import encounter_id
from shared.internal_api.edits import MOST_PEOPLE, InviteGuest, SwapRepresentative, UndoEdit
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    innova,
    organisation,
    pair,
    participant,
    people,
    session,
    window,
    workspace,
)
from tests.support.scheduler_orders import check, do, fair, lock, put

AB, AC, CD = ("a", "b"), ("a", "c"), ("c", "d")


def invite(sides: tuple[str, str], guest: str, *, is_invited: bool = True) -> InviteGuest:
    return InviteGuest(encounter_id=encounter_id("ed", *sides), participant_id=guest, is_invited=is_invited)


def met(subject: Edition, *sides: str) -> tuple[str, ...]:
    return subject.state.pairs[pair(*sides)].people


def entries(subject: Edition, who: str) -> list[tuple[str | None, tuple[str, ...]]]:
    """With whom a participant's agenda says the encounters are."""
    lines = subject.state.agendas[who].entries
    return [(line.with_participant_id, tuple(party.participant_id for party in line.others)) for line in lines]


def test_a_free_guest_joins_and_all_three_agendas_are_published() -> None:
    subject = fair(AB, CD)
    before = len(subject.published)
    was = subject.slot(*AB)
    subject.consume(participant("g"))
    planned = do(subject, invite(AB, "g"))
    assert subject.slot(*AB) == was
    assert planned.after[pair(*AB)].people == ("a", "b", "g")
    assert entries(subject, "a") == [("b", ("g",))]
    assert entries(subject, "b") == [("a", ("g",))]
    assert entries(subject, "g") == [("a", ("b",))]
    said = [each for each in subject.published[before:] if isinstance(each, EncounterChanged)]
    assert [(each.participant_ids, [party.participant_id for party in each.guests]) for each in said] == [(AB, ["g"])]
    do(subject, UndoEdit())
    assert met(subject, *AB) == AB
    assert entries(subject, "g") == []
    assert entries(subject, "a") == [("b", ())]


def test_for_a_guest_either_meeting_may_move() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 1), put(CD, 1), lock(AB, is_locked=False), lock(CD, is_locked=False))
    do(subject, invite(AB, "c"))
    assert {subject.slot(*AB), subject.slot(*CD)} > {1}
    assert subject.slot(*AB) != subject.slot(*CD)


@pytest.mark.parametrize("locked", [AB, CD])
def test_a_locked_meeting_stays_and_the_unlocked_meeting_moves(locked: tuple[str, str]) -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 1), put(CD, 1), lock(CD if locked == AB else AB, is_locked=False), invite(AB, "c"))
    assert subject.slot(*locked) == 1
    assert subject.slot(*AB) != subject.slot(*CD)


def test_a_guest_between_two_locked_meetings_breaks_a_rule() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 1), put(CD, 1))
    with pytest.raises(RulesBroken, match="person_twice"):
        do(subject, invite(AB, "c"))
    assert met(subject, *AB) == AB


def test_a_meeting_moves_to_the_hours_of_its_guest() -> None:
    guest = participant("g", available=(window(1, 3),), session_ids=("k",))
    subject = Edition(edition(sessions=(session("k", 1, 2),)), *people("a", "b"), guest, affinity(*AB))
    do(subject, put(AB, 0), lock(AB, is_locked=False), invite(AB, "g"))
    assert subject.slot(*AB) == 2
    do(subject, UndoEdit())
    assert subject.slot(*AB) == 0
    assert met(subject, *AB) == AB


def test_a_meeting_waits_for_an_absent_guest_until_the_guest_leaves() -> None:
    guest = participant("g", available=(window(8, 9),))
    subject = Edition(edition(), *people("a", "b"), guest, affinity(*AB))
    do(subject, invite(AB, "g"))
    assert subject.state.waiting == {pair(*AB): WaitingReason.NO_COMMON_SLOT}
    do(subject, invite(AB, "g", is_invited=False))
    assert subject.slot(*AB) is not None


def test_the_two_meet_without_a_cancelled_guest() -> None:
    subject = Edition(edition(), *people("a", "b", "g"), organisation("org-g"), affinity(*AB))
    do(subject, invite(AB, "g"))
    was = subject.slot(*AB)
    subject.consume(participant("g", revision=2, status="cancelled"))
    check(subject)
    assert (met(subject, *AB), subject.slot(*AB)) == (AB, was)
    assert entries(subject, "a") == [("b", ())]
    do(subject, UndoEdit())
    assert met(subject, *AB) == AB


def test_a_guest_of_a_cancelled_organisation_leaves() -> None:
    subject = Edition(edition(), *people("a", "b", "g"), organisation("org-g"), affinity(*AB))
    do(subject, invite(AB, "g"))
    subject.consume(organisation("org-g", revision=2, status="cancelled"))
    check(subject)
    assert met(subject, *AB) == AB
    assert subject.slot(*AB) is not None


def test_an_undo_does_not_bring_a_cancelled_guest_back() -> None:
    subject = fair(AB, CD)
    do(subject, invite(AB, "c"), invite(AB, "c", is_invited=False))
    subject.consume(participant("c", revision=2, status="cancelled"))
    do(subject, UndoEdit())
    assert met(subject, *AB) == AB
    assert subject.slot(*AB) is not None


def test_a_pair_without_its_guest_has_a_place_or_a_reason() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 0), lock(AB, is_locked=False), invite(AB, "c"))
    subject.consume(edition(revision=2, phase="live"))
    subject.now = at(0.5)
    subject.consume(participant("c", revision=2, status="cancelled"))
    subject.consume(edition(revision=3, phase="open"))
    assert met(subject, *AB) == ("a", "b", "c"), "what had begun was history"
    do(subject, invite(AB, "c", is_invited=False))
    assert (subject.slot(*AB) is None) == (pair(*AB) in subject.state.waiting)


def test_a_meeting_moves_with_the_new_hours_of_its_guest() -> None:
    subject = fair(AB, CD)
    do(subject, invite(AB, "c"))
    was = subject.slot(*AB)
    assert was is not None
    hours = (window(2, 4),) if was < 2 else (window(0, 2),)
    subject.consume(participant("c", revision=2, available=hours))
    check(subject)
    assert subject.slot(*AB) not in (None, was)


def test_a_guest_leaves_and_returns_with_the_pair() -> None:
    subject = fair(AB, CD)
    do(subject, invite(AB, "c"))
    subject.consume(affinity(*AB, revision=2, consent="refused"))
    check(subject)
    assert entries(subject, "c") == [("d", ())]
    subject.consume(affinity(*AB, revision=3))
    check(subject)
    assert met(subject, *AB) == ("a", "b", "c")
    assert len(entries(subject, "c")) == 2


def test_a_guest_counts_towards_the_quota() -> None:
    subject = fair(AB, CD, quotas={"max_encounters": 1})
    do(subject, invite(AB, "c"))
    placed = [subject.slot(*AB), subject.slot(*CD)]
    assert placed.count(None) == 1


def test_a_guest_may_also_meet_a_participant_as_a_pair() -> None:
    subject = fair(AB, AC)
    do(subject, invite(AB, "c"))
    assert None not in (subject.slot(*AB), subject.slot(*AC))
    subject.consume(affinity("b", "c"))
    check(subject)
    assert subject.slot("b", "c") is not None


def test_a_researcher_among_the_guests_opens_innova() -> None:
    subject = Edition(
        edition(zones=(innova(), HALL)),
        *(
            organisation(f"org-{each}", kind=kind)
            for each, kind in [("a", "sme"), ("b", "sme"), ("g", "research_group")]
        ),
        *people("a", "b", "g"),
        affinity(*AB),
    )
    assert subject.slot(*AB) is None
    do(subject, invite(AB, "g"))
    assert subject.table(*AB) == "I1"
    check(subject)


def test_a_guest_is_swapped_like_a_participant_of_the_pair() -> None:
    subject = Edition(
        edition(), *people("a", "b"), *(participant(each, organisation_id="g") for each in ("g1", "g2")), affinity(*AB)
    )
    do(subject, invite(AB, "g1"))
    do(subject, SwapRepresentative(encounter_id=encounter_id("ed", *AB), participant_id="g1", by="g2"))
    assert met(subject, *AB) == ("a", "b", "g2")


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (invite(AB, "a"), "already-there"),
        (invite(AB, "nobody"), "unknown-participant"),
        (invite(AB, "a", is_invited=False), "not-a-guest"),
        (invite(("a", "z"), "c"), "unknown-encounter"),
        (invite(AB, "gone"), "cancelled"),
        (invite(("b", "c"), "d"), "not-wanted"),
    ],
)
def test_an_impossible_guest_is_rejected(edit: InviteGuest, code: str) -> None:
    subject = fair(AB, CD)
    subject.consume(participant("gone", status="cancelled"), affinity("b", "c", consent="refused"))
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, edit, subject.now)
    assert refused.value.code == code


def test_a_table_has_a_limited_number_of_chairs() -> None:
    names = [f"g{number}" for number in range(MOST_PEOPLE - 1)]
    subject = Edition(edition(), *people("a", "b", *names), affinity(*AB))
    do(subject, *(invite(AB, name) for name in names[:-1]))
    with pytest.raises(EditRejected) as refused:
        plan_edit(subject.state, invite(AB, names[-1]), subject.now)
    assert refused.value.code == "too-many-guests"


def test_an_absent_guest_does_not_make_an_encounter_missed() -> None:
    subject = fair(AB, CD)
    do(subject, put(AB, 0), invite(AB, "c"))
    subject.consume(edition(revision=2, phase="live"))
    subject.now = at(0.5)

    def report(outcome: str, *absent: str) -> None:
        decision = subject.decision()
        record_attendance(decision, encounter_id("ed", *AB), AttendanceReport(outcome=outcome, absent=absent))
        subject.finish(decision)

    with pytest.raises(EditRejected, match="guests alone"):
        report("missed", "c")
    report("held", "c")
    said = [each for each in subject.published if isinstance(each, EncounterChanged)][-1]
    assert (said.state, said.absent_ids) == ("held", ("c",))
    report("missed", "a", "c")
    said = [each for each in subject.published if isinstance(each, EncounterChanged)][-1]
    assert (said.state, said.absent_ids) == ("missed", ("a", "c"))
    assert pair(*AB) not in subject.state.placements


@pytest.mark.parametrize("is_announced", [False, True])
def test_an_improvement_respects_and_counts_guests(is_announced: bool) -> None:
    names = [f"p{number}" for number in range(8)]
    wishes = [affinity(one, other) for one in names for other in names if one < other]
    subject = Edition(edition(slots=9, zones=(workspace(4), HALL)), *people(*names), *wishes)
    do(subject, invite(("p0", "p1"), "p2"), invite(("p3", "p4"), "p5"), invite(("p3", "p4"), "p6"))
    if is_announced:
        subject.consume(edition(slots=9, zones=(workspace(4), HALL), revision=2, phase="published"))
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    problem = problem_of(subject.state, subject.now, 4)
    decision = subject.decision()
    solution = improve(problem, Effort(seed=7, rounds=3, round_effort=0.02))
    adopt(decision, solution)
    subject.finish(decision)
    check(subject)
    assert solution.bound >= len(subject.state.placements)
    assert solution.fewest_breaks == 0
    assert {pair("p0", "p1"), pair("p3", "p4")} <= subject.state.placements.keys()
    told = {each.participant_id: each for each in subject.published if isinstance(each, AgendaChanged)}
    assert {party.participant_id for line in told["p6"].entries for party in line.others} >= {"p4", "p5"}


def test_a_plan_is_applied_or_stale() -> None:
    subject = fair(AB, CD)
    planned = plan_edit(subject.state, invite(AB, "c"), subject.now)
    apply_edit(subject.decision(), invite(AB, "c"), planned.token)
    assert met(subject, *AB) == ("a", "b", "c")
