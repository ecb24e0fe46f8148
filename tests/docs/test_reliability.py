"""The table of faults names existing tests, and existing log events."""

from __future__ import annotations

import re

import pytest

from tests.support.documents import ROOT, functions_of, named_tests

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = named_tests(ROOT / "docs" / "reliability.md")
TEST = re.compile(r"def (test_\w+)")
#: Faults that must be in the table, by words in their rows.
FAULTS = (
    "kill -9` at any step", "SIGTERM", "zombie", "Solver overruns", "A broker down", "coordinator moved",
    "whole cluster down", "of a send lost", "Answer to a write lost", "Commit lost", "Down, restarted", "Slow",
    "Server down", "4xx", "5xx", "Dropped after DATA", "Poison", "Oversize", "tombstone", "Unknown version",
    "Duplicates", "offset 0", "lost group offsets", "record deleted", "Clock an hour", "night the clocks", "Disk full",
    "read-only", "Overload", "N beside N+1", "Partition count", "mail is in flight", "database lost",
)  # fmt: skip


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda text: text.rpartition("/")[2])
def test_every_test_named_exists(file: str, test: str) -> None:
    assert test in functions_of(file)


def test_every_test_in_the_table_of_protections_exists() -> None:
    defined = {name for path in (ROOT / "tests").rglob("test_*.py") for name in TEST.findall(path.read_text("utf-8"))}
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - defined == set()


def test_every_fault_has_a_row_that_names_a_test() -> None:
    rows = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line]
    faults = {cells[0]: cells for cells in rows if len(cells) == 5 and cells[0].strip() not in {"Fault", "Service"}}
    missing = [fault for fault in FAULTS if not any(fault in row for row in faults)]
    assert missing == []
    services = ("registration", "matching", "scheduler", "notify")
    without_test = [row for row, cells in faults.items() if row.strip() not in services and "tests/" not in cells[2]]
    assert without_test == []


def test_every_log_event_named_is_logged() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py")
    )
    named = {
        event for names in re.findall(r"[Ll]og ((?:`\w+`(?:, )?)+)", PAGE) for event in re.findall(r"`(\w+)`", names)
    }
    assert named
    assert {event for event in named if f'"{event}"' not in source} == set()
