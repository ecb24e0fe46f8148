"""What was written is published at once, beside the reply; what that misses, the sweeper sends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from services.registration.domain.things import Thing
from shared.log import get_logger
from shared.outbox import OutboxRelay

_log = get_logger(__name__)
#: Beyond this many waiting at once (Kafka is slow or away) the sweeper does the work, in its own time.
_MOST_AT_ONCE = 500


class Publishing:
    """Sends the outboxes of all kinds of things."""

    def __init__(self, relays: Mapping[type[Thing], OutboxRelay]) -> None:
        self._relays = relays
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Make the indexes that the sweeper needs."""
        for relay in self._relays.values():
            await relay.prepare()

    def soon(self, kind: type[Thing], thing_id: str) -> None:
        """Begin to send a thing's outbox; the caller does not wait."""
        if len(self._tasks) < _MOST_AT_ONCE:
            task = asyncio.create_task(self._send(kind, thing_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def sweep(self) -> None:
        """Send what waits in any outbox. Raises what Kafka or Mongo raise: the background tries again."""
        for relay in self._relays.values():
            await relay.sweep()

    async def drain(self) -> None:
        """Wait for what has begun."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _send(self, kind: type[Thing], thing_id: str) -> None:
        try:
            await self._relays[kind].relay(thing_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the outbox keeps it for the sweeper
            _log.warning("publish_deferred", kind=kind.NOUN, error=type(error).__name__)
