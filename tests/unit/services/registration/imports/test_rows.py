"""Rows of lists: every field has a column or is listed as without, and every column reaches its field."""

from __future__ import annotations

from typing import Any

import pytest

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Facts
from services.registration.domain.errors import Invalid
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.parsing import parse_facts
from services.registration.domain.participant import ParticipantFacts, ProfileFacts
from services.registration.import_files.sheet import SheetRow
from services.registration.imports.changes import body_of
from services.registration.imports.rows import ListDefaults, ReadRow, read_organisation, read_participant
from tests.support.registration_api import edition_body

#: A cell for each field of a list, different from the default of its field.
ORGANISATION = {
    "name": "Acme",
    "kind": "Gran empresa",
    "country": "España",
    "region": "Toledo",
    "delegation": "Cámara",
    "interchangeable": "VERDADERO",
    "codes": "nace:25 ket:ai",
    "website": "www.acme.example",
    "description": "Makes parts",
    "booth": "3B",
    "phone": "926 111 222",
    "external_id": "77",
}
PARTICIPANT = {
    "organisation": "Acme",
    "name": "Ana",
    "email": "Ana <ana@acme.example>",
    "languages": "es EN",
    "offers": "Soldadura|Corte",
    "needs": "Ensayos",
    "codes": "25.62",
    "sessions": "Apertura",
    "job_title": "CEO",
    "phone": "+34 926 111 222",
    "external_id": "5001",
}
#: Fields that no list of this kind sets: they name other entities by id, or have lists of their own.
NOT_IMPORTED = {
    OrganisationFacts: {"competitor_ids", "met_before"},
    ParticipantFacts: {"available", "blocked_ids", "declined_ids", "organisation_id", "waiting_session_ids"},
}
DEFAULTS = ListDefaults("es", "ES")
EDITION = Edition.stored(
    edition_body()
    | {
        "operator_id": "o",
        "edition_id": "e",
        "created_at": "2026-01-01T00:00:00Z",
        "changed_at": "2026-01-01T00:00:00Z",
    }
)


def organisation(**cells: str) -> ReadRow:
    return read_organisation(SheetRow(2, cells), DEFAULTS)


def participant(**cells: str) -> ReadRow:
    return read_participant(SheetRow(2, cells), DEFAULTS, EDITION)


def facts_of(kind: type[Facts], read: ReadRow) -> Facts:
    return parse_facts(kind, body_of(read.new() | ({"organisation_id": "o"} if kind is ParticipantFacts else {})))


@pytest.mark.parametrize("name", ORGANISATION)
def test_a_column_of_organisations_reaches_its_field(name: str) -> None:
    whole = facts_of(OrganisationFacts, organisation(**ORGANISATION))
    assert getattr(whole, name) not in (None, (), False)
    assert set(ORGANISATION) | NOT_IMPORTED[OrganisationFacts] == set(OrganisationFacts.model_fields)


def test_every_field_of_a_participant_has_a_column() -> None:
    whole: Any = facts_of(ParticipantFacts, participant(**PARTICIPANT))
    imported = set(ParticipantFacts.model_fields) - NOT_IMPORTED[ParticipantFacts]
    assert {name for name in imported if getattr(whole, name) not in (None, ())} == imported
    assert {name for name in ProfileFacts.model_fields if getattr(whole.profile, name)} == set(
        ProfileFacts.model_fields
    )
    assert (whole.email, whole.languages, whole.session_ids) == ("ana@acme.example", ("es", "en"), ("opening",))
    assert whole.profile.codes == ("nace:25.62",)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ({"first_name": "Ana", "last_name": "Ruiz"}, "Ana Ruiz"),
        ({"name": "Ana", "last_name": "Ruiz", "second_surname": "Gil"}, "Ana Ruiz Gil"),
        ({"first_name": "Jutta", "name": "Weiß"}, "Jutta Weiß"),
        ({"full_name": "Ana Ruiz", "name": "x"}, "Ana Ruiz"),
        ({"first_name": "Suharto", "last_name": ""}, "Suharto"),
        ({"name": "李\n小龙"}, "李 小龙"),
        ({"last_name": "Ruiz"}, "Ruiz"),
    ],
)
def test_a_name_is_put_together_from_its_columns(cells: dict[str, str], name: str) -> None:
    assert participant(organisation="A", email="a@a.example", **cells).patch["name"] == name


@pytest.mark.parametrize(
    ("cells", "pointer", "reason"),
    [
        ({"status": "Refunded"}, "/status", "'Refunded': not registered"),
        ({"email": ""}, "/email", "no e-mail address"),
        ({"name": "-"}, "/name", "the person has no name"),
        ({"organisation": "n/a"}, "/organisation", "no organisation: write its name"),
    ],
)
def test_a_broken_row_is_refused_with_its_value(cells: dict[str, str], pointer: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        participant(**PARTICIPANT | cells)
    assert [(fault.pointer, fault.detail[: len(reason)]) for fault in refused.value.faults] == [(pointer, reason)]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"kind": "shop"}, None),
        ({"website": "no site"}, "/website"),
        ({"phone": "1,5E+10"}, "/phone"),
        ({"phone": "ask"}, "/phone"),
        ({"description": "x" * 6000}, "/description"),
        ({"codes": " ".join(f"nace:{number}" for number in range(10, 50))}, "/codes"),
    ],
)
def test_a_doubtful_value_is_left_out_and_told(cells: dict[str, str], field: str | None) -> None:
    read = organisation(**ORGANISATION | cells)
    assert [doubt.pointer for doubt in read.doubts] == [field or "/kind"]
    facts_of(OrganisationFacts, read)


@pytest.mark.parametrize(
    ("cells", "country"),
    [
        ({"website": "acme.pt"}, "PT"),
        ({"website": "acme.io"}, "ES"),
        ({"phone": "+49 30 901820"}, "DE"),
        ({}, "ES"),
    ],
)
def test_a_missing_country_is_told_by_domain_phone_or_edition(cells: dict[str, str], country: str) -> None:
    assert organisation(name="Acme", **cells).assumed["country"] == country


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Universidad de Aquí", "research_group"), ("Ayuntamiento de Aquí", "government"), ("Acme S.L.", "sme")],
)
def test_a_missing_kind_is_told_by_the_name(name: str, kind: str) -> None:
    assert organisation(name=name).assumed["kind"] == kind
