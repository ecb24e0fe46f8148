"""Kafka in: the topics of which change feeds tell."""

from __future__ import annotations

from collections.abc import Sequence

from services.events.service import ChangeFeeds
from shared.contract.topics import topics_of
from shared.messaging.consumer import Consumer
from shared.messaging.inputs import Input


def listen(consumer: Consumer, feeds: ChangeFeeds) -> None:
    """Append all events of these topics to the feeds."""

    async def on_inputs(edition_id: str, inputs: Sequence[Input]) -> None:
        await feeds.consume(edition_id, inputs)

    consumer.subscribe(*topics_of("events"), handler=on_inputs)
