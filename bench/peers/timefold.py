"""Timefold Solver: a small Java program, compiled and run on machines with Java and Maven."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver.draft import Draft

_SOURCE = Path(__file__).with_name("timefold_solver")
_CACHE = Path(__file__).parents[2] / ".cache"
_BUILD_SECONDS = 600
#: Seconds beyond the solving, for the start and the end of the JVM.
_GRACE_SECONDS = 60


class TimefoldUnavailable(Exception):
    """Java, Maven or Maven Central is not available. The message names it."""


def build() -> Path:
    """Return the folder of classes and jars. The first call fetches and compiles them.

    Raises:
        TimefoldUnavailable: fetching or compiling failed.
    """
    built = _CACHE / "timefold-1.30.0"
    if not built.is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as unfinished:
            pom = str(_SOURCE / "pom.xml")
            _run("mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}/built")
            _run("javac", "-cp", f"{unfinished}/built/*", "-d", f"{unfinished}/built", str(_SOURCE / "Improve.java"))
            with suppress(OSError):  # another process was first
                Path(unfinished, "built").rename(built)
    return built


def improve(draft: Draft, seconds: int) -> Iterator[tuple[float, list[SlotSet]]]:
    """Yield every better agenda, found on a single core: seconds, and the slots of the encounters, 0 for waiting.

    Raises:
        TimefoldUnavailable: the solver could not be run.
    """
    built = build()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "instance.txt")
        file.write_text("\n".join(" ".join(map(str, line)) for line in _lines(draft)), encoding="ascii")
        java = ["java", "-XX:ActiveProcessorCount=1", "-cp", f"{built}{os.pathsep}{built}/*", "Improve"]
        for line in _run(*java, str(file), str(seconds), within=seconds + _GRACE_SECONDS).splitlines():
            milliseconds, *slots = map(int, line.split())
            yield milliseconds / 1000, [1 << slot if slot >= 0 else 0 for slot in slots]


def _lines(draft: Draft) -> Iterator[list[int]]:
    """Yield the input of `Improve.java` as lines of numbers."""
    slots = [slot for day in draft.days for slot in bits(day)]
    yield [len(draft.days), *draft.days]
    yield [len(draft.attending), *draft.attending]
    yield [len(slots), len(draft.free_tables)]
    for number, room in enumerate(draft.free_tables):
        taken = [slot for slot, needs in zip(draft.slot, draft.zone_sets_of, strict=True) if number in needs]
        yield [room[slot] + taken.count(slot) for slot in slots]
    yield [len(draft.pairs)]
    for pair, (first, second) in enumerate(draft.sides):
        choices = [slot.bit_length() - 1 for slot in bits(draft.common(pair))]
        needs = draft.zone_sets_of[pair]
        yield [first, second, draft.slot[pair].bit_length() - 1, len(choices), *choices, len(needs), *needs]


def _run(*command: str, within: float = _BUILD_SECONDS) -> str:
    if shutil.which(command[0]) is None:
        raise TimefoldUnavailable(f"{command[0]} is not on the PATH")
    try:
        done = subprocess.run(  # noqa: S603 - our own commands
            command, check=True, capture_output=True, text=True, timeout=within
        )
    except subprocess.TimeoutExpired as error:
        raise TimefoldUnavailable(f"{command[0]} did not end within {within:g} s") from error
    except subprocess.CalledProcessError as error:
        raise TimefoldUnavailable(f"{command[0]} failed: {error.stderr.strip()[-200:]}") from error
    return done.stdout
