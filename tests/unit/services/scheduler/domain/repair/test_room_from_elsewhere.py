"""An undone change gives displaced meetings their places back. Room that comes from another change moves nobody."""

from __future__ import annotations

import pytest

from services.scheduler.domain.improvement.adopt import announce
from shared.contract.events import Event
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    participant,
    people,
    window,
    workspace,
)

COUPLES = [("ann", "bob"), ("cleo", "dan"), ("eve", "finn")]


def fair(revision: int = 1, phase: str = "published", **fields: object) -> Event:
    return edition(revision=revision, phase=phase, zones=(workspace(1), HALL), slots=5, freeze_minutes=0, **fields)  # type: ignore[arg-type]


def displaced() -> Edition:
    """Ann and Bob have given way to Cleo and Dan, because Cleo has new hours. Eve meets Finn at one of two hours."""
    subject = Edition(
        fair(),
        *people("ann", "dan", "finn"),
        participant("bob", available=(window(2, 4),)),
        participant("cleo", available=(window(0, 1),)),
        participant("gil", available=(window(0, 1),)),
        participant("eve", available=(window(0, 2),)),
        *people("hal"),
        affinity("gil", "hal"),
        affinity("ann", "bob"),
        affinity("cleo", "dan"),
        affinity("eve", "finn"),
        now=at(-4),
    )
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    assert agenda(subject) == {"ann": 2, "cleo": None, "eve": 1}
    subject.consume(participant("cleo", revision=2, available=(window(2, 3),)))
    assert agenda(subject) == {"ann": 3, "cleo": 2, "eve": 1}
    return subject


def agenda(subject: Edition) -> dict[str, int | None]:
    return {first: subject.slot(first, second) for first, second in COUPLES}


def test_a_change_that_is_undone_brings_home_the_meetings_that_it_displaced() -> None:
    subject = displaced()
    subject.consume(participant("cleo", revision=3, available=(window(0, 1),)))
    assert agenda(subject) == {"ann": 2, "cleo": None, "eve": 1}


def test_a_quota_that_is_raised_again_brings_back_the_meetings_that_it_had_cost() -> None:
    subject = Edition(
        fair(), *people("ann", "bob", "cleo", "dan"), *(affinity("ann", partner) for partner in ("bob", "cleo", "dan"))
    )
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
    before = dict(subject.state.placements)
    assert len(before) == 3
    subject.consume(fair(2, quotas={"max_encounters": 1}))
    assert len(subject.state.placements) == 1
    subject.consume(fair(3))
    assert subject.state.placements == before


ELSEWHERE: dict[str, list[Event]] = {
    "a request is made and withdrawn": [
        affinity("ivo", "jan"),
        affinity("ivo", "jan", revision=2, consent="refused"),
    ],
    "hours of others are changed and changed back": [
        participant("eve", revision=2, available=(window(3, 4),)),
        participant("eve", revision=3, available=(window(0, 2),)),
    ],
    "a guest of another meeting cancels and comes back": [
        participant("finn", revision=2, status="cancelled"),
        participant("finn", revision=3),
    ],
    "the edition goes live": [fair(2, "live")],
    "a table is added and removed": [
        edition(revision=2, phase="published", zones=(workspace(2), HALL), slots=5, freeze_minutes=0),
        fair(3),
    ],
    "the quota is the same under another name": [fair(2, name="Another name")],
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_room_that_comes_from_elsewhere_moves_nobody(name: str) -> None:
    subject = displaced()
    subject.consume(*people("ivo", "jan"))
    before = agenda(subject)
    for event in ELSEWHERE[name]:
        subject.consume(event)
        assert {first: agenda(subject)[first] for first in ("ann", "cleo")} == {"ann": 3, "cleo": 2}
    assert agenda(subject) == before


def test_changes_that_are_undone_in_their_own_order_end_as_announced() -> None:
    subject = displaced()
    subject.consume(participant("eve", revision=2, available=(window(3, 4),)))
    subject.consume(participant("cleo", revision=3, available=(window(0, 1),)))
    subject.consume(participant("eve", revision=3, available=(window(0, 2),)))
    assert agenda(subject) == {"ann": 2, "cleo": None, "eve": 1}
