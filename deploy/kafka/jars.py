"""Apache Kafka's jars, from Maven Central."""

from __future__ import annotations

import hashlib
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
    """Apache Kafka is not available on this machine. The message names the missing part, and the remedy."""


def version() -> str:
    """Return the version of Kafka that the POM pins."""
    found = re.search(r"<kafka\.version>(.+)</kafka\.version>", _POM.read_text())
    if found is None:
        raise KafkaUnavailable(f"{_POM} pins no version: it needs the property kafka.version")
    return found[1]


def fetch(cache: Path = _CACHE) -> Path:
    """Return the folder of the jars. The first call fetches them (about 45 MB, half a minute).

    Raises:
        KafkaUnavailable: Maven is missing, or Maven Central does not answer.
    """
    jars = cache / f"kafka-{version()}-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:8]}"
    if jars.is_dir():
        return jars
    cache.mkdir(parents=True, exist_ok=True)
    # A temporary folder, then renamed: another process may fetch at the same time, and no partial fetch may be used.
    with tempfile.TemporaryDirectory(dir=cache) as unfinished:
        copy = ["mvn", "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime"]
        run([*copy, f"-DoutputDirectory={unfinished}/jars"], _FETCH_SECONDS)
        with suppress(OSError):  # another process was first
            Path(unfinished, "jars").rename(jars)
    return jars


def java() -> str:
    """Return the path of `java`.

    Raises:
        KafkaUnavailable: Java is not on the PATH.
    """
    found = shutil.which("java")
    if found is None:
        raise KafkaUnavailable("java is not on the PATH: install a Java runtime, 17 or later")
    return found


def run(command: list[str], seconds: float) -> None:
    """Run a command of Kafka or Maven to its end.

    Raises:
        KafkaUnavailable: the command is missing, failed, or took too long.
    """
    try:
        subprocess.run(  # noqa: S603 - our own commands
            command, check=True, capture_output=True, text=True, timeout=seconds
        )
    except FileNotFoundError as error:
        raise KafkaUnavailable(f"{command[0]} is not on the PATH: install it") from error
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailable(f"{command[0]} did not end within {seconds:g} s") from error
    except subprocess.CalledProcessError as error:
        end = "\n".join((error.stdout + error.stderr).strip().splitlines()[-_LINES_SHOWN:])
        raise KafkaUnavailable(f"{command[0]} failed: {end}") from error
