"""The layout of the HTML: tables that Outlook keeps, both colour schemes, contrast, a preheader, and a small size."""

from __future__ import annotations

import re
from itertools import product

import pytest

from services.notify.domain.digest import mail_content
from shared.contract.events import Language
from tests.support.notify_stage import (
    agenda,
    audience,
    encounter,
    everybody,
    organisation,
    participant,
    read,
    rendered,
    session,
)

#: WCAG 2.2, 1.4.3.
LEAST_CONTRAST = 4.5
LIGHT, DARK = ("#ffffff", "#f8f9fb"), ("#1e242d", "#2a313c")


def html_of(language: Language = Language.ENGLISH) -> str:
    speaker = participant(0, 2, languages=(language,))
    before = mail_content(
        audience(*everybody(), speaker, agenda(1, encounter(0, 1), encounter(6, 3), session(8))), "prt_0"
    )
    entries = (encounter(2, 1), encounter(6, 3, table="2"), encounter(4, 2))
    body = read(rendered(speaker, entries=entries, before=before)).get_body(("html",))
    assert body
    return str(body.get_content())


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_every_text_has_enough_contrast_in_both_colour_schemes() -> None:
    style, _, body = html_of().partition("</style>")
    light = set(re.findall(r"[;\"]color:(#[0-9a-f]{6})", body))
    dark = set(re.findall(r"[ {]color: (#[0-9a-f]{6}) !important", style))
    assert len(light) >= 5
    assert len(dark) == 3
    pairs = [*product(light, LIGHT), *product(dark, DARK)]
    assert [pair for pair in pairs if contrast(*pair) < LEAST_CONTRAST] == []


def test_the_mail_declares_both_colour_schemes_and_is_laid_out_by_tables() -> None:
    html = html_of()
    assert '<meta name="color-scheme" content="light dark">' in html
    assert html.count("<table ") == html.count('<table role="presentation"') == html.count("</table>") == 6
    assert html.count("<tr>") == html.count("</tr>")
    assert html.count("<div") == html.count("</div>")


@pytest.mark.parametrize("language", Language)
def test_the_list_of_mails_shows_the_first_change(language: Language) -> None:
    hidden = re.search(r'<div style="display:none[^>]*>([^<]*)</div>', html_of(language))
    assert hidden
    assert "09:30-09:45" in hidden[1]


def test_a_first_mail_of_a_full_day_is_small() -> None:
    parties = [event for number in range(1, 25) for event in (organisation(number, 2), participant(number, 2))]
    entries = tuple(encounter(number, number) for number in range(1, 21))
    assert len(rendered(*parties, entries=(session(22), *entries)).content) < 30_000
