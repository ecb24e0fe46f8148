"""Changes that are looked at before they are made: the fields that move encounters, and the sizes that need a token."""

from __future__ import annotations

import pytest

from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.entity import Entity, Facts
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from services.registration.previews import MOVING_FIELDS, facts_of, sessions_outside, too_many
from shared.internal_api.previews import FactsPreview, PreviewCounts
from shared.runtime.clock import utc_now
from tests.support.registration_api import edition_body, organisation_body, participant_body

#: Fields that move no encounter by themselves. A new field is added here, or to `MOVING_FIELDS`.
STILL_FIELDS: dict[type[Entity], frozenset[str]] = {
    Edition: frozenset(
        {
            "name",
            "consent_policy",
            "least_affinity",
            "fee",
            "affinity_version",
            "phase",
            "answer_within_hours",
            "freeze_minutes",
            "settle_minutes",
            "live_lead_minutes",
            "close_lag_minutes",
            "preview_above_percent",
            "preview_above_people",
            "levels",
            "goals",
            "venue",
            "contact",
        }
    ),
    Organisation: frozenset(
        {
            "name",
            "country",
            "region",
            "delegation",
            "codes",
            "competitor_ids",
            "met_before",
            "website",
            "description",
            "booth",
            "phone",
            "external_id",
        }
    ),
    Participant: frozenset(
        {
            "name",
            "email",
            "languages",
            "profile",
            "declined_ids",
            "waiting_session_ids",
            "job_title",
            "phone",
            "external_id",
        }
    ),
}
FACTS: dict[type[Entity], type[Facts]] = {
    Edition: EditionFacts,
    Organisation: OrganisationFacts,
    Participant: ParticipantFacts,
}
STAMP = {"operator_id": "op", "edition_id": "edn_1", "created_at": utc_now(), "changed_at": utc_now()}
EDITION = Edition(**STAMP, **EditionFacts(**edition_body()).values())


@pytest.mark.parametrize("kind", FACTS)
def test_each_field_is_known_to_move_encounters_or_not(kind: type[Entity]) -> None:
    assert MOVING_FIELDS[kind] | STILL_FIELDS[kind] == set(FACTS[kind].model_fields)
    assert MOVING_FIELDS[kind].isdisjoint(STILL_FIELDS[kind])


@pytest.mark.parametrize(
    ("moved", "waiting", "people", "announced", "is_asked"),
    [
        (10, 0, 20, True, False),
        (5, 5, 20, True, False),
        (10, 1, 20, True, True),
        (0, 11, 20, True, True),
        (8, 0, 21, True, True),
        (4, 0, 21, True, False),
        (60, 40, 90, False, False),
    ],
)
def test_a_large_change_of_announced_agendas_needs_a_token(
    *, moved: int, waiting: int, people: int, announced: bool, is_asked: bool
) -> None:
    counts = PreviewCounts(
        encounters=100, moved=moved, placed=9, waiting=waiting, cancelled=50, people=people, mailed=200
    )
    preview = FactsPreview(effects="", announced=announced, counts=counts)
    assert (too_many(EDITION, preview) is not None) == is_asked


@pytest.mark.parametrize(("percent", "people", "is_asked"), [(10, 20, False), (0, 20, True), (10, 0, True)])
def test_an_edition_with_a_threshold_of_zero_is_asked_about_a_single_encounter(
    percent: int, people: int, is_asked: bool
) -> None:
    edition = EDITION.model_copy(update={"preview_above_percent": percent, "preview_above_people": people})
    counts = PreviewCounts(encounters=100, moved=1, placed=0, waiting=0, cancelled=0, people=2, mailed=2)
    assert (too_many(edition, FactsPreview(effects="", announced=True, counts=counts)) is not None) == is_asked


def test_the_snapshots_of_a_preview_hold_no_text_of_a_person() -> None:
    body = {
        **participant_body("org_1"),
        "name": "Nuria Secreta",
        "email": "nuria@secreta.example",
        "phone": "+34 600 000 000",
        "job_title": "Jefa",
    }
    facts = ParticipantFacts.model_validate(body)
    person = Participant(**STAMP, participant_id="prt_1", **facts.values())
    company = Organisation(
        **STAMP, organisation_id="org_1", **OrganisationFacts.model_validate(organisation_body()).values()
    )
    (sent,) = facts_of(person).participants
    assert (sent.name, sent.email, sent.profile.offers) == ("-", "-@-", ())
    assert (sent.phone, sent.job_title) == (None, None)
    assert sent.session_ids == person.session_ids
    assert facts_of(company).organisations[0].name == "-"
    assert facts_of(EDITION).editions == (EDITION.snapshot(),)


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_outside"),
    [
        ("2026-11-26T09:00", "2026-11-26T12:00", False),
        ("2026-11-26T10:30", "2026-11-26T11:00", False),
        ("2026-11-26T08:59", "2026-11-26T09:30", True),
        ("2026-11-26T11:30", "2026-11-26T12:01", True),
        ("2026-11-27T09:30", "2026-11-27T10:00", True),
    ],
)
def test_a_session_outside_the_days_is_told(starts_at: str, ends_at: str, *, is_outside: bool) -> None:
    session = {**edition_body()["sessions"][0], "starts_at": starts_at, "ends_at": ends_at}
    edition = Edition(**STAMP, **EditionFacts(**edition_body(sessions=[session])).values())
    assert bool(sessions_outside(edition)) == is_outside
