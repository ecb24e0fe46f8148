"""Property: changes of facts that are undone within the settle time leave the agenda as it was announced."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.scheduler_day import check_agenda, check_indexes, check_published
from tests.support.scheduler_facts import PAIRS, Change, Facts, agenda_of, changes


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["published", "live"]),
    st.lists(st.sampled_from(PAIRS), unique=True, min_size=8, max_size=30),
    st.integers(3, 5),
    st.booleans(),
    st.booleans(),
    changes,
)
def test_undone_changes_leave_the_agenda_as_announced(
    phase: str,
    pairs: list[tuple[str, str]],
    quota: int,
    substitutes: bool,
    is_improved: bool,
    drawn: list[Change],
) -> None:
    facts = Facts(phase, pairs, quota, substitutes=substitutes)
    before = agenda_of(facts.subject.state)
    for change in drawn:
        facts.send(change)
        check_agenda(facts.subject)
        if is_improved:
            facts.improve()
            check_agenda(facts.subject)
    facts.undo_all()
    check_agenda(facts.subject)
    assert agenda_of(facts.subject.state) == before
    check_indexes(facts.subject)
    check_published(facts.subject)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["published", "live"]),
    st.lists(st.sampled_from(PAIRS), unique=True, min_size=8, max_size=30),
    st.integers(3, 5),
    changes.map(lambda drawn: list({(thing, *fields): (thing, fields) for thing, fields in drawn}.values())),
    st.lists(st.sampled_from(PAIRS), unique=True, max_size=3),
    st.randoms(use_true_random=False),
)
def test_changes_and_requests_undone_in_any_order_leave_the_agenda_as_announced(
    phase: str,
    pairs: list[tuple[str, str]],
    quota: int,
    drawn: list[Change],
    requested: list[tuple[str, str]],
    random: Random,
) -> None:
    facts = Facts(phase, pairs, quota, substitutes=True)
    before = dict(facts.subject.state.placements)
    new = [sides for sides in requested if sides not in pairs]
    for change in drawn:
        facts.send(change)
        if new:
            facts.request(new[-1], is_made=random.random() < 0.7)
    for sides in new:
        facts.request(sides, is_made=True)
    check_agenda(facts.subject)
    facts.undo_in_order_of(random)
    for sides in new:
        facts.request(sides, is_made=False)
    check_agenda(facts.subject)
    assert facts.subject.state.placements == before
    check_indexes(facts.subject)
