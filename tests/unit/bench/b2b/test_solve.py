from multiprocessing import active_children
from random import Random
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.b2b import solve as solve_module
from bench.b2b.encoding import Encoding
from bench.b2b.instance import B2bInstance, B2bMeeting, Infeasible, breaks, violations
from bench.b2b.search import EncodingWrong, Engine, Numbering, Search, SearchOutcome
from bench.b2b.solve import solve

SLOTS = 8
#: Three who all meet each other at two slots: everyone fits alone, together they do not.
TRIANGLE = B2bInstance(3, 2, 3, tuple(B2bMeeting(*pair, (0, 1)) for pair in ((0, 1), (1, 2), (0, 2))))


def fair(seed: int = 1, tables: int = 5) -> B2bInstance:
    """Twelve participants, thirty-odd meetings, five tables: crowded."""
    pairs: set[tuple[int, int]] = set()
    random = Random(seed)  # noqa: S311 -- it makes instances, not secrets
    degrees = [0] * 12
    while len(pairs) < 34:
        one, other = sorted(random.sample(range(12), 2))
        if (one, other) not in pairs and max(degrees[one], degrees[other]) < SLOTS - 1:
            pairs.add((one, other))
            degrees[one] += 1
            degrees[other] += 1
    meetings = (
        B2bMeeting(*pair, tuple(sorted(random.sample(range(SLOTS), random.choice((SLOTS, SLOTS, 6))))))
        for pair in sorted(pairs)
    )
    return B2bInstance(12, SLOTS, tables, tuple(meetings))


def climbed(instance: B2bInstance, engine: Engine) -> int:
    search = Search(Encoding(instance, 2), engine)
    while search.ask(search.bound, 10_000) is not SearchOutcome.FOUND:
        pass
    return search.bound


@pytest.mark.parametrize("seed", range(4))
def test_two_engines_agree_on_the_optimum(seed: int) -> None:
    solved = solve(fair(seed))
    assert solved.schedule is not None
    assert solved.breaks == sum(breaks(fair(seed), solved.schedule)) == solved.bound
    assert solved.bound == climbed(fair(seed), Engine("minisat22"))
    assert not violations(fair(seed), solved.schedule, 2)


@pytest.fixture
def at_once_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.b2b.solve._search_alone", lambda search: iter([search.progress]))


@pytest.mark.usefixtures("at_once_side_by_side")
def test_two_processes_finish_a_long_search() -> None:
    solved = solve(fair())
    assert solved.proven
    assert solved.bound == climbed(fair(), Engine("minisat22"))
    assert not active_children()


@pytest.mark.usefixtures("at_once_side_by_side")
def test_a_process_may_prove_infeasibility() -> None:
    with pytest.raises(Infeasible, match="no schedule obeys all rules"):
        solve(TRIANGLE)
    assert not active_children()


@pytest.mark.usefixtures("at_once_side_by_side")
@pytest.mark.parametrize("stuck", [0, 1])
def test_the_first_process_to_prove_the_optimum_ends_the_search(monkeypatch: pytest.MonkeyPatch, stuck: int) -> None:
    class Stuck(Search):
        def __init__(self, encoding: Encoding, engine: Engine, seed: int = 0) -> None:
            super().__init__(encoding, engine, seed)
            self._seconds = 60 if seed == stuck else 0

        def ask(self, most: int | None, conflicts: int) -> SearchOutcome:
            sleep(self._seconds)
            return super().ask(most, conflicts)

    monkeypatch.setattr(solve_module, "Search", Stuck)
    assert solve(fair(), seconds=30).proven
    assert not active_children()


@given(st.integers(0, 40), st.integers(0, 5), st.lists(st.integers(-50, 50).filter(bool)))
def test_a_numbering_loses_nothing(variables: int, seed: int, literals: list[int]) -> None:
    numbering = Numbering(variables, seed)
    assert numbering.back(numbering.there(literals)) == literals
    assert sorted(numbering.there(range(1, 51))) == list(range(1, 51))
    assert numbering.there([-literal for literal in literals]) == [-literal for literal in numbering.there(literals)]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_numbering_has_the_same_schedules(seed: int) -> None:
    optimum = climbed(fair(), Engine("minisat22"))
    for most, outcome in ((optimum - 1, SearchOutcome.REFUSED), (optimum, SearchOutcome.FOUND)):
        assert Search(Encoding(fair(), 2), Engine("minisat22"), seed).ask(most, 10_000) is outcome


def test_a_search_out_of_time_returns_its_bound() -> None:
    solved = solve(fair(), seconds=0)
    assert (solved.schedule, solved.breaks, solved.proven) == (None, None, False)
    assert solved.bound <= climbed(fair(), Engine("minisat22"))
    assert not active_children()


def test_infeasibility_beyond_the_counting_checks_is_proven() -> None:
    with pytest.raises(Infeasible, match="no schedule obeys all rules"):
        solve(TRIANGLE)


@pytest.mark.parametrize(("fairness", "fewest"), [(0, None), (1, 1)])
def test_fairness_is_a_rule(fairness: int, fewest: int | None) -> None:
    """Participant 0 cannot avoid a break; participant 3, with one meeting, cannot have any."""
    instance = B2bInstance(4, 3, 3, (B2bMeeting(0, 1, (0,)), B2bMeeting(0, 2, (2,)), B2bMeeting(1, 3, (1,))))
    if fewest is None:
        with pytest.raises(Infeasible, match="participant 1 has at least 1 breaks, participant 3 at most 0"):
            solve(instance, fairness)
    else:
        assert solve(instance, fairness).breaks == fewest


def test_the_counter_grows_with_the_bound() -> None:
    """In a triangle of meetings at three slots somebody meets first and last; alone, nobody would have to."""
    triangles = [(3 * at + one, 3 * at + other) for at in range(12) for one, other in ((0, 1), (1, 2), (0, 2))]
    instance = B2bInstance(36, 3, 12, tuple(B2bMeeting(*pair, (0, 1, 2)) for pair in triangles))
    solved = solve(instance)
    assert (solved.breaks, solved.bound) == (12, 12)


def test_a_model_that_violates_a_rule_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.b2b.encoding.Encoding.schedule", lambda *_: (0,) * 34)
    with pytest.raises(EncodingWrong, match="double booked"):
        solve(fair())
