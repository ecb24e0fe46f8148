"""Codes of activities are read as spreadsheets keep them, or refused."""

from __future__ import annotations

import pytest

from services.registration.imports.codes import UncertainCode, codes_of, may_be_cut


@pytest.mark.parametrize(
    ("text", "kind", "codes"),
    [
        ("nace:25.10", "", ["nace:25.10"]),
        ("25.10", "", ["nace:25.10"]),
        ("2562", "", ["nace:25.62"]),
        ("CNAE 25.62", "", ["nace:25.62"]),
        ("C25.62", "", ["nace:25.62"]),
        ("25.62 - Mecanizado; 28.4 Maquinaria", "", ["nace:25.62", "nace:28.4"]),
        ("nace:25 ket:ai|s3:agro-food\nket:ai", "", ["nace:25", "ket:ai", "s3:agro-food"]),
        ("25.62", "number", ["nace:25.62"]),
        ("1.11", "number", ["nace:01.11"]),
        ("3", "number", ["nace:03"]),
    ],
)
def test_a_certain_code_is_read(text: str, kind: str, codes: list[str]) -> None:
    assert codes_of(text, kind) == codes


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("25.1", "number"),
        ("111", "number"),
        ("2026-11-01T00:00:00", "date"),
        ("01/11/2026", ""),
        ("2026-11-01", ""),
        ("nov-01", ""),
        ("1-nov", ""),
        ("01-nov-26", ""),
        ("oct-28", ""),
        ("Fabricación", ""),
    ],
)
def test_a_code_that_is_not_certain_is_refused(text: str, kind: str) -> None:
    with pytest.raises(UncertainCode):
        codes_of(text, kind)


def test_a_group_without_a_scheme_may_be_a_class_without_its_zero() -> None:
    assert [may_be_cut(text) for text in ("25.1", "nace:25.1", "25.10", "ket:ai 1.1")] == [True, False, False, True]
