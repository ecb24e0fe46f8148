"""Attempts to handle a batch of an edition: retry, search for the record at fault, dead-letter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile

from aiokafka import ConsumerRecord, TopicPartition

from shared.contract.cloudevents import Undecodable
from shared.messaging.dead_letters import UNKNOWN, BudgetSpent, DeadLetterCause, DeadLetters
from shared.messaging.inputs import Handler, Input, Poison, input_of
from shared.runtime import trace
from shared.runtime.health import Health
from shared.runtime.log import get_logger
from shared.runtime.metrics import RECORDS, RETRIES
from shared.runtime.retry import is_transient, waits
from shared.runtime.scrubbing import Scrubber

_log = get_logger(__name__)


@dataclass(frozen=True, eq=False)
class Received:
    """A record in memory, decoded or with the error of the attempt. `at` is the monotonic time of its arrival."""

    record: ConsumerRecord
    at: float
    input: Input | None
    error: Exception | None = None

    @classmethod
    def of(cls, record: ConsumerRecord, at: float) -> Received:
        """Decode a record."""
        try:
            return cls(record, at, input_of(record))
        except Exception as error:  # noqa: BLE001 - nothing may escape: the batch would be lost
            return cls(record, at, None, error)

    @property
    def partition(self) -> TopicPartition:
        """The partition of the record."""
        return TopicPartition(self.record.topic, self.record.partition)

    @property
    def owner(self) -> str:
        """The operator of the event. Records that cannot be decoded have an unknown owner."""
        return self.input.event.operator_id if self.input else UNKNOWN


@dataclass(frozen=True)
class Pause:
    """The seconds until the next attempt. The lane is held if the dead-letter budget of its operator is spent."""

    seconds: float
    is_held: bool = False


@dataclass
class Trials:
    """The failures of an edition since its last success. They narrow the next batch down to the record at fault."""

    pauses: Iterator[float] = field(default_factory=waits)
    #: Failures for no known reason of the first record.
    failures: int = 0
    #: Records before a poisonous record: they are handled next.
    before_poison: int = 0
    #: Records that are handled one by one, because their batch has failed for no known reason.
    singles: int = 0

    def next_batch(self, waiting: Sequence[Received], most: int) -> list[Received]:
        """Return the records of the next attempt: the first decoded records, or a record that cannot be decoded."""
        most = 1 if self.singles else self.before_poison or most
        decoded = list(takewhile(lambda received: received.input, islice(waiting, most)))
        return decoded or [waiting[0]]

    def succeeded(self) -> None:
        """Record that the first records have ended."""
        self.pauses, self.failures, self.before_poison = waits(), 0, 0
        self.singles = max(0, self.singles - 1)


class BatchHandler:
    """Tries to bring the records of a batch to an end, in their order: handled, or dead-lettered."""

    def __init__(self, handler: Handler, dead_letters: DeadLetters, attempts: int, health: Health) -> None:
        """Create a handler. A record that fails for no known reason is dead-lettered after so many attempts."""
        self._handler = handler
        self._dead_letters = dead_letters
        self._attempts = attempts
        self._health = health

    async def attempt(
        self, edition_id: str, batch: Sequence[Received], trials: Trials, finish: Callable[[Received], None]
    ) -> Pause | None:
        """Try a batch of `Trials.next_batch` once, and call `finish` for every record that has come to its end.

        Return the pause before the next attempt; None if the next may follow at once.
        """
        worker = f"lane {edition_id}"
        self._health.progress(worker)
        try:
            return await self._try(edition_id, batch, trials, finish)
        except BudgetSpent as spent:
            _log.error("operator_held", edition=edition_id, operator=spent.owner, seconds=round(spent.seconds))
            return Pause(spent.seconds, is_held=True)
        except Exception as unsent:  # noqa: BLE001 - a dead letter was not acknowledged
            RETRIES.labels(error=type(unsent).__name__).inc()
            return Pause(next(trials.pauses))
        finally:
            self._health.idle(worker)

    async def _try(
        self, edition_id: str, batch: Sequence[Received], trials: Trials, finish: Callable[[Received], None]
    ) -> Pause | None:
        if batch[0].error is not None:
            await self._dead_letter(batch[:1], DeadLetterCause.UNDECODABLE, batch[0].error, trials, finish)
            return None
        inputs = [received.input for received in batch if received.input]
        trace.follow(inputs[-1].traceparent)
        try:
            await self._handler(edition_id, inputs)
        except Poison as poison:
            trials.before_poison = next((n for n, known in enumerate(inputs) if known.event is poison.event), 0)
            if trials.before_poison == 0:
                at_fault = batch[:1] if inputs[0].event is poison.event else batch
                await self._dead_letter(at_fault, DeadLetterCause.POISON, poison, trials, finish)
        except Exception as error:  # noqa: BLE001 - nothing may escape: the batch would be lost
            return await self._failed(edition_id, batch, trials, finish, error)
        else:
            for received in batch:
                RECORDS.labels(topic=received.record.topic, outcome="applied").inc()
                finish(received)
            trials.succeeded()
        return None

    async def _failed(
        self,
        edition_id: str,
        batch: Sequence[Received],
        trials: Trials,
        finish: Callable[[Received], None],
        error: Exception,
    ) -> Pause | None:
        """Wait while errors are transient. Else try single records, and dead-letter the record at fault."""
        RETRIES.labels(error=type(error).__name__).inc()
        _log.warning("handler_failed", edition=edition_id, inputs=len(batch), exc_info=error)
        if is_transient(error):
            return Pause(next(trials.pauses))
        if len(batch) > 1:
            trials.singles = len(batch)
            return None
        trials.failures += 1
        if trials.failures < self._attempts:
            return Pause(next(trials.pauses))
        await self._dead_letter(batch, DeadLetterCause.FAILED, error, trials, finish)
        return None

    async def _dead_letter(
        self,
        batch: Sequence[Received],
        cause: DeadLetterCause,
        error: Exception,
        trials: Trials,
        finish: Callable[[Received], None],
    ) -> None:
        is_ours = isinstance(error, Undecodable | Poison)
        reason = str(error) if is_ours else Scrubber().summary(error)
        for received in batch:
            record = received.record
            await self._dead_letters.add(record, cause, reason, received.owner)
            RECORDS.labels(topic=record.topic, outcome="dead_lettered").inc()
            _log.error(
                "dead_lettered",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                operator=received.owner,
                cause=cause,
                reason=error,
            )
            finish(received)
            trials.succeeded()
