"""Headings of lists in six languages, under group headings, and of further people in a row."""

from __future__ import annotations

import pytest

from services.registration.import_files.headings import header_of
from services.registration.import_files.no_entries import is_no_entry
from services.registration.import_files.vocabulary import ORGANISATIONS, PARTICIPANTS, VOCABULARIES


@pytest.mark.parametrize(
    ("group", "row", "fields"),
    [
        (
            ["Company details", "", "Contact person", "", ""],
            ["Name", "Country", "First name", "Last name", "E-mail"],
            ["organisation", "organisation_country", "first_name", "last_name", "email"],
        ),
        (
            ["Unternehmen", "", "Teilnehmer/in", "", ""],
            ["Name", "Land", "Vorname", "Nachname", "E-Mail"],
            ["organisation", "organisation_country", "first_name", "last_name", "email"],
        ),
        (
            ["Datos de la entidad", "", "Participante", ""],
            ["Nombre", "Web", "Nombre", "Correo"],
            ["organisation", "organisation_website", "full_name", "email"],
        ),
    ],
)
def test_a_name_under_the_group_of_the_company_is_that_of_the_organisation(
    group: list[str], row: list[str], fields: list[str]
) -> None:
    header = header_of(2, row, group, PARTICIPANTS)
    assert [column.field for column in header.columns] == fields
    assert header.missing == ()


def test_columns_of_a_second_person_are_not_read_and_named() -> None:
    row = ["Empresa", "Asistente 1", "Email 1", "Asistente 2", "Email 2", "Teléfono 2", "Oferta 2", "Apellido 2"]
    columns = {column.heading: column.field for column in header_of(1, row, (), PARTICIPANTS).columns}
    assert columns == {
        "Empresa": "organisation",
        "Asistente 1": "full_name",
        "Email 1": "email",
        "Asistente 2": "",
        "Email 2": "",
        "Teléfono 2": "",
        "Oferta 2": "offers",
        "Apellido 2": "second_surname",
    }


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Adhérent", "name"), ("Associado", "name"), ("Mitgliedsunternehmen", "name"), ("Empresa expositora", "name"),
        ("Taille", "kind"), ("Téléphone standard", "phone"), ("Produktbeschreibung", "description"),
        ("Descrizione attività", "description"), ("CAE", "codes"), ("Stato", "country"),
    ],
)  # fmt: skip
def test_headings_of_public_lists_are_known(heading: str, field: str) -> None:
    assert [column.field for column in header_of(1, [heading], (), ORGANISATIONS).columns] == [field]


@pytest.mark.parametrize(
    ("heading", "field"),
    [("Participant", "full_name"), ("Statut du paiement", "status"), ("Teléfono del trabajo", "phone")],
)
def test_headings_of_ticket_shops_are_known(heading: str, field: str) -> None:
    assert [column.field for column in header_of(1, [heading], (), PARTICIPANTS).columns] == [field]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["Total participantes: 12"], True), (["Total", "12"], True), (["Stand: 01.03.2027"], True),
        (["Fuente: formulario web"], True), (["* Lista sujeta a cambios"], True), (["© 2027 Fair"], True),
        (["Página 1 de 3"], True), (["----"], True), (["Note: list subject to change", "", ""], True),
        (["Total Energies"], False), (["Note Ltd"], False), (["Acme"], False), (["* Acme", "ES"], False),
        (["Totalplan GmbH", "DE"], False), (["Page Group"], False),
    ],
)  # fmt: skip
def test_totals_and_notes_below_a_list_are_no_entries(cells: list[str], expected: bool) -> None:
    assert is_no_entry(cells) is expected


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_each_name_of_a_field_is_the_heading_of_that_field(kind: str) -> None:
    vocabulary = VOCABULARIES[kind]
    named = {(alias, field.name) for field in vocabulary.fields for alias in (field.name, *field.aliases)}
    assert {(alias, (vocabulary.field_of(alias, 0) or (0, ""))[1]) for alias, _ in named} == named
