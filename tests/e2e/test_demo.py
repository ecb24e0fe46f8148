"""The demo's edition at a tenth of its size, end to end on the embedded stack; and with every service killed once."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from bench.churn.readers import calendar_parts, read_text
from bench.churn.receiver import Mailbox
from demo.mails import calendar_lines
from demo.run import DemoOptions, run
from services import SERVICES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def demonstrate(output: Path, kill: str | None = None) -> dict[str, Any]:
    said = io.StringIO()
    exit_code = await run(DemoOptions(scale=0.1, output=output, kill=kill), Console(file=said, width=160))
    assert exit_code == 0, said.getvalue()
    summary: dict[str, Any] = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    return summary


def check(summary: dict[str, Any]) -> None:
    assert summary["faults"] == []
    assert summary["verifier_violations"] == 0
    assert summary["companies"] >= 21
    assert summary["participants"] >= 35
    assert summary["requests"] >= 70
    assert 50 <= summary["encounters"] <= summary["bound"]
    assert summary["mails"] >= 35
    assert summary["gap"] <= 0.05
    assert 0 < summary["accepted_to_published_p50_seconds"] <= summary["accepted_to_published_p99_seconds"]
    assert len(summary["late_changes"]) == 10


async def test_a_whole_edition_leaves_board_agenda_and_summary_files(tmp_path: Path) -> None:
    output = tmp_path / "demo-output"
    summary = await demonstrate(output)
    check(summary)
    assert summary["moves_per_change"] > 0
    with Image.open(output / "board.png") as picture:
        assert picture.format == "PNG"
    page = (output / "board.html").read_text(encoding="utf-8")
    assert page.count('class="on') == summary["encounters"]
    assert "<html" in (output / "agenda.html").read_text(encoding="utf-8")
    assert b"Message-ID" in (output / "agenda.eml").read_bytes()
    assert calendar_lines((output / "agenda.ics").read_bytes())
    check_mailboxes(output)


def check_mailboxes(output: Path) -> None:
    """Replay the mails of every mailbox in a strict calendar program, and compare it with `agendas.json`."""
    mailboxes: dict[str, Mailbox] = {}
    for file in sorted(output.glob("runs/*/mails/*/*.eml"), key=lambda file: file.name):
        (calendar,) = calendar_parts(file.read_bytes())
        mailboxes.setdefault(file.parent.name, Mailbox()).accept(read_text(calendar))
    agendas = json.loads((output / "agendas.json").read_text(encoding="utf-8"))
    assert mailboxes.keys() <= agendas.keys()
    for address, rows in agendas.items():
        shown = {entry.uid: entry for entry in mailboxes.get(address, Mailbox()).shown()}
        told = {uid: (entry.starts_at.isoformat(), entry.ends_at.isoformat()) for uid, entry in shown.items()}
        assert told == {row["uid"]: (row["starts_at"], row["ends_at"]) for row in rows}, address
        assert all(shown[row["uid"]].location.endswith(row["table"] or "") for row in rows), address


@pytest.mark.parametrize("service", SERVICES)
async def test_a_killed_and_restarted_service_loses_nothing(service: str, tmp_path: Path) -> None:
    check(await demonstrate(tmp_path / "demo-output", kill=service))
