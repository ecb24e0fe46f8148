"""Apache Kafka for the tests: its availability is decided once in a run."""

from __future__ import annotations

import asyncio
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from deploy.embedded.probes import free_ports
from deploy.kafka.cluster import broker_programs
from deploy.kafka.jars import KafkaUnavailable


@cache
def missing() -> str:
    """Return the reason why Apache Kafka cannot run on this machine; empty if it can.

    The check fetches the jars and formats a storage folder, so that it finds a missing Java and one that is too old.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            asyncio.run(broker_programs(Path(folder), free_ports(1)))
        except KafkaUnavailable as error:
            return str(error)
    return ""


def is_available() -> bool:
    """Decide between Apache Kafka and the embedded broker. With `CI=true` a missing Kafka is a failure."""
    if missing() and os.environ.get("CI") == "true":
        pytest.fail(f"Apache Kafka: {missing()}", pytrace=False)
    return not missing()


def require() -> None:
    """Skip the test without Apache Kafka, with the reason. With `CI=true` it fails."""
    if not is_available():
        pytest.skip(f"Apache Kafka: {missing()}")
