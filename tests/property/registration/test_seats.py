"""Concurrent requests, on data of any age, never exceed the capacity of a session."""

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
def test_attendance_never_exceeds_the_capacity(
    capacity: int, numbers: list[int], without: int, steps: list[tuple[str, int]]
) -> None:
    """The session starts with participants from an earlier capacity or none. Requests and writes are interleaved."""
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
def test_as_many_seats_are_open_as_places_are_left(capacity: int, held: list[int | None]) -> None:
    left = open_seats(capacity, held)
    assert len(set(left)) == len(left) == max(0, capacity - len(held))
    assert not set(left) & set(held)
    assert all(number <= capacity for number in left)
