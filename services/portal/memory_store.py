"""The read model in the memory of a process, lost when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.portal.ports import Head, thing_key
from shared.contract.events import Event


class InMemoryThings:
    """Keeps snapshots until the process ends: implements `services.portal.ports.ThingStore`."""

    def __init__(self) -> None:
        self._things: dict[str, tuple[int, Event]] = {}
        self._heads: dict[str, Head] = {}

    async def prepare(self) -> None:
        """Do nothing: there are no indexes."""

    async def head(self, edition_id: str) -> Head:
        """Return an edition's head; the empty head if nothing is known of it."""
        return self._heads.get(edition_id, Head())

    async def heads(self, edition_ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the known editions among these."""
        return {key: self._heads[key].number for key in edition_ids if key in self._heads}

    async def upsert(self, edition_id: str, head: Head, events: Sequence[Event]) -> Head:
        """Write events, unless a newer revision of their thing is stored, and raise the head."""
        number = head.number + 1
        for event in events:
            known = self._things.get(thing_key(event))
            if known is None or known[1].revision <= event.revision:
                self._things[thing_key(event)] = number, event
        newest = max(number, self._heads.get(edition_id, Head()).number)
        self._heads[edition_id] = replace(head, number=newest)
        return replace(head, number=number)

    async def newer(self, edition_id: str, number: int) -> list[Event]:
        """Return the things that were written after the head had this number."""
        return [
            event for written, event in self._things.values() if event.edition_id == edition_id and written > number
        ]
