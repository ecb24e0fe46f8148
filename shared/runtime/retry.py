"""Retries: errors that justify another attempt, and the waits before it."""

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
#: Error codes of MongoDB for writes while its disk is full, while it is read-only, without rights, or after a quota of
#: its host is spent: IllegalOperation, Unauthorized, AuthenticationFailed, OutOfDiskSpace, AtlasError.
_SERVER_TAKES_NOTHING = frozenset({20, 13, 18, 14031, 8000})


class Unready(Exception):
    """The input is not at fault: handling waits until an operator has mended the state that the message names."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same call may succeed later: Kafka, MongoDB or the network is away, or `Unready`.

    A database that rejects writes counts as transient too: otherwise the whole topic would be dead-lettered.
    """
    if isinstance(error, OperationFailure) and error.code in _SERVER_TAKES_NOTHING:
        return True
    if isinstance(error, PyMongoError):
        return isinstance(error, AutoReconnect | ConnectionFailure | ExecutionTimeout | NetworkTimeout) or error.timeout
    return isinstance(error, KafkaError | ConnectionError | TimeoutError | Unready)


def waits() -> Iterator[float]:
    """Yield the waits between attempts in seconds: doubling to 30 s, with full jitter (Brooker, AWS, 2015)."""
    ceiling = _FIRST_WAIT_SECONDS
    while True:
        yield random.uniform(_FIRST_WAIT_SECONDS / 2, ceiling)  # noqa: S311 - spreads load, guards nothing
        ceiling = min(LONGEST_WAIT_SECONDS, ceiling * 2)
