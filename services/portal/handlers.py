"""Kafka in: the topics from which pages are made."""

from __future__ import annotations

from collections.abc import Sequence

from services.portal.service import ReadModel
from shared.contract.topics import topics_of
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input


def listen(consumer: Consumer, read_model: ReadModel) -> None:
    """Subscribe the read model to all that pages show."""

    async def on_inputs(edition_id: str, inputs: Sequence[Input]) -> None:
        await read_model.consume(edition_id, inputs)

    consumer.subscribe(*topics_of("portal"), handler=on_inputs)
