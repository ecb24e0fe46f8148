"""Use cases of the read model: keep the newest snapshots, and hand out the picture of an edition."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from services.portal.domain.picture import EditionPicture
from services.portal.ports import Head, ThingStore, thing_key
from shared.contract.events import EditionChanged, Event
from shared.messaging.inputs import Input, refuse_foreign


class ReadModel:
    """The newest snapshot of every thing, by edition. Several processes write and read it.

    A page asks for `picture`, which reads the snapshots since the last call.
    """

    def __init__(self, store: ThingStore, editions_in_memory: int) -> None:
        self._store = store
        self._most = editions_in_memory
        self._pictures: OrderedDict[str, EditionPicture] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Write the newest snapshots among the inputs.

        Raises:
            ForeignOperator: an event names another operator than its edition's.
        """
        head = await self._store.head(edition_id)
        events = [received.event for received in inputs]
        refuse_foreign(head.operator_id, events, is_edition_known=head.is_edition_known)
        await self._store.upsert(edition_id, _head_with(head, events), _newest(events))

    async def picture(self, edition_id: str) -> EditionPicture:
        """Return the picture of an edition as of now."""
        async with self._locks.setdefault(edition_id, asyncio.Lock()):
            picture = self._pictures.pop(edition_id, None) or EditionPicture(edition_id)
            number = (await self._store.head(edition_id)).number
            if number != picture.number:
                for event in await self._store.newer(edition_id, picture.number):
                    picture.apply(event)
                picture.number = number
            self._pictures[edition_id] = picture
        while len(self._pictures) > self._most:
            dropped, _ = self._pictures.popitem(last=False)
            self._locks.pop(dropped, None)
        return picture


def _newest(events: Sequence[Event]) -> list[Event]:
    newest: dict[str, Event] = {}
    for event in events:
        known = newest.get(thing_key(event))
        if known is None or known.revision <= event.revision:
            newest[thing_key(event)] = event
    return list(newest.values())


def _head_with(head: Head, events: Sequence[Event]) -> Head:
    """Return the head with the operator that these events name."""
    editions = [event for event in events if isinstance(event, EditionChanged)]
    operator_id = editions[-1].operator_id if editions else head.operator_id or events[0].operator_id
    return Head(head.number, operator_id, head.is_edition_known or bool(editions))
