"""Kafka in: the topics that the scheduler consumes."""

from __future__ import annotations

from collections.abc import Sequence

from services.scheduler.service import Scheduler
from shared.contract.topics import topics_of
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input


def listen(consumer: Consumer, scheduler: Scheduler) -> None:
    """Subscribe to registrations and affinities, and hand the batches of an edition to the scheduler."""

    async def on_inputs(edition_id: str, inputs: Sequence[Input]) -> None:
        await scheduler.consume(edition_id, inputs)

    consumer.subscribe(*topics_of("scheduler"), handler=on_inputs)
