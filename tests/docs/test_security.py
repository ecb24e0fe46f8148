"""The threat model names existing tests, all attacks, and all attackers."""

from __future__ import annotations

import pytest

from tests.support.documents import ROOT, functions_of, named_tests

PAGE = ROOT / "docs" / "security.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMED = named_tests(PAGE)
#: Parties that must have a promise.
PARTIES = (
    "anonymous", "operator's key", "another operator", "insider on the bus", "outside reader", "participant",
    "mail recipient", "SRE",
)  # fmt: skip


def promises() -> list[list[str]]:
    """The rows of the table of promises: the party, the attempt, the promise, the tests."""
    table = TEXT.partition("## Promises")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows if row[0].strip() != "Who"]


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda text: text.rpartition("/")[2])
def test_every_test_named_exists(file: str, test: str) -> None:
    assert test in functions_of(file)


def test_every_promise_names_a_test() -> None:
    assert promises()
    assert [row[1] for row in promises() if "::test_" not in row[3]] == []


def test_every_party_has_a_promise() -> None:
    parties = {row[0] for row in promises()}
    assert [party for party in PARTIES if not any(named.startswith(party) for named in parties)] == []


def test_every_attack_is_in_the_threat_model() -> None:
    attacks = {str(path.relative_to(ROOT)) for path in (ROOT / "tests/attacks").glob("test_*.py")}
    assert attacks - {file for file, _ in NAMED} == set(), "add a promise to docs/security.md"
