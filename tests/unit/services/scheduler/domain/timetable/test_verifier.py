"""A valid agenda is broken in every possible way, and the verifier must name the rule."""

from __future__ import annotations

from typing import Any

import pytest

from services.scheduler.domain.timetable.evidence import Evidence
from services.scheduler.domain.timetable.verifier import verify, verify_meetings
from services.scheduler.domain.verification import inputs_of
from shared.contract.events import Place
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    at,
    edition,
    innova,
    organisation,
    pair,
    participant,
    session,
    window,
    workspace,
)

AB, AC, CD = pair("a", "b"), pair("a", "c"), pair("c", "d")


def right() -> tuple[dict[str, Any], dict[str, Place]]:
    subject = Edition(
        edition(zones=(workspace(), innova(), HALL), quotas={"max_encounters": 2}, sessions=(session("k", 3, 4),)),
        organisation("org-a"),
        participant("a", available=(window(0, 3),)),
        participant("b", session_ids=("k",)),
        participant("c"),
        participant("d"),
        affinity("a", "b"),
        affinity("a", "c"),
        affinity("c", "d"),
    )
    return inputs_of(subject.state)._asdict(), dict(subject.state.placements)


def moved(place: Place, slot: float = 0, **fields: Any) -> Place:
    return place.model_copy(update={"starts_at": at(slot), "ends_at": at(slot + 1), **fields})


def broken(inputs: dict[str, Any], places: dict[str, Place], **options: Any) -> set[str]:
    subject = inputs_of(Edition().state)._replace(**inputs)
    return {violation.rule for violation in verify(subject, places, **options)}


def broken_about(inputs: dict[str, Any], places: dict[str, Place], pair_id: str) -> set[str]:
    evidence = Evidence.collect(inputs_of(Edition().state)._replace(**inputs), places)
    return {violation.rule for violation in verify_meetings(evidence, [pair_id])}


def test_a_valid_agenda_has_no_violations() -> None:
    inputs, places = right()
    assert len(places) == 3
    assert broken(inputs, places) == set()


@pytest.mark.parametrize(
    ("expected", "pair_id", "slot", "fields"),
    [
        ("not_available", AB, 3, {}),
        ("in_a_session", AB, 3, {}),
        ("no_such_slot", AB, 0.5, {}),
        ("no_such_slot", AB, 9, {}),
        ("no_such_table", AB, 0, {"table": "W9"}),
        ("no_such_table", AB, 0, {"zone_id": "hall"}),
        ("wrong_zone", AB, 0, {"zone_id": "innova", "table": "I1"}),
    ],
)
def test_a_wrong_place_is_a_violation(expected: str, pair_id: str, slot: float, fields: dict[str, Any]) -> None:
    inputs, places = right()
    places[pair_id] = moved(places[pair_id], slot, **fields)
    assert expected in broken(inputs, places)
    assert expected in broken_about(inputs, places, pair_id)


def test_a_participant_or_a_table_twice_at_a_time_is_a_violation() -> None:
    inputs, places = right()
    same_time = {
        pair_id: moved(place, 1, table=f"W{n}") for n, (pair_id, place) in enumerate(sorted(places.items()), start=1)
    }
    assert "person_twice" in broken(inputs, {**same_time, CD: moved(places[CD], 2)})
    same_table = {AB: moved(places[AB], 1, table="W1"), CD: moved(places[CD], 1, table="W1")}
    assert broken(inputs, same_table) == {"table_twice"}
    assert broken_about(inputs, same_table, CD) == {"table_twice"}
    assert broken(inputs, same_table, begun={AB, CD}) == {"table_twice"}


@pytest.mark.parametrize(
    ("expected", "name", "key", "update"),
    [
        ("no_consent", "pairs", AB, {"consent": "pending"}),
        ("no_consent", "pairs", AB, {"consent": "refused"}),
        ("not_taking_part", "participants", "a", {"status": "cancelled"}),
        ("not_taking_part", "organisations", "org-a", {"status": "cancelled"}),
        ("pair_twice", "pairs", CD, {"participant_ids": ("b", "a")}),
    ],
)
def test_inputs_may_forbid_a_meeting(expected: str, name: str, key: str, update: dict[str, Any]) -> None:
    inputs, places = right()
    changed = type(inputs[name][key]).model_validate({**inputs[name][key].model_dump(), **update})
    inputs[name] = {**inputs[name], key: changed}
    assert expected in broken(inputs, places)


def test_a_meeting_starts_after_the_end_of_its_predecessor() -> None:
    inputs, places = right()
    inputs["comes_after"] = {AB: (CD,)}
    there = {AB: moved(places[AB], 1), CD: moved(places[CD], 0)}
    assert broken(inputs, there) == set()
    assert broken(inputs, {AB: there[AB]}) == set()
    for slot in (1, 1.5, 2):
        wrong = {**there, CD: moved(places[CD], slot, table="W2")}
        assert "out_of_order" in broken(inputs, wrong)
        assert all("out_of_order" in broken_about(inputs, wrong, pair_id) for pair_id in (AB, CD))
        assert "out_of_order" not in broken(inputs, wrong, begun={AB, CD})


def test_unknown_inputs_and_an_exceeded_quota_are_violations() -> None:
    inputs, places = right()
    missing = {name: known for name, known in inputs["participants"].items() if name != "d"}
    assert broken({**inputs, "participants": missing}, places) == {"not_taking_part"}
    assert broken({**inputs, "edition": None}, places) == {"not_taking_part", "no_such_slot", "no_such_table"}
    tight = inputs["edition"].model_copy(update={"quotas": type(inputs["edition"].quotas)(max_encounters=1)})
    assert broken({**inputs, "edition": tight}, places) == {"over_quota"}


def test_begun_meetings_are_checked_for_clashes_only() -> None:
    inputs, places = right()
    inputs["edition"] = edition(slots=1, zones=(HALL,))
    assert broken(inputs, places, begun=set(places)) == set()
