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
    OperationFailure,
    PyMongoError,
)

LONGEST_WAIT_SECONDS = 30.0
_FIRST_WAIT_SECONDS = 0.1
#: What MongoDB answers to any write when its disk is full, when it only reads, when our rights are withdrawn, or when a
#: quota of its host is used up: IllegalOperation, Unauthorized, AuthenticationFailed, OutOfDiskSpace, AtlasError.
_SERVER_TAKES_NOTHING = frozenset({20, 13, 18, 14031, 8000})


class Unready(Exception):
    """It is not the input that is at fault: all wait until an operator has mended what the message says."""


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later with nothing changed on our side: Kafka, Mongo or the network is away.

    So is a database that takes no writes: setting its inputs aside would empty the topic into the dead letters.
    """
    if isinstance(error, OperationFailure) and error.code in _SERVER_TAKES_NOTHING:
        return True
    if isinstance(error, PyMongoError):
        return isinstance(error, AutoReconnect | ConnectionFailure | ExecutionTimeout | NetworkTimeout) or error.timeout
    return isinstance(error, KafkaError | ConnectionError | TimeoutError | Unready)


def waits() -> Iterator[float]:
    """Seconds to wait before each next try: doubling to 30 s, with full jitter (Brooker, AWS, 2015)."""
    ceiling = _FIRST_WAIT_SECONDS
    while True:
        yield random.uniform(_FIRST_WAIT_SECONDS / 2, ceiling)  # noqa: S311 - spreads load, guards nothing
        ceiling = min(LONGEST_WAIT_SECONDS, ceiling * 2)
