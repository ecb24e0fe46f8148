"""Whoever asks when, and on whatever was known then: never do more attend a session than it has seats."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.seats import open_seats

STEPS = st.lists(st.tuples(st.sampled_from(["ask", "write", "leave"]), st.integers(0, 50)), max_size=60)


@given(
    st.integers(1, 6),
    st.lists(st.integers(1, 12), unique=True, max_size=6),
    st.integers(0, 4),
    STEPS,
)
def test_no_more_get_in_than_there_are_seats(
    capacity: int, numbers: list[int], without: int, steps: list[tuple[str, int]]
) -> None:
    """Some attend already, under another capacity or none. Between asking and writing, anything may happen."""
    held: list[int | None] = [*numbers, *[None] * without]
    given: list[int] = []
    for step, which in steps:
        if step == "ask" and (left := open_seats(capacity, held)):
            given.append(left[which % len(left)])
        elif step == "write" and given:
            number = given.pop(which % len(given))
            if number not in held:  # else the database refuses it
                held.append(number)
                assert len(held) <= capacity
        elif step == "leave" and held:
            held.pop(which % len(held))


@given(st.integers(1, 6), st.lists(st.integers(1, 12) | st.none(), max_size=8))
def test_as_many_may_be_given_as_there_is_room_for(capacity: int, held: list[int | None]) -> None:
    left = open_seats(capacity, held)
    assert len(set(left)) == len(left) == max(0, capacity - len(held))
    assert not set(left) & set(held)
    assert all(number <= capacity for number in left)
