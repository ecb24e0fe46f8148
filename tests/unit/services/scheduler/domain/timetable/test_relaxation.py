"""The nearest relaxation of a waiting pair, for every rule."""

from __future__ import annotations

import pytest

from shared.contract.events import EncounterChanged, Event, Relaxation
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    edition,
    participant,
    people,
    session,
    window,
    workspace,
)

ONE_SLOT = edition(slots=1, zones=(workspace(1), HALL))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (
            [ONE_SLOT, *people("a", "b", "c", "d"), affinity("c", "d")],
            Relaxation(rule="table_twice", slot=0, zone_id="work"),
        ),
        (
            [edition(slots=1), *people("a", "b", "c"), affinity("a", "c")],
            Relaxation(rule="person_twice", slot=0, participant_ids=("a",)),
        ),
        (
            [
                edition(slots=2),
                participant("a", available=(window(0, 1),)),
                participant("b", available=(window(1, 2),)),
            ],
            Relaxation(rule="not_available", slot=0, participant_ids=("b",)),
        ),
        (
            [edition(slots=1, sessions=(session("k", 0, 1),)), participant("a", session_ids=("k",)), *people("b")],
            Relaxation(rule="in_a_session", slot=0, participant_ids=("a",)),
        ),
        (
            [edition(slots=1, quotas={"max_encounters": 0}), *people("a", "b")],
            Relaxation(rule="over_quota", slot=0, participant_ids=("a", "b")),
        ),
        ([edition(slots=0), *people("a", "b")], None),
        ([*people("a", "b")], None),
    ],
)
def test_the_nearest_relaxation(events: list[Event], expected: Relaxation | None) -> None:
    published = [event for event in Edition(*events).consume(affinity("a", "b")) if isinstance(event, EncounterChanged)]
    assert [event.relaxation for event in published] == [expected]
