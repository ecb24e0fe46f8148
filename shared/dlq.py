"""Dead letters: records that could not be processed, kept whole with their reason and their origin."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaBroker

from shared.clock import utc_now
from shared.cloudevents import header
from shared.topics import DLQ_SUFFIX

_PREFIX = "dlq_"
_LONGEST_REASON = 500


class DeadLetterCause(StrEnum):
    """Why a record was set aside."""

    UNDECODABLE = "undecodable"
    POISON = "poison"
    FAILED = "failed"


class BudgetSpent(Exception):
    """Too many dead letters in a short time: the fault is more likely ours than the records'."""


@dataclass(frozen=True)
class Origin:
    """Where a dead letter comes from, as `dlq_*` headers say it."""

    topic: str
    partition: int
    offset: int
    consumer: str
    cause: str
    reason: str
    at: str

    @staticmethod
    def of(record: ConsumerRecord) -> Origin | None:
        """Read it from a record of a `.dlq` topic; None for a record that is not one of ours."""
        values = {name: header(record.headers, _PREFIX + name) for name in Origin.__dataclass_fields__}
        if any(value is None for value in values.values()):
            return None
        texts = {name: str(value) for name, value in values.items()}
        return Origin(**{**texts, "partition": int(texts["partition"]), "offset": int(texts["offset"])})  # type: ignore[arg-type]

    def headers(self) -> dict[str, str]:
        """As record headers."""
        return {_PREFIX + name: str(getattr(self, name)) for name in self.__dataclass_fields__}


def original_headers(record: ConsumerRecord) -> dict[str, str]:
    """The headers the record had before it was set aside; bytes that are not UTF-8 are escaped."""
    return {
        name: value.decode("utf-8", "backslashreplace")
        for name, value in record.headers
        if value is not None and not name.startswith(_PREFIX)
    }


class DeadLetters:
    """Sets records aside, within a budget of so many in ten minutes."""

    WINDOW_SECONDS = 600.0

    def __init__(
        self, broker: KafkaBroker, consumer: str, budget: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker = broker
        self._consumer = consumer
        self._budget = budget
        self._now = now
        self._recent: deque[float] = deque()

    async def add(self, record: ConsumerRecord, cause: DeadLetterCause, reason: str) -> None:
        """Publish the record to its topic's `.dlq`, acknowledged.

        Raises:
            BudgetSpent: more than the budget within the window. The record stays where it is.
            KafkaError: not acknowledged. Call again.
        """
        self._spend()
        origin = Origin(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            consumer=self._consumer,
            cause=cause,
            reason=reason[:_LONGEST_REASON],
            at=utc_now().isoformat(),
        )
        await self._broker.publish(
            record.value,
            topic=record.topic + DLQ_SUFFIX,
            key=record.key,
            headers={**original_headers(record), **origin.headers()},
        )
        self._recent.append(self._now())

    def _spend(self) -> None:
        horizon = self._now() - self.WINDOW_SECONDS
        while self._recent and self._recent[0] < horizon:
            self._recent.popleft()
        if len(self._recent) >= self._budget:
            raise BudgetSpent(f"{len(self._recent)} dead letters within {self.WINDOW_SECONDS:.0f} s")
