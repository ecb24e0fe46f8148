from math import inf

import pytest

from bench.b2b.instance import B2bInstance, B2bMeeting, Infeasible
from bench.b2b.presolve import calendar_of, narrowed

ANY = (0, 1, 2, 3)


def instance(*slots: tuple[int, ...], order: tuple[tuple[int, int], ...] = (), tables: int = 9) -> B2bInstance:
    """Participant 0 meets everyone else once."""
    meetings = tuple(B2bMeeting(0, other, theirs) for other, theirs in enumerate(slots, start=1))
    return B2bInstance(len(slots) + 1, 4, tables, meetings, order)


@pytest.mark.parametrize(
    ("slots", "fewest"),
    [
        ([ANY, ANY], 0),
        ([(0,), (3,)], 1),
        ([(0, 1), (3,), (0, 3)], 1),
        ([(0, 1, 3), (0, 1, 3), (0, 1, 3)], 1),
        ([(0,), ANY, ANY], 0),
        ([(0,), (2,), ANY], 0),
        ([(0,), (2,)], 1),
        ([(0, 1)] * 3, inf),
        ([], 0),
    ],
)
def test_fewest_breaks_of_one_participant(slots: list[tuple[int, ...]], fewest: float) -> None:
    assert calendar_of(instance(*slots), 0).fewest_breaks == fewest


def test_precedences_and_fixed_meetings_remove_slots() -> None:
    fewer = narrowed(instance((1,), ANY, ANY, order=((0, 1), (1, 2))))
    assert [meeting.slots for meeting in fewer.meetings] == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (instance((0, 1), (0, 1), (0, 1)), "more meetings than available slots: participant 1 has 3 meetings, and 2"),
        (instance((0, 1), (0, 1), (0, 1), ANY), "participant 1 has 4 meetings, .* 1 of them find none"),
        (instance(()), "more meetings than available slots: participant 1 has 1 meetings, and 0 slots"),
        (instance((0,), (0, 3), (1, 2), order=((1, 2),)), "meetings 1 and 2 of a participant need the same slot"),
        (instance(ANY, ANY, order=((0, 1), (1, 0))), "cannot come before"),
        (instance(ANY, ANY, order=((0, 0),)), "meeting 1 cannot come before meeting 1"),
        (instance(ANY, tables=0), "more meetings than tables: 1 meetings, 0 tables in each of 4 slots; 1 find none"),
    ],
)
def test_an_infeasible_instance_is_refused_with_the_reason(given: B2bInstance, why: str) -> None:
    with pytest.raises(Infeasible, match=why):
        narrowed(given)
