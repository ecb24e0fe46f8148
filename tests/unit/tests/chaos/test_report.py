from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from shared.contract.events import Event
from tests.chaos.evidence import RunEvidence, Seen
from tests.chaos.history import History
from tests.chaos.report import Report, logged, overtaken, repeats
from tests.support.events import EventBuilder

EVENTS = EventBuilder("chaos", "edn_1", datetime(2026, 11, 1, tzinfo=UTC))


def organisation(revision: int) -> Event:
    return EVENTS.organisation("org_1", revision=revision)


def evidence_of(*revisions: int) -> RunEvidence:
    seen = [Seen("registration.v1", 0, offset, organisation(revision)) for offset, revision in enumerate(revisions)]
    return RunEvidence(History(), seen=[*seen, Seen("registration.v1", 0, 99, organisation(1), mark=1)])


def test_repeated_records_are_counted_without_planted_records() -> None:
    assert repeats(evidence_of(1, 2, 3)) == 0
    assert repeats(evidence_of(1, 2, 1, 2, 3)) == 2


def test_a_thing_with_an_older_last_record_is_overtaken() -> None:
    assert overtaken(evidence_of(1, 2, 1, 2)) == 0
    assert overtaken(evidence_of(1, 2, 1)) == 1


def test_log_events_are_counted_over_all_logs(tmp_path: Path) -> None:
    (tmp_path / "one.log").write_text('{"event": "fenced", "edition": "e"}\nnot JSON\n{"event": "fenced"}\n')
    (tmp_path / "two.log").write_text('{"event": "fenced"}\n{"event": "started"}\n')
    assert logged(tmp_path) == {"fenced": 3, "started": 1}


def test_the_table_names_the_seed_the_faults_and_the_violations() -> None:
    said = io.StringIO()
    report = Report(7, {"kill": 3}, {"mails": "12"}, ["streams_have_no_gap: x"])
    Console(file=said, width=100).print(report.table())
    text = said.getvalue()
    assert "seed 7" in text
    rows = {cells[0].strip(): cells[1].strip() for line in text.splitlines() if len(cells := line.split("│")[1:3]) == 2}
    assert rows == {"kill": "3", "mails": "12", "violations": "1"}
