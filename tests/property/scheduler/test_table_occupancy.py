"""Property: the index of tables by hour finds every meeting that overlaps a place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.domain.timetable.evidence import TableOccupancy
from shared.contract.events import Place

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)


@st.composite
def places(draw: st.DrawFn) -> Place:
    start, minutes = draw(st.integers(0, 300)), draw(st.integers(1, 150))
    return Place(
        slot=0,
        starts_at=MIDNIGHT + timedelta(minutes=start),
        ends_at=MIDNIGHT + timedelta(minutes=start + minutes),
        zone_id=draw(st.sampled_from(["workspace", "innova"])),
        table=draw(st.sampled_from(["1", "2"])),
    )


@given(st.lists(places(), min_size=1), st.data())
def test_the_index_misses_no_overlapping_meeting(drawn: list[Place], data: st.DataObject) -> None:
    by_pair = {str(number): place for number, place in enumerate(drawn)}
    occupancy = TableOccupancy(by_pair)
    for pair in data.draw(st.lists(st.sampled_from(sorted(by_pair)), unique=True)):
        occupancy.discard(pair, by_pair.pop(pair))
    asked = data.draw(places())

    at_table = {pair: p for pair, p in by_pair.items() if (p.zone_id, p.table) == (asked.zone_id, asked.table)}

    near = occupancy.near(asked)
    assert {pair for pair, place in at_table.items() if place.overlaps(asked)} <= near
    assert near <= at_table.keys() == occupancy.at(asked.zone_id, asked.table)
