"""The rules for doubtful facts, as a table: a fact, the rule that finds it, its place, and words of the message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.registration.domain.checks.doubtful_fact import DoubtfulFact, refuse_new
from services.registration.domain.checks.edition import doubtful_facts_of_edition
from services.registration.domain.checks.organisation import doubtful_facts_of_organisation
from services.registration.domain.checks.participant import doubtful_facts_of_participant
from services.registration.domain.edition import EditionFacts
from services.registration.domain.errors import Invalid
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import ParticipantFacts
from tests.support.registration_api import edition_body, organisation_body, participant_body

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
DAY = {"date": "2026-11-26", "starts": "09:00", "ends": "12:00"}
TWO_DAYS = [DAY, DAY | {"date": "2026-11-27"}]


def session(starts_at: str, ends_at: str, session_id: str = "talk", zone_id: str = "hall") -> dict[str, Any]:
    times = {"starts_at": starts_at, "ends_at": ends_at}
    return times | {"session_id": session_id, "kind": "panel", "title": "Talk", "zone_id": zone_id}


def sessions(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"sessions": list(listed)}


def with_break(starts: str, ends: str) -> dict[str, Any]:
    return {"days": [DAY | {"breaks": [{"starts": starts, "ends": ends}]}], "sessions": []}


def on(*dates: str) -> dict[str, Any]:
    return {"days": [DAY | {"date": date} for date in dates], "sessions": []}


def two_zones(*names: str) -> dict[str, Any]:
    zones = zip(("one", "two"), names, strict=True)
    return {"zones": [{"zone_id": zone, "kind": "conference", "name": name} for zone, name in zones], "sessions": []}


#: Change of the edition, rule, whether it refuses, place, words of the message.
EDITIONS = [
    (sessions(session("2026-11-26T09:00", "2026-11-26T12:00")), None, False, "", ""),
    (sessions(session("2026-11-26T20:00", "2026-11-26T22:00")), "session-outside-days", False, "starts_at", "19:00"),
    (sessions(session("2026-11-25T20:00", "2026-11-25T22:00")), "session-outside-days", False, "starts_at", "talk"),
    (sessions(session("2026-12-26T09:00", "2026-12-26T10:00")), "session-far-from-days", True, "starts_at", "December"),
    (sessions(session("2025-11-26T09:00", "2025-11-26T10:00")), "session-far-from-days", True, "starts_at", "2025"),
    (sessions(session("2026-11-26T09:00", "2026-12-26T10:00")), "session-too-long", False, "ends_at", "December"),
    (
        sessions(session("2026-11-26T09:00", "2026-11-26T10:00", zone_id="workspace")),
        "session-in-workspace",
        False,
        "zone_id",
        "workspace",
    ),
    (two_zones("Sala Norte", " SALA  norte"), "zones-share-name", False, "/zones/1/name", "one and two"),
    (two_zones("Salón 1", "salon 1"), "zones-share-name", False, "/zones/1/name", "salon 1"),
    (two_zones("Sala 1", "Sala 2"), None, False, "", ""),
    (with_break("10:30", "11:00"), None, False, "", ""),
    (with_break("13:00", "14:00"), "break-outside-day", True, "/days/0/breaks/0", "13:00-14:00"),
    (with_break("08:00", "09:00"), "break-outside-day", True, "/days/0/breaks/0", "09:00-12:00"),
    (with_break("11:30", "12:30"), "break-beyond-day", False, "/days/0/breaks/0", "11:30-12:30"),
    (
        {"days": [DAY, {"date": "2026-11-27", "starts": "09:00", "ends": "09:10"}]},
        "day-without-slot",
        False,
        "/days/1",
        "2026-11-27",
    ),
    (on("2026-10-26"), "edition-passed", True, "/days", "2026-10-26"),
    (on("2026-10-26") | {"phase": "closed"}, "edition-passed", False, "/days", "October"),
    (on("2026-10-30", "2026-11-26"), "day-passed", False, "/days/0/date", "October"),
    (on("2026-11-26", "2027-11-27"), "days-far-apart", False, "/days", "2027"),
    (on("2062-11-26"), "days-far-off", False, "/days", "2062"),
]


@pytest.mark.parametrize(("fields", "slug", "is_refused", "where", "words"), EDITIONS)
def test_each_fact_of_an_edition_is_found(
    fields: dict[str, Any], slug: str | None, is_refused: bool, where: str, words: str
) -> None:
    edition = EditionFacts.model_validate(edition_body(**fields))
    some = list(doubtful_facts_of_edition(edition, NOW))
    if slug is None:
        assert some == []
        return
    fact = next(fact for fact in some if fact.slug == slug)
    assert (fact.is_refused, where in fact.pointer, words in fact.detail) == (is_refused, True, True), fact
    assert fact.value


#: Change of the participant, rule, whether it refuses, place, words of the message.
PARTICIPANTS = [
    ({"available": []}, None, False, "", ""),
    ({"available": [("2026-11-26T08:00Z", "2026-11-26T09:00Z")]}, None, False, "", ""),
    (
        {"available": [("2026-12-26T08:00Z", "2026-12-26T09:00Z")]},
        "availability-outside-days",
        True,
        "/available",
        "2026-12-26 (December), but the edition is held on 2026-11-26 to 2026-11-27 (November)",
    ),
    (
        {"available": [("2026-11-26T08:00Z", "2026-11-26T09:00Z"), ("2026-12-26T08:00Z", "2026-12-26T09:00Z")]},
        "stay-outside-days",
        False,
        "/available/1",
        "December",
    ),
    (
        {"available": [("2026-11-26T20:00Z", "2026-11-26T21:00Z")]},
        "availability-without-slot",
        False,
        "/available",
        "2026-11-26T20:00Z",
    ),
    (
        {"available": [("2026-11-26T08:30Z", "2026-11-26T09:45Z")], "session_ids": ["b", "c"]},
        "availability-in-sessions",
        False,
        "/available",
        "b c",
    ),
    ({"available": [("2026-11-26T08:00Z", "2026-11-26T09:45Z")], "session_ids": ["b", "c"]}, None, False, "", ""),
    ({"session_ids": ["a", "b"]}, "sessions-overlap", True, "/session_ids/1", "a and b"),
    ({"session_ids": ["b", "c"]}, None, False, "", ""),
    ({"profile": {"codes": ["nace:25.62", "62"]}}, "code-without-scheme", False, "/profile/codes/1", "'62'"),
    ({"profile": {"codes": ["nace:"]}}, "code-without-scheme", False, "/profile/codes/0", "scheme"),
]
PROGRAMME = [
    session("2026-11-26T09:00", "2026-11-26T10:00", "a"),
    session("2026-11-26T09:30", "2026-11-26T10:30", "b"),
    session("2026-11-26T10:30", "2026-11-26T11:00", "c"),
]


@pytest.mark.parametrize(("fields", "slug", "is_refused", "where", "words"), PARTICIPANTS)
def test_each_fact_of_a_participant_is_found(
    fields: dict[str, Any], slug: str | None, is_refused: bool, where: str, words: str
) -> None:
    edition = EditionFacts.model_validate(edition_body(days=TWO_DAYS, sessions=PROGRAMME))
    stays = [{"starts_at": starts, "ends_at": ends} for starts, ends in fields.get("available", ())]
    participant = ParticipantFacts.model_validate(participant_body("org_1", **fields | {"available": stays}))
    assert [
        (fact.slug, fact.is_refused, fact.pointer, words in fact.detail)
        for fact in doubtful_facts_of_participant(participant, edition)
    ] == ([(slug, is_refused, where, True)] if slug else [])


#: Change of the organisation, rule, whether it refuses, place, words of the message.
ORGANISATIONS = [
    ({"country": "GB", "delegation": "Cámara de México"}, None, False, "", ""),
    ({"country": "XK"}, None, False, "", ""),
    ({"country": "UK"}, "country-unknown", True, "/country", "write GB"),
    ({"country": "EL"}, "country-unknown", True, "/country", "write GR"),
    ({"country": "XX"}, "country-unknown", True, "/country", "'XX' is not a country"),
    ({"delegation": "Camara de Mexico"}, "delegation-spelt-otherwise", False, "/delegation", "'Cámara de México'"),
    ({"delegation": "CÁMARA  DE MÉXICO"}, "delegation-spelt-otherwise", False, "/delegation", "same spelling"),
    ({"delegation": "Cámara de Perú"}, None, False, "", ""),
    ({"codes": ["25.62"]}, "code-without-scheme", False, "/codes/0", "nace:25.62"),
]


@pytest.mark.parametrize(("fields", "slug", "is_refused", "where", "words"), ORGANISATIONS)
def test_each_fact_of_an_organisation_is_found(
    fields: dict[str, Any], slug: str | None, is_refused: bool, where: str, words: str
) -> None:
    organisation = OrganisationFacts.model_validate(organisation_body(**fields))
    assert [
        (fact.slug, fact.is_refused, fact.pointer, words in fact.detail)
        for fact in doubtful_facts_of_organisation(organisation, {"Cámara de México"})
    ] == ([(slug, is_refused, where, True)] if slug else [])


def test_a_fault_of_before_stays_and_a_new_fault_is_refused() -> None:
    old, new = (DoubtfulFact("/country", "no", "country-unknown", value, is_refused=True) for value in ("UK", "XX"))
    refuse_new([old], [old])
    refuse_new([DoubtfulFact("/codes/0", "doubtful", "code-without-scheme", "62")])
    with pytest.raises(Invalid) as caught:
        refuse_new([old, new], [old])
    assert caught.value.faults == (new,)
