"""Lists as ticket shops, brokerage platforms and fairs export them, with their own column names and invented rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.registration_api import EditionHarness

FOLDER = Path(__file__).parent / "lists_of_others"
#: By file: the kind of list, the rows that are created and rejected, and values of an entry.
LISTS: dict[str, tuple[str, tuple[int, int], dict[str, Any]]] = {
    "eventbrite.csv": (
        "participants",
        (2, 1),
        {"name": "Ana Ruiz", "job_title": "CEO", "phone": "+34 600 11 22 33", "external_id": "7001"},
    ),
    "ticket_tailor.csv": (
        "participants",
        (1, 1),
        {"name": "Ana Ruiz", "email": "ana@acme.example", "external_id": "x1"},
    ),
    "pretix.csv": (
        "participants",
        (1, 1),
        {"name": "Jörg Groß", "email": "joerg@werk.example", "phone": "+49 30 123456"},
    ),
    "b2match.csv": (
        "participants",
        (1, 1),
        {"profile": {"offers": ["CNC", "EDM"], "needs": ["steel", "tools"], "codes": []}},
    ),
    "swapcard.csv": ("participants", (2, 0), {"name": "Ana Ruiz", "external_id": None, "phone": "+34 600 11 22 33"}),
    "grip.csv": ("participants", (1, 0), {"name": "Ana Ruiz", "job_title": "CEO", "phone": None, "external_id": "R1"}),
    "brokerage.csv": ("participants", (2, 0), {"name": "Ana Ruiz", "job_title": None, "email": "ana@acme.example"}),
    "spanish_form.csv": (
        "participants",
        (2, 0),
        {"name": "Ana Ruiz García", "job_title": "Gerente", "email": "ana@acme.example", "phone": "+34 600 11 22 33"},
    ),
    "french_fair.csv": (
        "participants",
        (1, 0),
        {"name": "Zoé Dupont", "languages": ["fr", "en"], "phone": "+33 6 12 34 56 78"},
    ),
    "italian_fair.csv": (
        "organisations",
        (2, 0),
        {"name": "Officine Rossi S.r.l.", "booth": "B12", "website": "https://www.rossi.example"},
    ),
    "portuguese_cluster.csv": ("organisations", (1, 0), {"name": "Moldes Lda", "region": "Leiria", "country": "PT"}),
    "table_of_a_website.xls": (
        "organisations",
        (1, 0),
        {"name": "Müller & Söhne", "country": "AT", "website": "https://www.mueller.example"},
    ),
    "unclosed_quote.csv": ("organisations", (4, 1), {"name": "One"}),
}


@pytest.mark.parametrize("file", LISTS)
async def test_a_list_comes_in_as_it_was_exported(api: httpx.AsyncClient, edition: EditionHarness, file: str) -> None:
    kind, counts, expected = LISTS[file]
    raw = (FOLDER / file).read_bytes()
    answer = await api.post(f"{edition.path}/imports/{kind}", content=raw, headers={"content-type": "text/csv"})
    report = answer.json()
    assert answer.status_code == 200, report
    assert (report["created"], report["rejected_rows"]) == counts, report["rejected"]
    items = (await api.get(f"{edition.path}/{kind}", params={"limit": 500})).json()["items"]
    found = next(item for item in items if item["name"] == expected.get("name", "Ana Ruiz"))
    assert {name: found[name] for name in expected} == expected
