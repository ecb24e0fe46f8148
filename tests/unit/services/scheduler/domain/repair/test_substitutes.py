"""Substitutes of organisations with interchangeable representatives."""

from __future__ import annotations

from itertools import product

import pytest

from services.scheduler.domain.improvement.adopt import announce
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.solver.bound import placement_bound
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import AgendaChanged, Event, WaitingReason
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    edition,
    organisation,
    pair,
    participant,
    people,
    window,
    workspace,
)
from tests.support.scheduler_orders import check, do, put


def acme(revision: int = 1, *, interchangeable: bool = True, **fields: object) -> Event:
    return organisation("acme", revision=revision, interchangeable=interchangeable, **fields)  # type: ignore[arg-type]


def representative(name: str, revision: int = 1, **fields: object) -> Event:
    return participant(name, revision=revision, organisation_id="acme", **fields)


def fair(*more: Event, interchangeable: bool = True, slots: int = 1, **fields: object) -> Edition:
    """An edition of one slot: b and c both want to meet a1; a1 and a2 represent acme."""
    return Edition(
        edition(slots=slots, **fields),  # type: ignore[arg-type]
        acme(interchangeable=interchangeable),
        representative("a1"),
        representative("a2"),
        *people("b", "c"),
        *more,
        affinity("a1", "b"),
        affinity("a1", "c"),
    )


def met(subject: Edition, one: str, other: str) -> tuple[str, ...]:
    return subject.state.pairs[pair(one, other)].people


def test_a_colleague_substitutes_for_a_participant_without_time() -> None:
    subject = fair()
    check(subject)
    assert (subject.slot("a1", "b"), subject.slot("a1", "c")) == (0, 0)
    assert met(subject, "a1", "c") == ("a2", "c")
    told = {each.participant_id: each for each in subject.published if isinstance(each, AgendaChanged)}
    assert [line.with_participant_id for line in told["c"].entries] == ["a2"]


def test_no_substitute_unless_representatives_are_interchangeable() -> None:
    subject = fair(interchangeable=False)
    assert subject.slot("a1", "c") is None
    subject.consume(acme(2))
    check(subject)
    assert met(subject, "a1", "c") == ("a2", "c")
    assert subject.slot("a1", "c") == 0


def test_moves_come_before_substitutes_until_the_announcement() -> None:
    events = [representative("a1"), representative("a2", available=(window(0, 1),)), *people("b", "c")]
    late = participant("c", revision=2, available=(window(0, 1),))
    for is_announced in (False, True):
        subject = Edition(edition(slots=2), acme(), *events, affinity("a1", "b"))
        do(subject, put(("a1", "b"), 0))
        subject.state.locked.clear()
        subject.state.board.pinned.clear()
        if is_announced:
            subject.consume(edition(slots=2, revision=2, phase="published"))
            decision = subject.decision()
            announce(decision)
            subject.finish(decision)
        subject.consume(late, affinity("a1", "c"))
        assert subject.slot("a1", "c") == 0
        assert subject.slot("a1", "b") == (0 if is_announced else 1)
        assert met(subject, "a1", "c") == (("a2", "c") if is_announced else ("a1", "c"))


@pytest.mark.parametrize(
    "colleague",
    [
        {"available": (window(4, 5),)},
        {"status": "cancelled"},
        {"blocked_ids": ("c",)},
        {"blocked_ids": ("org-c",)},
    ],
)
def test_a_colleague_that_cannot_substitute(colleague: dict[str, object]) -> None:
    subject = fair(representative("a2", revision=2, **colleague))
    assert subject.slot("a1", "c") is None
    assert subject.state.waiting[pair("a1", "c")] is WaitingReason.AGENDAS_FULL


def test_no_substitute_for_a_partner_that_blocks_the_organisation() -> None:
    subject = fair(participant("c", revision=2, blocked_ids=("a2",)))
    assert subject.slot("a1", "c") is None


def test_a_colleague_that_meets_the_partner_does_not_substitute() -> None:
    subject = Edition(
        edition(slots=2),
        acme(),
        representative("a1", available=(window(0, 1),)),
        representative("a2"),
        *people("b", "c"),
        affinity("a2", "c"),
        affinity("a1", "b"),
        affinity("a1", "c", score=0.1),
    )
    check(subject)
    assert subject.slot("a1", "c") is None


