"""A small interpreter of `deploy/Dockerfile`, for machines without containers.

It runs the steps of the Dockerfile in a folder. Absolute paths of the image, such as `/app`, lie below that folder. The
base image is a virtual environment of this Python. No bytecode is compiled, which would take most of the time.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template

_SECONDS = 400
#: Folders of the image that a step may name.
_OURS = re.compile(r"(?<![\w./-])/(app|build)(?=[/\s\"':]|$)")
_DEFAULT = re.compile(r"\$\{(\w+):\+([^{}]*(?:\{[^{}]*\})?[^{}]*)\}")


class UnknownStep(Exception):
    """The Dockerfile has an instruction that the interpreter does not know."""


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Yield the instructions of a Dockerfile with their arguments, in order."""
    lines = [line for line in dockerfile.splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


class Image:
    """An image in the making, and then the image: its files, its environment, and its commands."""

    def __init__(self, folder: Path, base: Path, context: Path, arguments: Mapping[str, str]) -> None:
        self.root = folder / "image"
        self.environment: dict[str, str] = {}
        self.stages: list[str] = []
        self.user = ""
        self.entrypoint: list[str] = []
        self.health_check: list[str] = []
        self._context = context
        self._given = arguments
        self._global: dict[str, str] = {}
        self._arguments: dict[str, str] = {}
        self._base = base
        self._earlier = folder / "earlier"
        self._folder = "/"

    def build(self, dockerfile: str) -> None:
        """Run the steps of a Dockerfile.

        Raises:
            UnknownStep: an instruction is unknown here.
            CalledProcessError: a command failed.
        """
        steps: dict[str, Callable[[str], None]] = {
            "ARG": self._arg, "COPY": self._copy, "ENTRYPOINT": self._set_entrypoint, "ENV": self._env,
            "EXPOSE": _ignore, "FROM": self._from, "HEALTHCHECK": self._set_health_check, "LABEL": _ignore,
            "RUN": self._run, "USER": self._set_user, "WORKDIR": self._set_folder,
        }  # fmt: skip
        for name, rest in instructions(dockerfile):
            if name not in steps:
                raise UnknownStep(f"{name} {rest}")
            steps[name](rest)

    def seal(self) -> None:
        """Make all files and folders read-only, like the file system of the container."""
        for path in [self.root, *self.root.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)

    def unseal(self) -> None:
        """Make the folders writable again, so that they can be deleted."""
        for path in [self.root, *(path for path in self.root.rglob("*") if path.is_dir())]:
            path.chmod(0o755)

    def here(self, text: str) -> str:
        """Return a text of the Dockerfile with the image's paths below the root."""
        return _OURS.sub(lambda found: f"{self.root}/{found[1]}", text)

    def command(self, *words: str) -> list[str]:
        """Return a command in the image, without the right of root to write to read-only files."""
        without_rights = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
        return [*without_rights, *(self.here(word) for word in words)]

    def _arg(self, rest: str) -> None:
        name, _, default = rest.partition("=")
        value = self._given.get(name, self._global.get(name, default))
        (self._arguments if self.stages else self._global)[name] = value

    def _from(self, rest: str) -> None:
        image, *_ = self._filled(rest, self._global).split(" AS ")
        self.stages.append(image)
        self._arguments = {}
        self.environment = {"PATH": f"{self._base}/bin:{os.environ['PATH']}"}
        self._folder = "/"
        if self.root.exists():
            self.root.rename(self._earlier)
        self.root.mkdir(parents=True)

    def _env(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self.environment[name] = self.here(self._filled(value, self._arguments | self.environment))

    def _set_folder(self, rest: str) -> None:
        self._folder = rest
        self._inside(rest).mkdir(parents=True, exist_ok=True)

    def _copy(self, rest: str) -> None:
        words = self._filled(rest, self._arguments).split()
        from_stage = words[0].startswith("--from=")
        *sources, target = words[1:] if from_stage else words
        for source in sources:
            path = self._earlier / source.lstrip("/") if from_stage else self._context / source
            goal = self._inside(target)
            if from_stage:
                path.rename(goal)  # a copy would do, slowly
            elif path.is_dir():
                shutil.copytree(path, goal, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            else:
                goal = goal / path.name if target.endswith("/") else goal
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, goal)

    def _run(self, rest: str) -> None:
        words = re.sub(r"--mount=\S+ +", "", rest)
        environment = {**_clean(), **self._arguments, **self.environment, "UV_COMPILE_BYTECODE": "0"}
        subprocess.run(
            ["/bin/sh", "-ec", self.here(words)],
            env=environment, cwd=self._inside("."), check=True, timeout=_SECONDS, stdout=sys.stderr,
        )  # fmt: skip

    def _set_user(self, rest: str) -> None:
        self.user = rest

    def _set_entrypoint(self, rest: str) -> None:
        self.entrypoint = json.loads(rest)

    def _set_health_check(self, rest: str) -> None:
        self.health_check = json.loads(rest[rest.index("[") :])

    def _inside(self, path: str) -> Path:
        """Return the path of a file or folder of the image; relative paths count from the working folder."""
        return self.root / os.path.join(self._folder, path).lstrip("/")  # noqa: PTH118 - an absolute path wins

    @staticmethod
    def _filled(text: str, values: Mapping[str, str]) -> str:
        chosen = _DEFAULT.sub(lambda found: found[2] if values.get(found[1]) else "", text)
        return Template(chosen).substitute(values)


def base_image(folder: Path) -> Path:
    """Make a virtual environment that stands for the base image, and return its folder."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=_SECONDS)
    return folder


def _ignore(_: str) -> None:
    """Skip an instruction without effect on files."""


def _clean() -> dict[str, str]:
    """Return the environment of this process without settings of the project and of Python."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("TERTULIA_", "PYTHON", "VIRTUAL"))
    }
