from __future__ import annotations

import pytest

from tests.model.explore import Explored, explore
from tests.model.ledger import LedgerModel, LedgerProtocol, LedgerWorld


def check(protocol: LedgerProtocol | None = None) -> Explored:
    """Explore every order of the steps of two versions."""
    model = LedgerModel(2, protocol)
    return explore(LedgerWorld(), model.steps, model.always, model.at_rest)


def test_no_version_is_mailed_twice_and_the_newest_is_mailed_or_in_doubt() -> None:
    explored = check()
    assert explored.counterexample is None
    assert explored.states > 300


@pytest.mark.parametrize(
    "protocol",
    [
        LedgerProtocol(writes_what_it_read=False),
        LedgerProtocol(starts_before_sending=False),
        LedgerProtocol(leaves_unconfirmed_alone=False),
    ],
    ids=["blind writes", "send before start", "send an unconfirmed mail again"],
)
def test_without_a_protection_a_version_is_mailed_twice(protocol: LedgerProtocol) -> None:
    found = check(protocol).counterexample
    assert found
    assert found.broken == "a version is mailed twice"
