"""A process's Kafka client in memory: the parts of FastStream's broker that the services use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaConnectionError

from shared.contract.topics import DLQ_SUFFIX
from tests.support.in_memory.kafka import InMemoryKafka, Member
from tests.support.in_memory.process import Process

Handler = Callable[[Sequence[ConsumerRecord]], Awaitable[None]]


class Subscriber:
    """A subscriber like FastStream's: `subscriber(handler)`, and `subscriber.consumer` once it runs."""

    def __init__(
        self, kafka: InMemoryKafka, process: Process, topics: Sequence[str], listener: Any, options: dict[str, Any]
    ) -> None:
        self.consumer = Member(kafka.group(options["group_id"]), process, topics, listener, options)
        self._kafka = kafka
        self._handler: Handler | None = None
        self._consuming: asyncio.Task[None] | None = None

    def __call__(self, handler: Handler) -> Handler:
        self._handler = handler
        return handler

    async def start(self) -> None:
        self.consumer.group.join(self.consumer)
        self._consuming = asyncio.create_task(self._consume())

    async def stop(self) -> None:
        if self._consuming is not None:
            self._consuming.cancel()
            await asyncio.wait([self._consuming])
        self.consumer.group.leave(self.consumer)

    async def _consume(self) -> None:
        """Handle batch after batch. Like FastStream, log an error of the handler and fetch the next batch."""
        assert self._handler is not None
        while True:
            batch = await self.consumer.fetch()
            try:
                await self._handler(tuple(batch))
            except Exception as error:  # noqa: BLE001 - see above
                self._kafka.escaped.append(error)


class InMemoryBroker:
    """Client of a process, with the calls of `faststream.kafka.KafkaBroker` that the services use."""

    def __init__(self, kafka: InMemoryKafka, process: Process) -> None:
        self._kafka, self._process = kafka, process
        self._subscribers: list[Subscriber] = []
        self._queue: list[tuple[Callable[[], int], str, asyncio.Future[None]]] = []
        self._sending: asyncio.Task[None] | None = None

    def subscriber(self, *topics: str, listener: Any, **options: Any) -> Subscriber:
        self._subscribers.append(Subscriber(self._kafka, self._process, topics, listener, options))
        return self._subscribers[-1]

    async def start(self) -> None:
        for subscriber in self._subscribers:
            await subscriber.start()

    async def stop(self) -> None:
        for subscriber in self._subscribers:
            await subscriber.stop()
        if self._sending is not None:
            await asyncio.wait([self._sending])

    async def publish(
        self,
        value: bytes | None,
        *,
        topic: str,
        key: bytes,
        headers: dict[str, str],
        no_confirm: bool = False,
    ) -> Awaitable[None]:
        """Enqueue a record; return its acknowledgement, or await it unless `no_confirm`."""
        encoded = [(name, text.encode()) for name, text in headers.items()]
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((lambda: self._kafka.append(topic, key, encoded, value), topic, acknowledged))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send())
        if not no_confirm:
            await acknowledged
        return acknowledged

    async def _send(self) -> None:
        """Send the queue in order: in an idempotent producer no record overtakes a failed one."""
        while self._queue:
            await self._process.alive()
            together, self._queue = self._queue, []
            step = "dead-letter" if together[0][1].endswith(DLQ_SUFFIX) else "send"
            try:
                await self._process.step(step, lambda: self._land(together), KafkaConnectionError)  # noqa: B023
            except KafkaConnectionError as error:
                for _, _, acknowledged in together:
                    if not acknowledged.done():
                        acknowledged.set_exception(error)
                        acknowledged.exception()  # read, so that asyncio does not report it a second time
            else:
                for _, _, acknowledged in together:
                    if not acknowledged.done():
                        acknowledged.set_result(None)

    def _land(self, together: Sequence[tuple[Callable[[], int], str, asyncio.Future[None]]]) -> None:
        for land, _, _ in together:
            land()
