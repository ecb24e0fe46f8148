from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import pytest

from bench.instances.arrivals import burst, last_minute, poisson

Arrivals = Callable[[int], Iterator[float]]
PROCESSES = [
    partial(poisson, count=4_000, rate=40),
    partial(burst, count=4_000, seconds=100),
    partial(last_minute, count=4_000, seconds=100),
]


@pytest.mark.parametrize("arrivals", PROCESSES, ids=["poisson", "burst", "last minute"])
def test_arrivals_are_ordered_counted_and_fixed_by_the_seed(arrivals: Arrivals) -> None:
    once, again, other = (list(arrivals(seed)) for seed in (1, 1, 2))
    assert len(once) == 4_000
    assert once == sorted(once) == again != other
    assert once[0] >= 0


@pytest.mark.parametrize(("process", "early"), [(0, 1 / 2), (1, 1 / 2), (2, 1 / 4)])
def test_the_share_of_the_first_half_fits_the_process(process: int, early: float) -> None:
    arrivals = PROCESSES[process]
    times = list(arrivals(1))
    assert times[-1] == pytest.approx(100, rel=0.05)
    assert sum(time < 50 for time in times) / len(times) == pytest.approx(early, abs=0.03)


def test_poisson_gaps_vary_as_much_as_they_last() -> None:
    gaps = [later - earlier for earlier, later in pairwise(poisson(1, 4_000, 40))]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1 / 40, rel=0.05)
    assert deviation == pytest.approx(mean, rel=0.05)
