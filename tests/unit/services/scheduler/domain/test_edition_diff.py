"""Effects of every field of an edition on its difference. A new field fails until it has a row here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.scheduler.domain.edition_diff import EditionDiff, diff_of
from shared.contract.events import (
    EditionChanged,
    Goal,
    HelpContact,
    Level,
    Phase,
    Quotas,
    Session,
    Venue,
    Zone,
    ZoneKind,
)
from tests.support.scheduler_editions import HALL, NOW, edition, session, workspace

KEYNOTE = session("s1", 0, 1)
BEFORE = edition(sessions=(KEYNOTE,))
NOTHING = EditionDiff(is_remade=False, lost=frozenset(), gained=frozenset(), sessions=frozenset())
REMADE = NOTHING._replace(is_remade=True)
SESSION = NOTHING._replace(sessions=frozenset({"s1"}))


def with_zone(**update: Any) -> tuple[Zone, ...]:
    return (workspace().model_copy(update=update), HALL)


def with_session(**update: Any) -> tuple[Session, ...]:
    return (KEYNOTE.model_copy(update=update),)


EDITION: dict[str, tuple[Any, EditionDiff]] = {
    "operator_id": ("op2", NOTHING),
    "edition_id": ("ed2", NOTHING),
    "revision": (2, NOTHING),
    "occurred_at": (NOW + timedelta(days=1), NOTHING),
    "name": ("Fair", NOTHING),
    "timezone": ("UTC", REMADE),
    "phase": (Phase.PUBLISHED, REMADE),
    "slots": (edition(slots=5).slots, REMADE),
    "zones": (with_zone(kind=ZoneKind.INNOVA), REMADE),
    "sessions": ((), SESSION),
    "quotas": (Quotas(max_encounters=3), REMADE),
    "consent_policy": ("invitation", NOTHING),
    "least_affinity": (0.5, NOTHING),
    "fee": ("fee", NOTHING),
    "affinity_version": ("2", NOTHING),
    "filling": ("filling", NOTHING),
    "freeze_minutes": (5, NOTHING),
    "settle_minutes": (5, NOTHING),
    "live_lead_minutes": (5, NOTHING),
    "close_lag_minutes": (5, NOTHING),
    "preview_above_percent": (5, NOTHING),
    "preview_above_people": (5, NOTHING),
    "preview_token": ("t0k3n", NOTHING),
    "actor": ("key:k1", NOTHING),
    "changed": (("name",), NOTHING),
    "levels": (tuple(reversed(Level)), NOTHING),
    "goals": ((Goal.DELEGATION,), NOTHING),
    "venue": (Venue(name="Palace"), NOTHING),
    "contact": (HelpContact(email="help@example.org"), NOTHING),
}
QUOTAS: dict[str, tuple[Any, EditionDiff]] = {
    "max_encounters": (3, REMADE),
    "max_requests": (3, NOTHING),
    "min_encounters": (3, NOTHING),
}


def tables(zone_id: str) -> frozenset[tuple[str, str]]:
    return frozenset({(zone_id, "W1"), (zone_id, "W2")})


ZONE: dict[str, tuple[Any, EditionDiff]] = {
    "zone_id": ("other", REMADE._replace(lost=tables("work"), gained=tables("other"))),
    "kind": (ZoneKind.INNOVA, REMADE),
    "name": ("Hall 2", NOTHING),
    "tables": (("W1", "W3"), NOTHING._replace(lost=frozenset({("work", "W2")}), gained=frozenset({("work", "W3")}))),
}  # fmt: skip
SESSION_FIELDS: dict[str, tuple[Any, EditionDiff]] = {
    "session_id": ("s2", NOTHING._replace(sessions=frozenset({"s1", "s2"}))),
    "starts_at": (session("s1", 0.5, 1).starts_at, SESSION),
    "ends_at": (session("s1", 0, 2).ends_at, SESSION),
    "kind": ("workshop", SESSION),
    "title": ("Opening", SESSION),
    "zone_id": ("work", SESSION),
    "capacity": (10, NOTHING),
}


@pytest.mark.parametrize(
    ("kind", "table"), [(EditionChanged, EDITION), (Quotas, QUOTAS), (Zone, ZONE), (Session, SESSION_FIELDS)]
)
def test_every_field_is_classified(kind: Any, table: dict[str, Any]) -> None:
    assert set(kind.model_fields) == set(table)


@pytest.mark.parametrize("name", EDITION)
def test_fields_of_an_edition(name: str) -> None:
    value, diff = EDITION[name]
    assert getattr(BEFORE, name) != value
    assert diff_of(BEFORE, BEFORE.model_copy(update={name: value})) == diff


@pytest.mark.parametrize("name", QUOTAS)
def test_fields_of_quotas(name: str) -> None:
    value, diff = QUOTAS[name]
    assert diff_of(BEFORE, BEFORE.model_copy(update={"quotas": Quotas(**{name: value})})) == diff


@pytest.mark.parametrize(("most", "is_raised"), [(2, False), (3, False), (4, True), (None, True)])
def test_a_quota_is_raised_to_more_encounters_or_to_any_number(most: int | None, is_raised: bool) -> None:
    before = BEFORE.model_copy(update={"quotas": Quotas(max_encounters=3)})
    after = before.model_copy(update={"quotas": Quotas(max_encounters=most)})
    assert diff_of(before, after).raises_quota is is_raised


@pytest.mark.parametrize("name", ZONE)
def test_fields_of_a_zone(name: str) -> None:
    value, diff = ZONE[name]
    assert diff_of(BEFORE, BEFORE.model_copy(update={"zones": with_zone(**{name: value})})) == diff


def test_a_zone_that_loses_its_last_table_remakes_the_edition() -> None:
    after = BEFORE.model_copy(update={"zones": with_zone(tables=())})
    assert diff_of(BEFORE, after).is_remade


@pytest.mark.parametrize("name", SESSION_FIELDS)
def test_fields_of_a_session(name: str) -> None:
    value, diff = SESSION_FIELDS[name]
    assert diff_of(BEFORE, BEFORE.model_copy(update={"sessions": with_session(**{name: value})})) == diff


def test_the_first_revision_remakes_the_edition() -> None:
    assert diff_of(None, BEFORE).is_remade
