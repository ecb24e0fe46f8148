"""A journal of matching in memory, its outlet, and events as inputs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.decide import Matchmaker
from services.matching.domain.text.ngrams import NgramScorer
from shared.contract.events import AffinityScored, Event
from shared.contract.topics import topic_of
from shared.messaging.inputs import Input, Position
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore


class RecordingOutlet:
    """Keeps the sent affinities; the first `failures` sends fail."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[AffinityScored] = []
        self._failures = failures

    def pack(self, message: Event) -> dict[str, Any]:
        return message.to_json()

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        if self._failures:
            self._failures -= 1
            raise ConnectionError("broker away")
        self.sent += [AffinityScored.model_validate(event) for event in packed]


def journal_on(store: InMemoryJournalStore, outlet: RecordingOutlet, now: datetime) -> Journal[Any, Any, Any]:
    aggregate = MatchingAggregate(Matchmaker([NgramScorer()]))
    return Journal(aggregate, store, outlet, lambda: now, snapshot_every=2)


def inputs_of(*events: Event) -> list[Input]:
    return [Input(event, Position(topic_of(event).name, 0, offset)) for offset, event in enumerate(events)]
