"""Kafka in: the topics that notify reads."""

from __future__ import annotations

from collections.abc import Sequence

from services.notify.service import Notify
from shared.contract.topics import topics_of
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input


def listen(consumer: Consumer, notify: Notify) -> None:
    """Hand the registrations, agendas and affinities of an edition to the use case."""

    async def on_inputs(edition_id: str, inputs: Sequence[Input]) -> None:
        await notify.consume(edition_id, inputs)

    consumer.subscribe(*topics_of("notify"), handler=on_inputs)
