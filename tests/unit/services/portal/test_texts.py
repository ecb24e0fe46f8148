"""Catalogues of the portal: every text of the templates in every language, with the same fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

import services.portal
from services.portal.pages.writer import translations_of
from shared.contract.events import Language

ROOT = Path(services.portal.__file__).parent
TEXTS = sorted(
    {
        str(found[2])
        for found in extract_from_dir(
            ROOT, [("templates/**.j2", "jinja2")], {"templates/**.j2": {"trim_blocks": "true"}}
        )
    }
)
_FIELD = re.compile(r"%\(\w+\)s")


@pytest.mark.parametrize("language", [language for language in Language if language is not Language.ENGLISH])
def test_every_text_is_translated_with_its_fields(language: Language) -> None:
    assert len(TEXTS) > 50
    catalogue = translations_of(language)
    known = catalogue._catalog
    assert [text for text in TEXTS if not known.get(text)] == []
    assert [text for text in TEXTS if set(_FIELD.findall(text)) != set(_FIELD.findall(catalogue.gettext(text)))] == []
    assert sorted(set(known) - set(TEXTS) - {""}) == []
