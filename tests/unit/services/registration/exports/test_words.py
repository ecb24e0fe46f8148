"""Words of exports: complete in six languages, and read back by the import as the same values."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest
from babel import Locale

from services.registration.exports.list_files import TEMPLATES
from services.registration.exports.lists import MATCH_REQUESTS, ORGANISATIONS, PARTICIPANTS
from services.registration.exports.words import ExportWords, language_of
from services.registration.import_files.vocabulary import VOCABULARIES
from services.registration.imports.countries import country_of
from services.registration.imports.words import is_gone, kind_of, languages_of, yes_or_no
from shared.contract.events import Language, OrganisationKind, RequestState, Status

LANGUAGES = list(Language)
LISTS = {"participants": PARTICIPANTS, "organisations": ORGANISATIONS, "match-requests": MATCH_REQUESTS}
TABLE: dict[str, Any] = tomllib.loads(
    resources.files("services.registration.exports").joinpath("words.toml").read_text(encoding="utf-8")
)


def test_all_words_are_there_in_all_languages() -> None:
    groups = [group for group in TABLE.values() if isinstance(group, dict)]
    assert all(len(words) == len(Language) and all(words) for group in groups for words in group.values())
    assert set(TABLE["request_states"]) == {*RequestState, "mutual"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LISTS)
def test_an_import_knows_each_heading_of_a_list(kind: str, language: Language) -> None:
    table, vocabulary = LISTS[kind], VOCABULARIES[kind]
    fields = {names.name for names in vocabulary.fields}
    for field, heading in zip(table.fields, table.headings(ExportWords(language)), strict=True):
        found = vocabulary.field_of(heading, 50)
        assert (found[1] if found else None) == (field if field in fields else None), heading


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", TEMPLATES)
def test_an_import_knows_each_heading_of_a_template(kind: str, language: Language) -> None:
    words = ExportWords(language)
    for field in TEMPLATES[kind]:
        found = VOCABULARIES[kind].field_of(words.heading(field), 50)
        assert found, words.heading(field)
        assert found[1] == field


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_import_reads_each_word_as_its_value(language: Language) -> None:
    words = ExportWords(language)
    assert {kind: kind_of(words.word("kinds", kind)) for kind in OrganisationKind} == {
        kind: kind for kind in OrganisationKind
    }
    assert [yes_or_no(words.yes_or_no(answer)) for answer in (True, False)] == [True, False]
    assert [languages_of(words.language_name(code.value))[0] for code in Language] == [
        [code.value] for code in Language
    ]
    gone = {status: is_gone(words.word("status", status), words.heading("status")) for status in Status}
    assert gone == {Status.ACTIVE: False, Status.CANCELLED: True}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_import_reads_each_country_back(language: Language) -> None:
    words = ExportWords(language)
    codes = [code for code in map(str, Locale("en").territories) if code.isalpha() and country_of(code) == code]
    assert len(codes) > 240
    assert {code: country_of(words.country(code)) for code in codes} == {code: code for code in codes}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("de-AT,en;q=0.5", "de"), ("ca;q=1, pt-BR", "pt"), ("zh", "en"), ("*", "en"), (";;,,-", "en")],
)
def test_the_first_known_language_is_taken(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
