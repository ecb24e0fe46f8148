"""Outside checkers: programs by other people that read what we write, as an integrator or an SRE would.

Each comes from a package registry by its ordinary client, pinned in a file beside this module: Debian packages in
`apt.txt`, npm packages in `npm/`, Maven artifacts in `maven/`, Go modules in `go/`. They are built below
`.cache/tools`. The file `status.json` there holds the command of each checker, or the reason why this machine has
none; the tests read it through `tests.support.outside`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ctypes.util import find_library
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from tests.tools.kube import schemas

SOURCE = Path(__file__).parent
CACHE = SOURCE.parents[1] / ".cache" / "tools"
STATUS = CACHE / "status.json"
_SECONDS = 600
_LINES_SHOWN = 3


class ToolUnavailable(Exception):
    """A checker cannot be installed on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Tool:
    """An outside checker: the command that runs it, or the reason why there is none."""

    command: tuple[str, ...] = ()
    missing: str = ""


def install_all() -> dict[str, Tool]:
    """Install each checker that is not there yet, and write down the outcome in `status.json`."""
    installers: dict[str, Callable[[], tuple[str, ...]]] = {
        **{command: partial(_apt, package, command) for package, command in apt_packages()},
        "asyncapi": partial(_npm, "asyncapi.js"),
        "ical.js": partial(_npm, "calendars.js"),
        "redocly": partial(_npm, "node_modules/@redocly/cli/bin/cli.js"),
        "spectral": partial(_npm, "node_modules/@stoplight/spectral-cli/dist/index.js"),
        "axe": _axe,
        "vnu": _vnu,
        "calendars": _maven,
        "libical": _libical,
        "cloudevent": partial(_go, "cloudevent"),
        "compose": partial(_go, "compose"),
        "dockerfile": partial(_go, "dockerfile"),
        "kubeconform": _kubeconform,
        "hadolint": partial(_in_environment, "hadolint"),
    }
    CACHE.mkdir(parents=True, exist_ok=True)
    tools = {name: _attempt(install) for name, install in installers.items()}
    entries = {name: asdict(tool) for name, tool in tools.items()}
    STATUS.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    return tools


def status() -> dict[str, Tool]:
    """The outcome of the last `make tools`; empty where it never ran."""
    if not STATUS.exists():
        return {}
    entries = json.loads(STATUS.read_text(encoding="utf-8"))
    return {name: Tool(tuple(entry["command"]), entry["missing"]) for name, entry in entries.items()}


def report(tools: Mapping[str, Tool]) -> int:
    """Print a line for each missing checker. Returns the exit status: 1 if one is missing and `CI` is `true`."""
    missing = {name: tool.missing for name, tool in tools.items() if tool.missing}
    for name, reason in missing.items():
        print(f"{name}: {reason}; its tests are skipped")
    return int(bool(missing) and os.environ.get("CI") == "true")


def apt_packages() -> Iterator[tuple[str, str]]:
    """Each Debian package of `apt.txt` with its command."""
    for line in (SOURCE / "apt.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            package, command = line.split()
            yield package, command


def _attempt(install: Callable[[], tuple[str, ...]]) -> Tool:
    try:
        return Tool(command=install())
    except ToolUnavailable as error:
        return Tool(missing=str(error))


def _apt(package: str, command: str) -> tuple[str, ...]:
    if shutil.which(command) is None:
        if shutil.which("apt-get") is None:
            raise ToolUnavailable(f"{command} is not on the PATH, and this system has no apt-get: install {package}")
        if os.geteuid() != 0:
            raise ToolUnavailable(f"{command} is not on the PATH: as root, run 'apt-get install {package}'")
        _run("apt-get", "update", "-qq")
        # Debian's prometheus would also start a server; a checker needs the program alone.
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", package)
    found = shutil.which(command)
    if found is None:
        raise ToolUnavailable(f"the Debian package {package} brought no {command}")
    return (found,)


def _in_environment(command: str) -> tuple[str, ...]:
    """Return a program that a package of the development lock brought."""
    found = Path(sys.executable).parent / command
    if not found.exists():
        raise ToolUnavailable(f"{command} is not in the environment: run 'make setup'")
    return (str(found),)


def _libical() -> tuple[str, ...]:
    if find_library("ical") is None:
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            raise ToolUnavailable("libical is not installed: on Debian, as root, run 'apt-get install libical3'")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "libical3")
    return sys.executable, str(SOURCE / "libical.py")


