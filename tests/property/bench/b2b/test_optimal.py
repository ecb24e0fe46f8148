"""The solver agrees with a trial of every schedule on tiny instances."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.b2b.instance import B2bInstance, B2bMeeting, Infeasible, breaks, violations
from bench.b2b.solve import solve

SLOTS = 5


@st.composite
def instances(draw: st.DrawFn) -> B2bInstance:
    participants = draw(st.integers(2, 5))
    meetings = []
    for _ in range(draw(st.integers(0, 5))):
        one = draw(st.integers(0, participants - 1))
        other = (one + draw(st.integers(1, participants - 1))) % participants
        allowed = draw(st.one_of(st.just(set(range(SLOTS))), st.sets(st.integers(0, SLOTS - 1))))
        meetings.append(B2bMeeting(one, other, tuple(sorted(allowed))))
    numbers = st.integers(0, max(len(meetings) - 1, 0))
    order = draw(st.lists(st.tuples(numbers, numbers), max_size=3 if meetings else 0))
    return B2bInstance(participants, SLOTS, draw(st.integers(0, 3)), tuple(meetings), tuple(order))


def fewest_by_trial(instance: B2bInstance, fairness: int) -> int | None:
    """The optimum, or None if there is no schedule: every combination is judged by the rules themselves."""
    found = (
        sum(breaks(instance, schedule))
        for schedule in product(*(meeting.slots for meeting in instance.meetings))
        if not violations(instance, schedule, fairness)
    )
    return min(found, default=None)


def fewest_by_solver(instance: B2bInstance, fairness: int) -> int | None:
    try:
        solved = solve(instance, fairness)
    except Infeasible:
        return None
    assert solved.schedule is not None
    assert not violations(instance, solved.schedule, fairness)
    assert solved.breaks == solved.bound == sum(breaks(instance, solved.schedule))
    return solved.breaks


@settings(max_examples=150, deadline=None)
@given(instance=instances(), fairness=st.integers(0, 3))
def test_the_solver_finds_the_optimum_of_an_exhaustive_search(instance: B2bInstance, fairness: int) -> None:
    assert fewest_by_solver(instance, fairness) == fewest_by_trial(instance, fairness)
