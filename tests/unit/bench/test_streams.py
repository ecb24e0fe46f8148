from functools import partial
from typing import Any

import pytest

from bench.instances.arrivals import last_minute
from bench.instances.editions import Size
from bench.instances.stream import RUSH
from bench.streams import ServedBatch, Stream, measure, queued

#: Twelve people, twelve slots of a quarter of an hour: an hour before the opening, a third of the day is frozen.
SMALL = Size("small", 6, 12, 20, 12, 4)


def test_an_arrival_during_a_batch_waits_for_the_end_of_the_next_batch() -> None:
    begun = []

    def serve(begins: float, first: int, until: int) -> float:
        begun.append((begins, first, until))
        return 1.0

    waits, batches = queued([0.5, 1.0, 1.25, 4.0], serve)
    assert begun == [(0.5, 0, 1), (1.5, 1, 3), (4.0, 3, 4)]
    assert waits == [1.0, 1.5, 1.25, 1.0]
    assert batches == [ServedBatch(1, 1.0), ServedBatch(2, 1.0), ServedBatch(1, 1.0)]


def test_a_batch_keeps_the_consumers_poll_interval_and_size() -> None:
    waits, batches = queued([0.0, 0.001, *[0.002] * 300], lambda *_: 0.0)
    assert [batch.changes for batch in batches] == [1, 200, 101]
    assert [waits[0], waits[1], waits[2], waits[-1]] == pytest.approx([0, 0.019, 0.018, 0.038])


def test_a_last_minute_stream_on_a_live_edition_is_measured() -> None:
    stream = Stream("rush", partial(last_minute, count=60, seconds=7_200), RUSH, is_live=True)
    live: dict[str, Any] = measure(SMALL, stream)
    not_yet: dict[str, Any] = measure(SMALL, stream._replace(is_live=False))
    assert live["violations"] == not_yet["violations"] == 0
    assert live["bound"] < not_yet["bound"]  # what was frozen is not given any more
    assert live["placed"] <= live["bound"]
    assert 0 < live["asked_placed"] <= live["asked"] < 60
    assert live["wait_p50_ms"] > 0
