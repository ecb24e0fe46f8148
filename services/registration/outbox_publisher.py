"""What was written is published at once, beside the reply; what that misses, the sweeper sends."""

from __future__ import annotations

from collections.abc import Mapping

from services.registration.domain.entity import Entity
from shared.storage.outbox import OutboxRelay


class OutboxPublisher:
    """Sends the outboxes of all kinds of things."""

    def __init__(self, relays: Mapping[type[Entity], OutboxRelay]) -> None:
        self._relays = relays

    async def prepare(self) -> None:
        """Make the indexes that the sweeper needs."""
        for relay in self._relays.values():
            await relay.prepare()

    def soon(self, kind: type[Entity], document_id: str) -> None:
        """Begin to send a entity's outbox; the caller does not wait."""
        self._relays[kind].soon(document_id)

    async def sweep(self) -> None:
        """Send what waits in any outbox. Raises what Kafka or Mongo raise: the background tries again."""
        for relay in self._relays.values():
            await relay.sweep()

    async def drain(self) -> None:
        """Wait for what has begun."""
        for relay in self._relays.values():
            await relay.drain()
