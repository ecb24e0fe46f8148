"""Files, folders, members of modules and names of code in the documents exist."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "services/matching/vocabulary/README.md")
    ),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FOLDERS = ("bench", "demo", "deploy", "docs", "requirements", "services", "shared", "tertulia", "tests")
SUFFIXES = ("csv", "html", "json", "jsonl", "lock", "md", "mzn", "npz", "py", "toml", "txt", "yaml", "yml")
#: Paths that a command makes.
MADE = {
    "agendas.json",
    "summary.json",
    "demo-output/",
    "deploy/secrets/",
    "deploy/secrets/TERTULIA_INTERNAL_TOKEN",
    "sbom/",
}
#: Paths that a page names although the project does not have them (any more), by page.
ABSENT = {"docs/adr/0001-one-project.md": {"uv.lock"}}
#: Names of other projects' code.
OUTSIDE = {"FeatureNotEnabled", "transactional_id"}
#: Names of the examples in the how-to pages: code that a reader would add.
EXAMPLES = {"job_title", "FeedbackChanged", "mail_help"}

FILE = re.compile(rf"[\w./-]+\.(?:{'|'.join(SUFFIXES)})")
FOLDER = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*|[\w-]+(?:/[\w-]+)*/")
MEMBER = re.compile(r"([a-z_]+)\.(\w+)(?:\([^)]*\))?")
#: A name with an underscore, or with capitals inside, with its members and arguments.
NAME = re.compile(r"([a-z]+_\w+|_\w+|[A-Z][a-z0-9]+[A-Z]\w*)(?:\.\w+)*(?:\([^)]*\))?")


def named(page: Path) -> set[str]:
    """The texts in backticks of a page, without the names of tests behind `::`."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return {name.partition("::")[0] for name in re.findall(r"`([^`\n]+)`", text)}


def known_paths() -> set[str]:
    """All paths of the project, and their ends: a page may name a module from its service's folder on."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    paths = [path.relative_to(ROOT).parts for path in files] + [(path.name,) for path in ROOT.iterdir()]
    return {"/".join(parts[at:]) for parts in paths for at in range(len(parts))} | set(FOLDERS)


KNOWN = known_paths()


def sources_by_module() -> dict[str, str]:
    """The source of all modules of a name, by name."""
    sources: dict[str, str] = defaultdict(str)
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            sources[path.stem] += path.read_text(encoding="utf-8")
    return sources


SOURCES = sources_by_module()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_named_in_the_documents_exist(page: Path) -> None:
    paths = {name for name in named(page) if FILE.fullmatch(name) or FOLDER.fullmatch(name)}
    allowed = MADE | ABSENT.get(str(page.relative_to(ROOT)), set())
    missing = {path for path in paths - allowed if path.rstrip("/") not in KNOWN}
    assert missing == set(), "renamed? mend the page, or add the path to ABSENT"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_members_of_modules_named_in_the_documents_exist(page: Path) -> None:
    members = {match.groups() for name in named(page) if (match := MEMBER.fullmatch(name)) and match[1] in SOURCES}
    missing = {(module, member) for module, member in members if not re.search(rf"\b{member}\b", SOURCES[module])}
    assert {names for names in missing if names[1] not in SUFFIXES} == set()


CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".mzn", ".toml", ".yaml", ".xml", ".java"} and path.name != Path(__file__).name
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names_of_code_in_the_documents_exist(page: Path) -> None:
    texts = {name for name in named(page) if not FILE.fullmatch(name) and not name.startswith("tertulia_")}
    names = {match[1] for name in texts if (match := NAME.fullmatch(name))}
    assert {name for name in names - OUTSIDE - EXAMPLES if not re.search(rf"\b{re.escape(name)}\b", CODE)} == set()