def _npm(program: str) -> tuple[str, ...]:
    return _needed("node"), str(_npm_folder() / program)


def _axe() -> tuple[str, ...]:
    return (str(_npm_folder() / "node_modules" / "axe-core" / "axe.min.js"),)


def _vnu() -> tuple[str, ...]:
    jar = _npm_folder() / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    return _needed("java"), "-Xss2m", "-XX:TieredStopAtLevel=1", "-jar", str(jar)


def _npm_folder() -> Path:
    _needed("node")
    sources = ("package.json", "package-lock.json", "asyncapi.js", "calendars.js")
    with _built("npm", *sources) as folder:
        if folder:
            for name in (".npmrc", *sources):
                shutil.copy(SOURCE / "npm" / name, folder)
            _run("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", folder=folder)
    return CACHE / "npm"


def _maven() -> tuple[str, ...]:
    java = _needed("java")
    with _built("maven", "pom.xml", "Calendars.java") as folder:
        if folder:
            pom = str(SOURCE / "maven" / "pom.xml")
            _run("mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")
            _run("javac", "-nowarn", "-cp", f"{folder}/*", "-d", str(folder), str(SOURCE / "maven" / "Calendars.java"))
    classes = CACHE / "maven"
    return java, "-cp", f"{classes}{os.pathsep}{classes}/*", "Calendars"


def _go(program: str) -> tuple[str, ...]:
    with _built("go", "go.mod", "go.sum", "cloudevent/main.go", "compose/main.go", "dockerfile/main.go") as folder:
        if folder:
            _run("go", "build", "-o", f"{folder}{os.sep}", "./...", folder=SOURCE / "go")
    return (str(CACHE / "go" / program),)


def _kubeconform() -> tuple[str, ...]:
    go = _needed("go")
    with _built("kube", "go.mod", "go.sum", "schemas.py") as folder:
        if folder:
            program = "github.com/yannh/kubeconform/cmd/kubeconform"
            _run("go", "build", "-o", f"{folder}{os.sep}", program, folder=SOURCE / "kube")
            try:
                schemas.write(folder / "schemas", go)
            except (OSError, subprocess.SubprocessError, schemas.WrongModule) as error:
                raise ToolUnavailable(f"the schemas for kubeconform could not be had: {error}") from error
    location = CACHE / "kube" / "schemas" / "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"
    return str(CACHE / "kube" / "kubeconform"), "-strict", "-summary", "-schema-location", str(location)


@contextmanager
def _built(name: str, *sources: str) -> Iterator[Path | None]:
    """An empty folder to build in, which becomes `.cache/tools/NAME`; None if that was built from the same sources."""
    target = CACHE / name
    digest = sha256(b"".join((SOURCE / name / source).read_bytes() for source in sources)).hexdigest()
    stamp = CACHE / f"{name}.sha256"
    if target.is_dir() and stamp.exists() and stamp.read_text() == digest:
        yield None
        return
    # A folder apart, then renamed: a build that was interrupted must not look whole.
    with tempfile.TemporaryDirectory(dir=CACHE) as unfinished:
        folder = Path(unfinished, name)
        folder.mkdir()
        yield folder
        shutil.rmtree(target, ignore_errors=True)
        with suppress(OSError):  # another process was first
            folder.rename(target)
    stamp.write_text(digest)


def _needed(command: str) -> str:
    found = shutil.which(command)
    if found is None:
        raise ToolUnavailable(f"{command} is not on the PATH")
    return found


def _run(*command: str, folder: Path | None = None) -> None:
    try:
        program = _needed(command[0])
        subprocess.run(
            [program, *command[1:]], cwd=folder, check=True, capture_output=True, text=True, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ToolUnavailable(f"'{' '.join(command[:2])}' did not end within {_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        end = " | ".join((error.stdout + error.stderr).strip().splitlines()[-_LINES_SHOWN:])
        raise ToolUnavailable(f"'{' '.join(command[:2])}' failed: {end}") from error
