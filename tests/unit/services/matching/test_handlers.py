from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.matching.handlers import listen
from shared.contract.topics import ENCOUNTER, MATCH_REQUEST, REGISTRATION, Topic
from shared.messaging.inputs import Handler, Input, Position


class Subscriptions:
    """Takes the place of the consumer and keeps the subscribed topics."""

    def subscribe(self, *topics: Topic, handler: Handler) -> None:
        self.topics = topics
        self.handler = handler


class RecordingUseCase:
    """Takes the place of the use case and keeps its inputs."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, Sequence[Input]]] = []

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        self.batches.append((edition_id, inputs))


async def test_registrations_requests_and_encounters_reach_the_use_case(scene: Any) -> None:
    consumer, matching = Subscriptions(), RecordingUseCase()
    listen(consumer, matching)  # type: ignore[arg-type]
    inputs = [Input(scene.edition(), Position("registration.v1", 0, 0))]
    await consumer.handler("ed1", inputs)
    assert set(consumer.topics) == {REGISTRATION, MATCH_REQUEST, ENCOUNTER}
    assert matching.batches == [("ed1", inputs)]
