from __future__ import annotations

import pytest

from tests.model.explore import Explored, explore
from tests.model.ledger import LedgerModel, Protocol, World


def check(protocol: Protocol | None = None) -> Explored:
    model = LedgerModel(2, protocol)
    return explore(World(), model.steps, model.always, model.at_rest)


def test_no_version_is_mailed_twice_and_the_newest_is_mailed_or_in_doubt() -> None:
    explored = check()
    assert explored.counterexample is None
    assert explored.states > 300


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol(writes_what_it_read=False),
        Protocol(starts_before_sending=False),
        Protocol(leaves_doubts_alone=False),
    ],
    ids=["blind writes", "send before start", "send again what is in doubt"],
)
def test_without_any_of_them_somebody_gets_a_version_twice(protocol: Protocol) -> None:
    found = check(protocol).counterexample
    assert found
    assert found.broken == "a version is mailed twice"
