"""Search of the logs of a chaos run for personal data and overlong lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.logs import LONGEST_LINE, personal_texts, search

BODY = {
    "name": "Íñigo Núñez",
    "email": "inigo@delegation.example",
    "country": "ES",
    "available": [{"starts_at": "2026-11-26T09:00:00+01:00"}],
    "profile": {"offers": ["laser welding"], "needs": []},
}


def test_names_addresses_and_profile_texts_are_personal() -> None:
    assert set(personal_texts(BODY)) == {"Íñigo Núñez", "inigo@delegation.example", "laser welding"}


@pytest.mark.parametrize("written", ["no mail to inigo@delegation.example", json.dumps({"error": "Íñigo Núñez"})])
def test_a_canary_in_a_log_is_found_also_in_json(tmp_path: Path, written: str) -> None:
    (tmp_path / "notify-1.log").write_text(f"first line\n{written}\n", encoding="utf-8")
    found = search(tmp_path, personal_texts(BODY))
    assert len(found.found) == 1
    assert found.found[0].startswith("notify-1.log holds ")
    assert found.lines == 2


def test_an_overlong_line_is_found_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "notify-1.log").write_text("ñ" * (LONGEST_LINE // 2 + 1), encoding="utf-8")
    assert search(tmp_path, ()).found == [f"notify-1.log has a line of {LONGEST_LINE + 2} bytes"]


def test_clean_logs_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "matching-1.log").write_text('{"event": "started"}\n', encoding="utf-8")
    assert search(tmp_path, personal_texts(BODY)).found == []
