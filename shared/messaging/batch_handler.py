"""Handling of a batch of records: decode, group by edition, retry, dead-letter."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from shared.contract.cloudevents import Undecodable
from shared.messaging.dead_letters import BudgetSpent, DeadLetterCause, DeadLetters
from shared.messaging.inputs import Handler, Input, Poison, input_of
from shared.runtime import trace
from shared.runtime.health import Health, NotReady
from shared.runtime.log import get_logger
from shared.runtime.metrics import DEAD_LETTER_STOP, RECORDS, RETRIES
from shared.runtime.retry import is_transient, waits
from shared.runtime.scrubbing import Scrubber
from shared.runtime.settings import ServiceSettings

_log = get_logger(__name__)
#: Editions of one batch that are handled concurrently.
_EDITIONS_AT_ONCE = 8

#: Records of one edition with their inputs, in order.
EditionBatch = list[tuple[ConsumerRecord, Input]]


class Stopping(Exception):
    """The service is stopping. The batch stays uncommitted, so that another process handles it."""


class BatchHandler:
    """Brings every record of a batch to an end: handled, or dead-lettered.

    A transient error delays the batch. Once the dead-letter budget is spent the handler halts: it handles nothing
    more until the service is restarted.
    """

    def __init__(self, handler: Handler, dead_letters: DeadLetters, settings: ServiceSettings, health: Health) -> None:
        self._handler = handler
        self._dead_letters = dead_letters
        self._settings = settings
        self._health = health
        self._closing = asyncio.Event()
        self._halted_because = ""

    def close(self) -> None:
        """End waits: a batch in progress that has to wait raises `Stopping`."""
        self._closing.set()

    @property
    def is_closing(self) -> bool:
        """True once `close` was called."""
        return self._closing.is_set()

    async def rest(self, seconds: float) -> None:
        """Wait for some time, at most until `close` is called."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    def check(self) -> None:
        """Raise `NotReady` if the handler has halted."""
        if self._halted_because:
            raise NotReady(f"stopped: {self._halted_because}")

    async def handle(self, records: Sequence[ConsumerRecord]) -> None:
        """Handle the records of a batch, several editions at a time.

        Raises:
            Stopping: the service stops before all records were handled.
        """
        editions: dict[str, EditionBatch] = {}
        for record in records:
            try:
                received = input_of(record)
            except Undecodable as error:
                await self._dead_letter(record, DeadLetterCause.UNDECODABLE, error)
            else:
                editions.setdefault(received.event.edition_id, []).append((record, received))
        limit = asyncio.Semaphore(_EDITIONS_AT_ONCE)

        async def handle_within_limit(edition_id: str, batch: EditionBatch) -> None:
            async with limit:
                await self._handle_edition(edition_id, batch)

        outcomes = await asyncio.gather(
            *(handle_within_limit(edition_id, batch) for edition_id, batch in editions.items()),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _handle_edition(self, edition_id: str, batch: EditionBatch) -> None:
        """Handle an edition's inputs. Wait while errors are transient; dead-letter inputs that cannot be handled."""
        pauses, attempts = waits(), 0
        trace.follow(batch[-1][1].traceparent)
        while batch:
            self._health.progress("consumer")
            try:
                await self._handler(edition_id, [received for _, received in batch])
            except Poison as poison:
                batch = await self._without_poison(batch, poison)
            except Exception as error:  # noqa: BLE001 - nothing may escape: the batch would be lost
                transient = is_transient(error)
                attempts += not transient
                RETRIES.labels(error=type(error).__name__).inc()
                _log.warning("handler_failed", edition=edition_id, inputs=len(batch), exc_info=error)
                if not transient and len(batch) > 1:
                    for single in batch:
                        await self._handle_edition(edition_id, [single])
                    return
                if attempts >= self._settings.dead_letter_attempts:
                    await self._dead_letter(batch[0][0], DeadLetterCause.FAILED, error)
                    return
                await self._pause(next(pauses))
            else:
                for record, _ in batch:
                    RECORDS.labels(topic=record.topic, outcome="applied").inc()
                return

    async def _without_poison(self, batch: EditionBatch, poison: Poison) -> EditionBatch:
        """Dead-letter the poisonous records and return the rest; dead-letter all if the event is not in the batch."""
        poisonous = [(record, received) for record, received in batch if received.event is poison.event]
        for record, _ in poisonous or batch:
            await self._dead_letter(record, DeadLetterCause.POISON, poison)
        return [pair for pair in batch if pair not in poisonous] if poisonous else []

    async def _dead_letter(self, record: ConsumerRecord, cause: DeadLetterCause, error: Exception) -> None:
        reason = Scrubber().summary(error) if cause is DeadLetterCause.FAILED else str(error)
        pauses = waits()
        while True:
            try:
                await self._dead_letters.add(record, cause, reason)
            except BudgetSpent as spent:
                await self._halt(str(spent))
            except KafkaError as unsent:
                RETRIES.labels(error=type(unsent).__name__).inc()
                await self._pause(next(pauses))
            else:
                RECORDS.labels(topic=record.topic, outcome="dead_lettered").inc()
                _log.error(
                    "dead_lettered",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    cause=cause,
                    reason=error,
                )
                return

    async def _halt(self, reason: str) -> None:
        self._halted_because = reason
        DEAD_LETTER_STOP.set(1)
        _log.critical("consumer_stopped", reason=reason, do="roll back or mend, restart, then `tertulia dlq replay`")
        while True:
            await self._pause(self._settings.stall_seconds / 4)

    async def _pause(self, seconds: float) -> None:
        self._health.progress("consumer")
        await self.rest(seconds)
        if self.is_closing:
            raise Stopping
        self._health.progress("consumer")
