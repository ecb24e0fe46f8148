"""Lanes under any interleaving of slow and failing records, rebalances, stops and kills."""

from __future__ import annotations

import asyncio

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.simulation.loop import quietly, run_virtually
from tests.support.lane_run import LaneRun, Sent

#: Virtual seconds until all records have ended: each budget of two letters is full for ten minutes.
LONGEST_SECONDS = 12_000
SENT = st.builds(
    Sent,
    edition=st.sampled_from(["a1", "a2", "b1", "c1"]),
    kind=st.sampled_from(["fine"] * 6 + ["poison", "bug", "undecodable"]),
    seconds=st.sampled_from([0.0, 0.0, 0.01, 0.4, 3.0, 40.0]),
    away=st.sampled_from([0, 0, 0, 1, 4]),
)
DISTURBANCES = st.lists(st.tuples(st.floats(0, 60), st.sampled_from(["rebalance", "stop", "kill"])), max_size=4)


@settings(max_examples=60, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=24), DISTURBANCES, st.floats(0, 2), st.integers(0, 2**16))
def test_lanes_keep_the_order_lose_nothing_and_commit_only_what_has_ended(
    records: list[Sent], disturbances: list[tuple[float, str]], pace: float, seed: int
) -> None:
    async def main() -> LaneRun:
        run = LaneRun(seed)
        await run.start()
        await run.start()
        disturbing = asyncio.create_task(disturb(run, sorted(disturbances)))
        for record in records:
            run.send(record)
            await asyncio.sleep(pace)
        await disturbing
        assert await run.until_committed(LONGEST_SECONDS)
        return run

    with quietly(seed):
        run = run_virtually(main)
    event(f"{len({sent.edition for sent in records})} editions")
    assert run.witness.broken == []
    assert run.witness.ended == run.witness.sent.keys()
    wrong = {place for place, sent in run.witness.sent.items() if sent.kind != "fine"}
    assert run.witness.handled == run.witness.sent.keys() - wrong
    assert run.kafka.escaped == []


async def disturb(run: LaneRun, disturbances: list[tuple[float, str]]) -> None:
    """Disturb the group at given times. A process that ends has a successor at once."""
    for at, what in disturbances:
        await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
        number = len(run.processes) - 1
        if what == "rebalance":
            run.rebalance()
        elif what == "kill":
            run.kill(number)
            await run.start()
        else:
            await run.start()
            await run.stop(number)
