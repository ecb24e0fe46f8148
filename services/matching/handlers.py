"""Kafka in: the topics that matching consumes."""

from __future__ import annotations

from collections.abc import Sequence

from services.matching.service import Matching
from shared.contract.topics import topics_of
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input


def listen(consumer: Consumer, matching: Matching) -> None:
    """Subscribe the use case to registrations, match requests and encounters."""

    async def on_inputs(edition_id: str, inputs: Sequence[Input]) -> None:
        await matching.consume(edition_id, inputs)

    consumer.subscribe(*topics_of("matching"), handler=on_inputs)
