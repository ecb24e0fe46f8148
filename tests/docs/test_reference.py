"""Claims of the documents about the code are true."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.contract.topics import TOPICS
from tertulia import reference
from tertulia.cli import app

ROOT = Path(__file__).parents[2]
#: Environment variables that are no settings: the folder of the secrets, and what tells a test to write its samples.
_OTHER_VARIABLES = (
    "TERTULIA_API_KEY TERTULIA_REGISTRATION_URL "
    "TERTULIA_SECRETS_DIR TERTULIA_WRITE_GOLDEN TERTULIA_WRITE_OPENAPI TERTULIA_WRITE_STORED"
)
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_reference_pages_are_what_the_code_says() -> None:
    assert reference.drifted(ROOT) == [], "run `make format`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_named_in_the_documents_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
    for command in set(re.findall(r"`tertulia ([a-z]+(?: [a-z-]+)?)", text)):
        words = [word for word in command.split() if not word.startswith("-")]
        result = CliRunner().invoke(app, [*words, "--help"])
        if result.exit_code and len(words) > 1:  # the second word may be an argument
            result = CliRunner().invoke(app, [words[0], "--help"])
        assert result.exit_code == 0, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_and_metrics_named_in_the_documents_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    pages = reference.pages()
    known = pages[Path("docs/settings.md")] + pages[Path("docs/metrics.md")] + _OTHER_VARIABLES
    named = set(re.findall(r"TERTULIA_[A-Z_]+[A-Z]", text)) | set(re.findall(r"`(tertulia_[a-z_]+)`", text))
    assert {name for name in named if name not in known} == set()


def test_every_topic_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [topic.name for topic in TOPICS if topic.name not in text] == []


def test_the_console_script_is_installed() -> None:
    assert [script.value for script in entry_points(group="console_scripts", name="tertulia")] == ["tertulia.cli:main"]
