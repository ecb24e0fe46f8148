from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.jars import KafkaUnavailable
from tests.support import apache_kafka


@pytest.fixture
def decided_anew() -> Iterator[None]:
    """Forget the decision of this run before and after the test."""
    apache_kafka.missing.cache_clear()
    yield
    apache_kafka.missing.cache_clear()


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, decided_anew: None) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)


@pytest.mark.usefixtures("no_java")
def test_without_java_a_test_is_skipped_with_the_reason() -> None:
    assert not apache_kafka.is_available()
    with pytest.raises(pytest.skip.Exception, match="Apache Kafka: java is not on the PATH"):
        apache_kafka.require()


@pytest.mark.usefixtures("no_java")
def test_without_java_a_test_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Apache Kafka: java is not on the PATH"):
        apache_kafka.require()


@pytest.mark.usefixtures("no_java")
def test_the_availability_is_decided_once_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = 0

    def count(*_: object) -> None:
        nonlocal decided
        decided += 1
        raise KafkaUnavailable("no Kafka")

    monkeypatch.setattr(apache_kafka, "broker_programs", count)
    for _ in range(3):
        assert apache_kafka.missing() == "no Kafka"
    assert decided == 1
