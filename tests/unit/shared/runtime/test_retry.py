from __future__ import annotations

from itertools import islice

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from shared.runtime.retry import LONGEST_WAIT_SECONDS, Unready, is_transient, waits


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (KafkaConnectionError(), True),
        (KafkaTimeoutError(), True),
        (AutoReconnect(), True),
        (NetworkTimeout(), True),
        (ServerSelectionTimeoutError(), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (DuplicateKeyError("twice"), False),
        (OperationFailure("bad query"), False),
        (OperationFailure("the disk is full", 14031), True),
        (OperationFailure("not allowed in read-only mode", 20), True),
        (OperationFailure("not authorized", 13), True),
        (Unready("a newer version wrote it"), True),
        (ValueError(), False),
        (KeyError("x"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_transient_errors_are_retried_for_ever(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


def test_waits_grow_with_jitter_and_stay_below_the_longest() -> None:
    some = list(islice(waits(), 40))
    assert all(0 < wait <= LONGEST_WAIT_SECONDS for wait in some)
    assert some[0] <= 0.1
    assert max(some) > 5
