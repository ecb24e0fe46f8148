"""Apache Kafka's jars, from Maven Central."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

_POM = Path(__file__).with_name("pom.xml")
_CACHE = Path(__file__).parents[2] / ".cache"
_FETCH_SECONDS = 600
_LINES_SHOWN = 5


class KafkaUnavailable(Exception):
    """Apache Kafka cannot be had on this machine: the message says what is missing."""


def version() -> str:
    """The version that the POM pins."""
    found = re.search(r"<kafka\.version>(.+)</kafka\.version>", _POM.read_text())
    if found is None:
        raise KafkaUnavailable(f"{_POM} pins no kafka.version")
    return found[1]


def fetch(cache: Path = _CACHE) -> Path:
    """The folder of the jars, fetched the first time (about 45 MB, half a minute).

    Raises:
        KafkaUnavailable: no Java, no Maven, or no Maven Central.
    """
    jars = cache / f"kafka-{version()}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    # A folder of our own, then renamed: another process may be fetching, and a broken fetch must not look whole.
    with tempfile.TemporaryDirectory(dir=cache) as unfinished:
        copy = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        run([*copy, f"-DoutputDirectory={unfinished}/jars"], _FETCH_SECONDS)
        with suppress(OSError):  # another process was first
            Path(unfinished, "jars").rename(jars)
    return jars


def java() -> str:
    """The path of `java`.

    Raises:
        KafkaUnavailable: there is none.
    """
    found = shutil.which("java")
    if found is None:
        raise KafkaUnavailable("java is not on the PATH")
    return found


def run(command: list[str], seconds: float) -> None:
    """Run one of Kafka's or Maven's commands to its end.

    Raises:
        KafkaUnavailable: it could not be run, failed, or took too long.
    """
    try:
        subprocess.run(  # noqa: S603 - our own commands
            command, check=True, capture_output=True, text=True, timeout=seconds
        )
    except FileNotFoundError as error:
        raise KafkaUnavailable(f"{command[0]} is not on the PATH") from error
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailable(f"{command[0]} did not end within {seconds:g} s") from error
    except subprocess.CalledProcessError as error:
        end = "\n".join((error.stdout + error.stderr).strip().splitlines()[-_LINES_SHOWN:])
        raise KafkaUnavailable(f"{command[0]} failed: {end}") from error
