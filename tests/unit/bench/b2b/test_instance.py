import pytest

from bench.b2b.instance import B2bInstance, B2bMeeting, Schedule, breaks, violations

ANY = (0, 1, 2, 3, 4)
#: Participant 0 meets 1, 2 and 3; 1 and 2 meet; 4 meets nobody. Meeting 0 precedes meeting 2.
INSTANCE = B2bInstance(
    5, 5, 1, (B2bMeeting(0, 1, ANY), B2bMeeting(0, 2, ANY), B2bMeeting(0, 3, (2, 4)), B2bMeeting(1, 2, ANY)), ((0, 2),)
)


@pytest.mark.parametrize(
    ("schedule", "counts"),
    [((0, 1, 2, 3), [0, 1, 1, 0, 0]), ((0, 3, 4, 1), [1, 0, 1, 0, 0]), ((0, 2, 4, 3), [2, 1, 0, 0, 0])],
)
def test_a_break_is_a_group_of_idle_slots(schedule: Schedule, counts: list[int]) -> None:
    assert breaks(INSTANCE, schedule) == counts


@pytest.mark.parametrize(
    ("schedule", "fairness", "broken"),
    [
        ((0, 1, 2, 3), 1, {}),
        ((0, 1, 3, 4), 2, {"slot not allowed": [2]}),
        ((0, 0, 2, 3), 2, {"double booked": [0], "short of tables": [0]}),
        ((2, 1, 2, 3), 2, {"double booked": [0], "short of tables": [2], "out of order": [2]}),
        ((3, 0, 2, 1), 2, {"out of order": [2]}),
        ((0, 1, 2, 2), 1, {"short of tables": [2]}),
        ((0, 2, 4, 3), 1, {"unfair": [0]}),
        ((0, 1, 2), 2, {"a slot for each meeting": [3]}),
    ],
)
def test_a_violation_names_the_rule_and_the_participants(
    schedule: Schedule, fairness: int, broken: dict[str, list[int]]
) -> None:
    assert violations(INSTANCE, schedule, fairness) == broken
