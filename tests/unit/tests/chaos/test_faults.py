from __future__ import annotations

from collections import Counter
from itertools import islice

from tests.chaos.faults import FaultKind, draw_faults
from tests.chaos.proxy import ToxicKind
from tests.chaos.stack import ALL_INSTANCES, KAFKA, PROXIES, SESSION_SECONDS

MANY = 3_000


def test_faults_follow_from_the_seed() -> None:
    assert list(islice(draw_faults(7), 200)) == list(islice(draw_faults(7), 200))
    assert list(islice(draw_faults(7), 200)) != list(islice(draw_faults(8), 200))


def test_every_kind_of_fault_is_drawn_for_every_target() -> None:
    faults = list(islice(draw_faults(1), MANY))
    targets = {kind: {fault.target for fault in faults if fault.kind is kind} for kind in FaultKind}
    assert targets.pop(FaultKind.TOXIC) == set(PROXIES)
    assert targets.pop(FaultKind.BROKER) == set(KAFKA)
    assert all(befallen == set(ALL_INSTANCES) for befallen in targets.values())
    assert {fault.toxic.kind for fault in faults if fault.toxic} == set(ToxicKind)


def test_durations_of_faults_are_within_their_bounds() -> None:
    for fault in islice(draw_faults(2), MANY):
        assert 0.2 <= fault.after <= 2
        if fault.kind is FaultKind.FREEZE:
            assert 3 <= fault.seconds - SESSION_SECONDS <= 20
        if fault.kind is FaultKind.TOXIC:
            assert 1 <= fault.seconds <= 5
        assert abs(fault.offset.total_seconds()) in {0, 3600}
        assert (fault.toxic is not None) is (fault.kind is FaultKind.TOXIC)


def test_clocks_are_fast_slow_and_right_again() -> None:
    clocks = [fault.offset.total_seconds() for fault in islice(draw_faults(3), MANY) if fault.kind is FaultKind.CLOCK]
    assert set(Counter(clocks)) == {-3600, 0, 3600}
