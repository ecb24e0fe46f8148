"""What is worth another try, and how long to wait before it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from aiokafka.errors import KafkaError
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
)

LONGEST_WAIT_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.1


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later with nothing changed on our side: Kafka, Mongo or the network is away."""
    if isinstance(error, PyMongoError):
        return isinstance(error, AutoReconnect | ConnectionFailure | ExecutionTimeout | NetworkTimeout) or error.timeout
    return isinstance(error, KafkaError | ConnectionError | TimeoutError)


def waits() -> Iterator[float]:
    """Seconds to wait before each next try: doubling to 30 s, with full jitter (Brooker, AWS, 2015)."""
    ceiling = _FIRST_WAIT_SECONDS
    while True:
        yield random.uniform(_FIRST_WAIT_SECONDS / 2, ceiling)  # noqa: S311 - spreads load, guards nothing
        ceiling = min(LONGEST_WAIT_SECONDS, ceiling * 2)
