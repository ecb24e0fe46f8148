"""Amendments hold the fields before a change; undoing one leaves all that has changed since."""

from __future__ import annotations

from typing import Any

import pytest

from services.registration.amendments import KEPT, Amendment, amendment_of, undoing_patch
from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.parsing import apply_patch
from services.registration.domain.participant import Participant, ParticipantFacts
from shared.runtime.clock import utc_now
from tests.support.registration_api import edition_body, participant_body

NOW = utc_now()
STAMP = {"operator_id": "op", "edition_id": "edn_1", "created_at": NOW, "changed_at": NOW}
WORKSPACE, HALL = edition_body()["zones"]
OPENING = edition_body()["sessions"][0]
INNOVA = {"zone_id": "innova", "kind": "innova", "name": "Innova+", "tables": ["I1"]}


def edition(**fields: Any) -> Edition:
    return Edition(**STAMP, **EditionFacts.model_validate(edition_body(**fields)).values())


def changed(before: Edition, after: Edition) -> Edition:
    return before.changed(NOW, **{name: getattr(after, name) for name in EditionFacts.model_fields})


def amendment(before: Edition, after: Edition) -> Amendment:
    made = amendment_of(before, changed(before, after), None, None)
    assert made is not None
    return made


def zones(*tables: str, more: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"zones": [WORKSPACE | {"tables": list(tables)}, HALL, *more]}


def after_undoing(made: Amendment, present: Edition) -> tuple[Edition, list[str]]:
    patch, left = undoing_patch(made, present)
    facts = apply_patch(present, EditionFacts, patch)
    return Edition(**STAMP, **facts.values()), [fault.pointer for fault in left]


@pytest.mark.parametrize(
    ("before", "after", "present", "undone", "left"),
    [
        # nothing else has changed: exactly as before
        (zones("1", "2"), zones(), zones(), zones("1", "2"), []),
        ({}, {"slot_minutes": 30}, {"slot_minutes": 30}, {}, []),
        ({}, {"sessions": []}, {"sessions": []}, {}, []),
        ({}, {"quotas": {"max_encounters": 3}}, {"quotas": {"max_encounters": 3}}, {}, []),
        # a repeated undoing changes nothing
        (zones("1", "2"), zones(), zones("1", "2"), zones("1", "2"), []),
        # tables, zones and sessions that were added since stay
        (zones("1", "2"), zones("2"), zones("2", "3"), zones("2", "3", "1"), []),
        (zones("1"), zones("1", "9"), zones("1", "9", more=(INNOVA,)), zones("1", more=(INNOVA,)), []),
        (
            zones("1", more=(INNOVA,)),
            zones("1"),
            zones("1", "2"),
            zones("1", "2", more=(INNOVA,)),
            [],
        ),
        # changed since: left and named
        ({}, {"slot_minutes": 30}, {"slot_minutes": 20}, {"slot_minutes": 20}, ["/slot_minutes"]),
        (
            {},
            {"sessions": [OPENING | {"ends_at": "2026-11-26T10:00"}], "slot_minutes": 30},
            {"sessions": [OPENING | {"ends_at": "2026-11-26T10:15"}], "slot_minutes": 30},
            {"sessions": [OPENING | {"ends_at": "2026-11-26T10:15"}]},
            ["/sessions/opening/ends_at"],
        ),
        (
            {"quotas": {"max_encounters": 5}},
            {"quotas": {"max_encounters": 3}},
            {"quotas": {"max_encounters": 3, "max_requests": 2}},
            {"quotas": {"max_encounters": 5, "max_requests": 2}},
            [],
        ),
    ],
)
def test_undoing_leaves_later_changes(
    before: dict[str, Any], after: dict[str, Any], present: dict[str, Any], undone: dict[str, Any], left: list[str]
) -> None:
    made = amendment(edition(**before), edition(**after))
    result, places = after_undoing(made, edition(**present))
    assert (result, places) == (edition(**undone), left)


def test_an_amendment_keeps_no_text_of_a_person() -> None:
    facts = ParticipantFacts.model_validate(participant_body("org_1"))
    before = Participant(**STAMP, participant_id="prt_1", **facts.values())
    after = before.changed(NOW, name="Otra", email="otra@x.example", session_ids=("opening",))
    made = amendment_of(before, after, "*", None)
    assert made is not None
    assert (made.before, made.after) == ({"session_ids": []}, {"session_ids": ["opening"]})
    assert made.expires_at == NOW + KEPT
    assert amendment_of(before, before.changed(NOW, name="Otra"), None, None) is None


def test_ids_of_amendments_are_in_the_order_of_their_times() -> None:
    before = edition()
    made = [
        amendment_of(before, before.changed(NOW + KEPT * number, slot_minutes=30 + number), None, None)
        for number in range(1, 4)
    ]
    ids = [each.amendment_id for each in made if each]
    assert ids == sorted(set(ids))
    assert len(ids) == 3
