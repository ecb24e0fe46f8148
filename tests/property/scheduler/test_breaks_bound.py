"""Property: the bound on breaks holds for all agendas of small editions."""

from __future__ import annotations

from itertools import product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.timetable.breaks import breaks_of
from services.scheduler.domain.timetable.timeline import bits
from services.scheduler.solver.draft import Draft
from services.scheduler.solver.fewest_breaks import fewest_breaks
from services.scheduler.solver.polish import polish
from tests.support.scheduler_editions import NOW, Edition, affinity, edition, participant, session, window

PEOPLE = "abcd"
PAIRS = [first + second for first in PEOPLE for second in PEOPLE if first < second]

windows = st.tuples(st.integers(0, 4), st.integers(1, 5)).map(lambda at: window(at[0], at[0] + at[1]))
hours = st.lists(st.one_of(st.none(), windows), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    hours,
    st.sets(st.sampled_from(PEOPLE), max_size=2),
    st.sets(st.sampled_from(PAIRS), min_size=1, max_size=4),
    st.integers(0, 4),
)
def test_no_agenda_that_places_all_has_fewer_breaks(
    there: list[object], attending: set[str], pairs: set[str], at: int
) -> None:
    subject = Edition(
        edition(slots=5, sessions=(session("k1", at, at + 1),)),
        *(
            participant(name, available=(when,) if when else (), session_ids=("k1",) if name in attending else ())
            for name, when in zip(PEOPLE, there, strict=True)
        ),
        *(affinity(*sides) for sides in sorted(pairs)),
    )
    draft = Draft(problem_of(subject.state, NOW, 0))
    found = [sum(breaks) for breaks in agendas(draft)]
    assume(found)
    polish(draft, 1, 3000)
    assert draft.placed_count() == len(pairs)
    assert fewest_breaks(draft) <= min(found) <= sum(breaks_by_person(draft, draft.busy))


def agendas(draft: Draft) -> list[list[int]]:
    """List the breaks by participant, for every agenda that places all pairs without a clash."""
    found = []
    for slots in product(*(list(bits(draft.common(pair))) for pair in range(len(draft.pairs)))):
        busy = [0] * len(draft.busy)
        met = [(person, slot) for pair, slot in enumerate(slots) for person in draft.sides[pair]]
        if len(set(met)) == len(met) and max(map(slots.count, slots), default=0) <= 2:
            for person, slot in met:
                busy[person] |= slot
            found.append(breaks_by_person(draft, busy))
    return found


def breaks_by_person(draft: Draft, busy: list[int]) -> list[int]:
    return [
        len(list(breaks_of(met, attending, draft.days))) for met, attending in zip(busy, draft.attending, strict=True)
    ]
