"""Timefold Solver as a peer: a small Java program that is compiled and run where Java and Maven are."""

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
#: Beyond the seconds of solving: the JVM starts, reads the file, and ends.
_GRACE_SECONDS = 60


class TimefoldUnavailable(Exception):
    """There is no Java, no Maven, or no Maven Central here; the message says which."""


def build() -> Path:
    """The folder of its classes and jars, fetched and compiled the first time.

    Raises:
        TimefoldUnavailable: it cannot be.
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
    """Each better agenda: the seconds it took, and the slot of each encounter, 0 if it waits. On one core.

    Raises:
        TimefoldUnavailable: it cannot be run.
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
    """What `Improve.java` reads, as lines of numbers."""
    slots = [slot for day in draft.days for slot in bits(day)]
    yield [len(draft.days), *draft.days]
    yield [len(draft.attending), *draft.attending]
    yield [len(slots), len(draft.room)]
    for number, room in enumerate(draft.room):
        taken = [slot for slot, needs in zip(draft.slot, draft.needs, strict=True) if number in needs]
        yield [room[slot] + taken.count(slot) for slot in slots]
    yield [len(draft.pairs)]
    for pair, (one, other) in enumerate(draft.sides):
        choices = [slot.bit_length() - 1 for slot in bits(draft.common(pair))]
        needs = draft.needs[pair]
        yield [one, other, draft.slot[pair].bit_length() - 1, len(choices), *choices, len(needs), *needs]


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
