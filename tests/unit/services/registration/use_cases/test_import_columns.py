"""Columns of imported files: every column reaches its field, and every field has a column or is listed as without."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from services.registration.domain.entity import Facts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.parsing import parse_facts
from services.registration.domain.participant import ParticipantFacts, ProfileFacts
from services.registration.use_cases.import_columns import (
    ORGANISATION_COLUMNS,
    ORGANISATION_FIELDS_NOT_IMPORTED,
    PARTICIPANT_COLUMNS,
    PARTICIPANT_FIELDS_NOT_IMPORTED,
    ImportColumn,
    ImportColumns,
)

#: A cell for each column, different from the default of its field.
CELLS: dict[type[Facts], dict[str, str]] = {
    OrganisationFacts: {
        "name": "Acme",
        "kind": "sme",
        "country": "ES",
        "region": "Toledo",
        "delegation": "Cámara",
        "interchangeable": "sí",
        "codes": "nace:25 ket:ai",
    },
    ParticipantFacts: {
        "organisation": "org_1",
        "name": "Ana",
        "email": "ana@acme.example",
        "languages": "es EN",
        "offers": "Soldadura|Corte",
        "needs": "Ensayos",
        "codes": "nace:25",
        "sessions": "opening, closing",
    },
}
FILES: list[tuple[type[Facts], ImportColumns, frozenset[str]]] = [
    (OrganisationFacts, ORGANISATION_COLUMNS, ORGANISATION_FIELDS_NOT_IMPORTED),
    (ParticipantFacts, PARTICIPANT_COLUMNS, PARTICIPANT_FIELDS_NOT_IMPORTED),
]
EACH_COLUMN = [pytest.param(kind, columns, column, id=column.name) for kind, columns, _ in FILES for column in columns]


def value_at(facts: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        facts = getattr(facts, name)
    return facts


def parsed(kind: type[Facts], columns: ImportColumns, cells: dict[str, str]) -> Facts:
    return parse_facts(kind, to_json(columns.patch_of(cells)))


@pytest.mark.parametrize(("kind", "columns", "column"), EACH_COLUMN)
def test_a_column_reaches_its_field(kind: type[Facts], columns: ImportColumns, column: ImportColumn) -> None:
    cells = CELLS[kind]
    facts = parsed(kind, columns, cells)
    if column.is_required:
        assert value_at(facts, column.path)
    else:
        without = parsed(kind, columns, {name: cell for name, cell in cells.items() if name != column.name})
        assert value_at(facts, column.path) != value_at(without, column.path)


@pytest.mark.parametrize(("kind", "columns", "not_imported"), FILES)
def test_a_field_has_a_column_or_is_listed_as_not_imported(
    kind: type[Facts], columns: ImportColumns, not_imported: frozenset[str]
) -> None:
    imported = {column.path[0] for column in columns}
    assert imported.isdisjoint(not_imported)
    assert imported | not_imported == set(kind.model_fields)


def test_every_field_of_the_profile_has_a_column() -> None:
    assert {column.path[1] for column in PARTICIPANT_COLUMNS if len(column.path) > 1} == set(ProfileFacts.model_fields)


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/profile/offers/0", "offers"),
        ("/organisation_id", "organisation"),
        ("/session_ids/1", "sessions"),
        ("/available/0/ends_at", "available"),
        ("/profile", ""),
        ("", ""),
    ],
)
def test_a_fault_names_the_column_of_its_field(pointer: str, name: str) -> None:
    assert PARTICIPANT_COLUMNS.at(pointer) == name
