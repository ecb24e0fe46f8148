"""Property: no step places an encounter in a slot that has begun, in any phase and at any time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract.events import Phase, Place
from tests.support.scheduler_day import Step, apply_step, check_agenda, check_published, full_fair, steps
from tests.support.scheduler_editions import Edition, at

ORDER = list(Phase)


def _moved(before: dict[str, datetime], subject: Edition) -> list[tuple[str, Place]]:
    """List the pairs with another time than before; the number of a slot may change while its time stays."""
    placements = subject.state.placements.items()
    return [(pair_id, place) for pair_id, place in placements if before.get(pair_id) != place.starts_at]


def _in_phase(subject: Edition, fields: dict[str, Any], advance: int) -> dict[str, Any]:
    assert subject.state.edition is not None
    reached = ORDER.index(subject.state.edition.phase)
    return fields | {"phase": ORDER[min(reached + advance, len(ORDER) - 1)]}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(ORDER[:3]),
    st.floats(-3, 6, width=16),
    st.lists(st.tuples(steps, st.sampled_from([0, 0, 0, 1])), max_size=20),
)
def test_no_step_places_an_encounter_in_the_past(phase: Phase, start: float, rest: list[tuple[Step, int]]) -> None:
    subject = full_fair(phase=phase, now=at(start))
    for revision, ((kind, fields), advance) in enumerate(rest, start=3):
        before = {pair_id: place.starts_at for pair_id, place in subject.state.placements.items()}
        apply_step(subject, kind, _in_phase(subject, fields, advance) if kind == "edition" else fields, revision)
        if kind == "attend":  # a report may put an encounter back that was held
            continue
        for pair_id, place in _moved(before, subject):
            half = place.starts_at + (place.ends_at - place.starts_at) / 2
            assert place.starts_at > subject.now or (subject.state.is_live and half >= subject.now), pair_id
        check_agenda(subject)
    check_published(subject)
