"""Parts that the read model needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contract.events import Event
from shared.contract.topics import topic_of


@dataclass(frozen=True)
class Head:
    """The state of an edition's read model: `number` rises with every write.

    The operator is known once the edition or any of its things was read; `is_edition_known` tells of the former.
    """

    number: int = 0
    operator_id: str | None = None
    is_edition_known: bool = False


def thing_key(event: Event) -> str:
    """Return the key under which an event's thing is kept: `<topic>/<record key>`.

    A participant and the participant's agenda have the same record key, on two topics.
    """
    return f"{topic_of(event).name}/{event.key}"


class ThingStore(Protocol):
    """The newest snapshot of every thing: see `services.portal.store.MongoThings`."""

    async def prepare(self) -> None:
        """Create the indexes."""

    async def head(self, edition_id: str) -> Head:
        """Return an edition's head; the empty head if nothing is known of it."""

    async def heads(self, edition_ids: Sequence[str]) -> dict[str, int]:
        """Return the numbers of the known editions among these."""

    async def upsert(self, edition_id: str, head: Head, events: Sequence[Event]) -> Head:
        """Write events, unless a newer revision of their thing is stored, and raise the head.

        An equal revision is written again: it gets the new number, so that a reader who missed it finds it.
        """

    async def newer(self, edition_id: str, number: int) -> list[Event]:
        """Return the things that were written after the head had this number."""
