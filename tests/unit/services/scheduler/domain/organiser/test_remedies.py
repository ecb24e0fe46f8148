from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.organiser.remedies import find_remedy
from shared.contract.events import Remedy, RemedyKind, WaitingReason
from tests.support.scheduler_editions import (
    HALL,
    NOW,
    Edition,
    affinity,
    edition,
    pair,
    participant,
    people,
    session,
    window,
    workspace,
)


def remedy_of(subject: Edition, one: str, other: str) -> Remedy:
    found = find_remedy(subject.state, pair(one, other), subject.now)
    assert found is not None
    return found


def kinds(remedy: Remedy) -> list[RemedyKind]:
    return [step.kind for step in remedy.steps]


def edition_with(tables: int = 2, **fields: Any) -> Any:
    return edition(zones=(workspace(tables), HALL), **fields)


def test_a_missing_table_is_named_with_its_zone() -> None:
    subject = Edition(edition_with(1, slots=1), *people(*"abcd"), affinity("a", "b"), affinity("c", "d"))
    (waiting,) = subject.state.waiting
    found = find_remedy(subject.state, waiting, NOW)
    assert found is not None
    assert kinds(found) == [RemedyKind.TABLE]
    assert (found.steps[0].zone_id, found.steps[0].tables, found.lost_ids) == ("work", 1, ())
    assert found.as_of == NOW


def test_a_pair_whose_agendas_are_full_is_placed_by_a_table_if_a_table_places_it() -> None:
    """The pair `a`, `b` has no slot in common with a free table, although its reason blames full agendas."""
    subject = Edition(
        edition_with(1, slots=2),
        *people(*"abcdef"),
        affinity("c", "d", priority=1),
        affinity("a", "e", priority=1),
        affinity("a", "b", priority=3),
    )
    assert kinds(remedy_of(subject, "a", "b")) == [RemedyKind.TABLE]


def test_an_hour_is_named_with_its_participant_and_its_slot() -> None:
    subject = Edition(
        edition_with(slots=2),
        participant("a", available=(window(0, 1),)),
        participant("b"),
        participant("c", available=(window(0, 1),)),
        affinity("b", "c", priority=1),
        affinity("a", "b", priority=3),
    )
    found = remedy_of(subject, "a", "b")
    assert kinds(found) == [RemedyKind.HOURS]
    assert (found.steps[0].participant_id, found.steps[0].slot, found.steps[0].time) == ("a", 1, window(1, 2))
    assert found.place == window(1, 2)


def test_a_session_is_named_with_its_participant() -> None:
    subject = Edition(
        edition_with(slots=1, sessions=(session("k", 0, 1),)),
        participant("a", session_ids=("k",)),
        participant("b"),
        affinity("a", "b"),
    )
    (step,) = remedy_of(subject, "a", "b").steps
    assert (step.kind, step.participant_id, step.session_id) == (RemedyKind.SESSION, "a", "k")


def test_a_quota_is_named_with_the_number_that_would_do() -> None:
    subject = Edition(
        edition_with(quotas={"max_encounters": 1}), *people(*"abc"), affinity("a", "b"), affinity("a", "c", score=0.1)
    )
    (step,) = remedy_of(subject, "a", "c").steps
    assert (step.kind, step.quota) == (RemedyKind.QUOTA, 2)


def test_the_encounter_that_would_wait_instead_is_named() -> None:
    subject = Edition(edition_with(slots=1), *people(*"abc"), affinity("a", "b"), affinity("a", "c", score=0.1))
    found = remedy_of(subject, "a", "c")
    assert kinds(found) == [RemedyKind.PLACE]
    assert found.lost_ids == (subject.state.encounter_id(pair("a", "b")),)


def test_no_remedy_changes_the_state() -> None:
    subject = Edition(edition_with(1, slots=1), *people(*"abc"), affinity("a", "b"), affinity("a", "c"))
    before, board = subject.state.model_dump(), dict(subject.state.board.placed)
    for waiting in subject.state.waiting:
        find_remedy(subject.state, waiting, NOW)
    assert subject.state.model_dump() == before
    assert subject.state.board.placed == board


@pytest.mark.parametrize("phase", ["closed"])
def test_a_closed_edition_has_no_remedy(phase: str) -> None:
    subject = Edition(edition_with(1, slots=1), *people(*"abc"), affinity("a", "b"), affinity("a", "c"))
    (waiting,) = subject.state.waiting
    subject.consume(edition_with(1, slots=1, revision=2, phase=phase))
    assert find_remedy(subject.state, waiting, NOW) is None


def test_an_unknown_participant_has_no_remedy() -> None:
    subject = Edition(edition_with(), *people("a"), affinity("a", "b"))
    assert subject.state.waiting == {pair("a", "b"): WaitingReason.PARTICIPANT_UNKNOWN}
    assert find_remedy(subject.state, pair("a", "b"), NOW) is None
