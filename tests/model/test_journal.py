from __future__ import annotations

import pytest

from tests.model.explore import Explored, explore
from tests.model.journal import JournalModel, Protocol, World


def check(protocol: Protocol | None = None) -> Explored:
    model = JournalModel(3, protocol)
    return explore(World(), model.steps, model.always, model.at_rest)


def test_nothing_is_lost_nothing_applied_twice_and_all_sent_in_order() -> None:
    explored = check()
    assert explored.counterexample is None
    assert explored.states > 1000


@pytest.mark.parametrize(
    ("protocol", "broken"),
    [
        (Protocol(has_fence=False), "an input is applied twice"),
        (Protocol(drops_what_is_applied=False), "an input is applied twice"),
        (Protocol(commits_last=False), "an input is lost"),
        (Protocol(sends_before_marking=False), "a revision is"),
        (Protocol(sends_when_loading=False, sweeps=False), "a revision is"),
    ],
    ids=["no fence", "no dedupe", "commit before the rest", "mark before send", "nobody sends what is left"],
)
def test_each_protection_is_needed(protocol: Protocol, broken: str) -> None:
    found = check(protocol).counterexample
    assert found
    assert broken in found.broken, found
