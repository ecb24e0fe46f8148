"""Publication of the outboxes: at once after a write, while the reply is sent; the sweep sends the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.domain.entity import Entity
from shared.storage.outbox import OutboxRelay


class OutboxPublisher:
    """Sends the outboxes of all kinds of entities."""

    def __init__(self, relays: Mapping[type[Entity], OutboxRelay]) -> None:
        self.relays = relays

    async def prepare(self) -> None:
        """Create the indexes that the sweep needs."""
        for relay in self.relays.values():
            await relay.prepare()

    def begin(self, kind: type[Entity], document_ids: Sequence[str]) -> None:
        """Start sending the outbox of an entity, or of a batch of entities, without waiting for it."""
        if len(document_ids) == 1:
            self.relays[kind].soon(document_ids[0])
        else:
            self.relays[kind].later(document_ids)

    async def measure(self) -> None:
        """Note how many outboxes wait, and since when."""
        for relay in self.relays.values():
            await relay.measure()

    async def sweep(self) -> None:
        """Send all outboxes that wait. Errors of Kafka and Mongo are raised: the background task tries again."""
        for relay in self.relays.values():
            await relay.sweep()

    async def drain(self) -> None:
        """Wait until the outboxes in hand are sent."""
        for relay in self.relays.values():
            await relay.drain()
