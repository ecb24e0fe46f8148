"""Fields of a participant when another person takes the participant's place."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.registration.api.participants import amend_participant
from services.registration.domain.parsing import apply_patch
from services.registration.domain.participant import (
    ANSWERS_OF_THE_PERSON,
    COUNTERS,
    FIELDS_OF_THE_PERSON,
    FIELDS_OF_THE_PLACE,
    Participant,
    ParticipantFacts,
)
from services.registration.use_cases.participants import ParticipantService

GLOSSARY = Path(__file__).parents[5] / "docs" / "glossary.md"
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
#: Fields that every change sets.
_OF_THE_REVISION = {"revision", "changed_at"}
ANA: dict[str, Any] = {
    "operator_id": "op_1",
    "edition_id": "edn_1",
    "created_at": NOW,
    "changed_at": NOW,
    "participant_id": "prt_1",
    "organisation_id": "org_1",
    "name": "Ana Ruiz",
    "email": "ana@nandu.example",
    "languages": ("es",),
    "profile": {"offers": ("Soldadura",)},
    "available": ({"starts_at": NOW, "ends_at": NOW.replace(hour=10)},),
    "session_ids": ("opening",),
    "job_title": "CEO",
    "phone": "+34 926 111 111",
    "external_id": "ANA-1",
    "seats": {"opening": 7},
    "waiting_session_ids": ("keynote",),
    "calendar": {"timezone": "UTC"},
    "waiting_since": {"keynote": NOW},
    "cancelled_with_organisation": True,
    "shares_mailbox": True,
    "links": 2,
    "person": 1,
    "shown": 3,
    "reach": 4,
    "erased_at": NOW,
    "consents": {"listed": {"granted": True, "at": NOW, "text_version": "1", "text_sha256": "0" * 64, "by": "key:1"}},
    "pending_address": {
        "email": "ana@nueva.example",
        "asked_at": NOW,
        "asked_by": "key:1",
        "expires_at": NOW,
        "link_sha256": "0" * 64,
    },
    "merged_into": "prt_9",
    "checked_in": True,
    "blocked_ids": ("prt_2",),
    "declined_ids": ("prt_3",),
}
EVA = {
    "name": "Eva Sanz",
    "email": "eva@nandu.example",
    "languages": ["en", "es"],
    "profile": {"offers": [], "needs": ["Ensayos"]},
    "job_title": "Directora",
    "phone": "+34 926 222 222",
    "external_id": "EVA-2",
}


def test_every_field_belongs_to_the_person_or_to_the_place() -> None:
    assert FIELDS_OF_THE_PERSON.isdisjoint(FIELDS_OF_THE_PLACE)
    assert set(Participant.model_fields) - _OF_THE_REVISION == (
        FIELDS_OF_THE_PERSON | FIELDS_OF_THE_PLACE | COUNTERS | ANSWERS_OF_THE_PERSON
    )


def test_a_successor_inherits_the_fields_of_the_place_and_no_others() -> None:
    before = Participant.model_validate(ANA)
    assert set(ANA) | _OF_THE_REVISION | {"status"} == set(Participant.model_fields)  # each has a value of its own
    assert set(EVA) == FIELDS_OF_THE_PERSON
    after = before.changed(NOW, **apply_patch(before, ParticipantFacts, EVA).values())
    kept = {name for name in Participant.model_fields if getattr(after, name) == getattr(before, name)}
    assert kept - _OF_THE_REVISION == FIELDS_OF_THE_PLACE


@pytest.mark.parametrize(
    ("fields", "raised"),
    [
        ({"name": "Ana Ruiz Gil"}, {"shown"}),
        ({"email": "ANA@nandu.example"}, set()),
        ({"email": "ana.ruiz@nandu.example"}, {"reach", "links"}),
        ({"languages": ("pt", "es")}, {"reach"}),
        ({"languages": ("es", "pt")}, set()),
        ({"profile": {"needs": ("Ensayos",)}, "job_title": "CTO", "phone": None}, set()),
        ({"name": "ANA RUIZ", "email": "ruiz@nandu.example"}, {"shown", "reach", "links"}),
        (EVA, {"person", "shown", "reach", "links"}),
    ],
)
def test_changes_of_the_person_are_counted_for_services_without_texts(fields: dict[str, Any], raised: set[str]) -> None:
    before = Participant.model_validate(ANA)
    after = before.changed(NOW, **apply_patch(before, ParticipantFacts, fields).values())
    rises = {name: getattr(after, name) - getattr(before, name) for name in COUNTERS}
    assert rises == {name: int(name in raised) for name in COUNTERS}


@pytest.mark.parametrize(
    "text",
    [
        amend_participant.__doc__,
        ParticipantService.amend.__doc__,
        *re.findall(r"^\| successor \|.*", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE),
    ],
    ids=["endpoint", "use case", "glossary"],
)
def test_descriptions_of_a_successor_name_every_field_of_the_person(text: str) -> None:
    assert {field for field in FIELDS_OF_THE_PERSON if f"`{field}`" not in text} == set()


def test_a_field_that_the_patch_does_not_name_keeps_its_value() -> None:
    before = Participant.model_validate(ANA)
    facts = apply_patch(before, ParticipantFacts, {"name": "Eva Sanz"})
    assert (facts.name, facts.email, facts.languages) == ("Eva Sanz", before.email, before.languages)
    assert facts.profile == before.profile


def test_a_document_with_a_field_of_a_newer_version_is_not_read() -> None:
    document = Participant.model_validate(ANA).model_dump()
    assert Participant.stored(document).name == "Ana Ruiz"
    with pytest.raises(ValidationError, match="newer_field"):
        Participant.stored(document | {"newer_field": "new"})
