from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from deploy.kafka.jars import KafkaUnavailable, fetch, java, version


def maven(folder: Path, script: str) -> None:
    """Put a `mvn` that does as scripted into a folder."""
    folder.mkdir(exist_ok=True)
    fake = folder / "mvn"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)


def test_the_version_is_a_release_of_kafka_4() -> None:
    assert re.fullmatch(r"4\.\d+\.\d+", version())


def test_jars_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven(
        tmp_path / "bin", 'for last; do :; done; d="${last#-DoutputDirectory=}"; mkdir -p "$d"; echo jar > "$d/a.jar"'
    )
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")

    jars = fetch(tmp_path / "cache")
    maven(tmp_path / "bin", "exit 1")

    assert fetch(tmp_path / "cache") == jars
    assert [path.name for path in jars.iterdir()] == ["a.jar"]
    assert list((tmp_path / "cache").iterdir()) == [jars]


def test_a_failed_fetch_leaves_no_files_and_gives_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven(tmp_path / "bin", "echo 'Could not transfer artifact'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")

    with pytest.raises(KafkaUnavailable, match="mvn failed: Could not transfer artifact"):
        fetch(tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_maven_or_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(KafkaUnavailable, match="mvn is not on the PATH"):
        fetch(tmp_path / "cache")
    with pytest.raises(KafkaUnavailable, match="java is not on the PATH"):
        java()