def test_the_colleague_with_the_fewest_encounters_substitutes() -> None:
    subject = Edition(
        edition(slots=2),
        acme(),
        representative("a1", available=(window(1, 2),)),
        *(representative(each) for each in ("a2", "a3")),
        *people("b", "c", "d"),
        affinity("a2", "d"),
        affinity("a1", "b"),
        affinity("a1", "c"),
    )
    check(subject)
    assert met(subject, "a1", "c") == ("a3", "c")


def test_time_freed_by_a_colleague_is_offered_as_a_substitute() -> None:
    subject = fair(representative("a2", revision=2), affinity("a2", "d"), participant("d"), participant("e"))
    subject.consume(affinity("a2", "e", revision=1))
    waiting = set(subject.state.waiting)
    assert waiting
    placed = next(each for each in (("a2", "d"), ("a2", "e"), ("a1", "c"), ("a1", "b")) if subject.slot(*each) == 0)
    subject.consume(affinity(*placed, revision=9, consent="refused"))
    check(subject)
    assert len(subject.state.waiting) < len(waiting)


def test_when_a_substitute_cancels_the_matched_participant_returns() -> None:
    subject = fair()
    subject.consume(representative("a2", revision=2, status="cancelled"))
    check(subject)
    assert met(subject, "a1", "c") == ("a1", "c")
    assert subject.state.waiting == {pair("a1", "c"): WaitingReason.AGENDAS_FULL}
    subject.consume(affinity("a1", "b", revision=2, consent="refused"))
    check(subject)
    assert subject.slot("a1", "c") == 0


def test_a_cancelled_organisation_has_no_substitutes() -> None:
    subject = fair()
    subject.consume(acme(2, status="cancelled"))
    check(subject)
    assert not subject.state.placements
    assert not subject.state.waiting


def test_the_bound_counts_substitutes_and_claims_no_fewest_breaks() -> None:
    names = [f"b{number}" for number in range(6)]
    subject = Edition(
        edition(slots=3, zones=(workspace(6), HALL)),
        acme(),
        *(representative(each) for each in ("a1", "a2")),
        *people(*names),
        *(affinity("a1", each) for each in names),
    )
    check(subject)
    assert len(subject.state.placements) == 6
    problem = problem_of(subject.state, subject.now, 0)
    assert placement_bound(problem) == 6
    assert improve(problem, Effort(seed=7, rounds=1, round_effort=0.01)).fewest_breaks == 0
    assert {met(subject, "a1", each)[0] for each in names} == {"a1", "a2"}


def test_the_bound_is_no_less_than_substitutes_can_place() -> None:
    """The bound of pairs with a1 counts the time of a1 alone, unless colleagues may substitute."""
    names = [f"b{number}" for number in range(4)]
    for interchangeable, slots in product((True, False), (1, 2)):
        subject = Edition(
            edition(slots=slots, zones=(workspace(6), HALL)),
            acme(interchangeable=interchangeable),
            *(representative(each) for each in ("a1", "a2")),
            *people(*names),
            *(affinity("a1", each) for each in names),
        )
        assert placement_bound(problem_of(subject.state, subject.now, 0)) == slots * (1 + interchangeable)
        assert len(subject.state.placements) == slots * (1 + interchangeable)


def test_a_locked_meeting_of_a_cancelled_substitute_is_cancelled() -> None:
    subject = fair()
    subject.consume(representative("a3"))
    do(subject, put(("a1", "c"), 0))
    assert met(subject, "a1", "c") == ("a2", "c")
    subject.consume(representative("a2", revision=2, status="cancelled"))
    check(subject)
    assert subject.slot("a1", "c") is None
    assert pair("a1", "c") not in subject.state.waiting


def test_no_substitute_for_a_meeting_that_had_to_keep_its_place() -> None:
    subject = fair(slots=2)
    do(subject, put(("a1", "b"), 0))
    subject.consume(representative("a1", revision=2, available=(window(1, 2),)))
    check(subject)
    assert met(subject, "a1", "b") == ("a1", "b")
