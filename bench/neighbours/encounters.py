"""The times at which encounters were scheduled, by the timestamps of their records."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer

from shared.contract.cloudevents import decode
from shared.contract.events import EncounterChanged, EncounterState
from shared.contract.topics import ENCOUNTER

#: Tansu answers a fetch that finds nothing when this is over, and not before.
_FETCH_WAIT_MS = 50
_PLACED = frozenset({EncounterState.SCHEDULED, EncounterState.MOVED})


class ScheduledEncounters:
    """Follows the topic of encounters. `at` holds seconds since 1970, by encounter, for the editions followed."""

    def __init__(self, bootstrap: str) -> None:
        self.at: dict[str, float] = {}
        self._prefixes: tuple[bytes, ...] = ()
        self._consumer = AIOKafkaConsumer(
            ENCOUNTER.name,
            bootstrap_servers=bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        self._following: asyncio.Task[None] | None = None

    def follow(self, edition_id: str) -> None:
        """Keep the encounters of an edition from now on. Records of further editions are not even decoded."""
        self._prefixes = (*self._prefixes, f"{edition_id}/".encode())

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._consumer.stop()

    async def _follow(self) -> None:
        async for record in self._consumer:
            if record.key.startswith(self._prefixes):
                event = decode(record.headers, record.value)
                if isinstance(event, EncounterChanged) and event.state in _PLACED:
                    self.at.setdefault(event.encounter_id, record.timestamp / 1000)
