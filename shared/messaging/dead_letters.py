"""Dead letters: records that could not be processed, stored whole with their reason and origin.

The letters of a topic with personal data keep no body: an erasure would not reach it. Their replay publishes the thing
anew, from the database of its service.

A `.dlq` topic is a compacted table keyed by origin: a record that is dead-lettered twice is one letter. A tombstone
removes a letter (`tertulia dlq drop`, or `tertulia dlq replay` after sending the record again).
"""

from __future__ import annotations

import base64
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaBroker

from shared.contract.cloudevents import header
from shared.contract.topics import DLQ_SUFFIX, is_personal
from shared.runtime.clock import utc_now

#: Owner of the records that cannot be decoded. Their budget is the process's.
UNKNOWN = "unknown"
_PREFIX = "dlq_"
_LONGEST_REASON = 500
#: Not null, because a null body removes a letter.
_NO_BODY = b""
#: Key of an event: ids and a kind.
_EVENT_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){2}")


class DeadLetterCause(StrEnum):
    """The cause of a dead letter."""

    UNDECODABLE = "undecodable"
    POISON = "poison"
    FAILED = "failed"


class BudgetSpent(Exception):
    """An owner has too many dead letters in a short time: later records may fail for the same mendable reason.

    Attributes:
        owner: the operator, or `UNKNOWN`.
        seconds: the time until the budget has room again.
    """

    def __init__(self, owner: str, seconds: float) -> None:
        super().__init__(f"the dead-letter budget of {owner} is spent")
        self.owner = owner
        self.seconds = seconds


@dataclass(frozen=True)
class DeadLetterOrigin:
    """The origin of a dead letter and its cause, as in the `dlq_*` headers."""

    topic: str
    partition: int
    offset: int
    consumer: str
    cause: str
    reason: str
    at: str
    #: The record's key in base64, because it may hold any bytes; empty if the record had no key.
    key: str

    @property
    def letter_id(self) -> str:
        """The id of the letter, and its record key: the consumer's name and the position of the original record."""
        return f"{self.consumer}/{self.topic}/{self.partition}/{self.offset}"

    @property
    def original_key(self) -> bytes | None:
        """The key of the original record."""
        return base64.b64decode(self.key) or None

    @property
    def shown_key(self) -> str:
        """The key of an event, `<edition>/<kind>/<id>`; `-` for bytes of any further kind."""
        key = (self.original_key or b"").decode("utf-8", "replace")
        return key if _EVENT_KEY.fullmatch(key) else "-"

    @staticmethod
    def of(record: ConsumerRecord) -> DeadLetterOrigin | None:
        """Read the origin from a record of a `.dlq` topic; None for a foreign record."""
        values = {name: header(record.headers, _PREFIX + name) for name in DeadLetterOrigin.__dataclass_fields__}
        texts = {name: value for name, value in values.items() if value is not None}
        if len(texts) < len(values):
            return None
        partition, offset = int(texts.pop("partition")), int(texts.pop("offset"))
        return DeadLetterOrigin(partition=partition, offset=offset, **texts)

    def headers(self) -> dict[str, str]:
        """Return the origin as record headers."""
        return {_PREFIX + name: str(getattr(self, name)) for name in self.__dataclass_fields__}


def original_headers(record: ConsumerRecord) -> dict[str, str]:
    """Return the headers of the original record. Bytes that are not UTF-8 are escaped."""
    return {
        name: value.decode("utf-8", "backslashreplace")
        for name, value in record.headers
        if value is not None and not name.startswith(_PREFIX)
    }


class DeadLetters:
    """Dead-letters records, up to a budget of letters in ten minutes for an owner."""

    WINDOW_SECONDS = 600.0

    def __init__(
        self, broker: KafkaBroker, consumer: str, budget: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker = broker
        self._consumer = consumer
        self._budget = budget
        self._now = now
        #: By owner, the times of the letters in the window.
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        #: By owner, the end of the hold.
        self._held: dict[str, float] = {}

    def held(self) -> dict[str, float]:
        """Return the owners that have spent their budget, with the seconds until it has room again."""
        now = self._now()
        self._held = {owner: end for owner, end in self._held.items() if end > now}
        return {owner: end - now for owner, end in self._held.items()}

    async def add(self, record: ConsumerRecord, cause: DeadLetterCause, reason: str, owner: str) -> None:
        """Publish a record to its `.dlq` topic, and wait for the acknowledgement.

        Raises:
            BudgetSpent: the owner's budget of the window is spent. The record is not dead-lettered.
            KafkaError: the broker did not acknowledge the letter. Call again.
        """
        self._check_budget(owner)
        origin = DeadLetterOrigin(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            consumer=self._consumer,
            cause=cause,
            reason=reason[:_LONGEST_REASON],
            at=utc_now().isoformat(),
            key=base64.b64encode(record.key or b"").decode(),
        )
        await self._broker.publish(
            _NO_BODY if is_personal(record.topic) else record.value,
            topic=record.topic + DLQ_SUFFIX,
            key=origin.letter_id.encode(),
            headers={**original_headers(record), **origin.headers()},
        )
        self._recent[owner].append(self._now())

    def _check_budget(self, owner: str) -> None:
        self._forget_old()
        recent = self._recent.get(owner, ())
        if len(recent) < self._budget:
            return
        begun = recent[0] if recent else self._now()
        self._held[owner] = begun + self.WINDOW_SECONDS
        raise BudgetSpent(owner, self._held[owner] - self._now())

    def _forget_old(self) -> None:
        """Forget the letters before the window, and the owners without a letter in it."""
        horizon = self._now() - self.WINDOW_SECONDS
        for recent in self._recent.values():
            while recent and recent[0] <= horizon:
                recent.popleft()
        for owner in [owner for owner, recent in self._recent.items() if not recent]:
            del self._recent[owner]
