"""Use cases of the change feed: record events in order, and read them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from services.events.domain.cursor import START, CursorGone, FeedCursor, read_cursor
from services.events.item import FeedItem, PlacedItem, item_of, thing_key
from services.events.ports import FeedHead, FeedStore, NumberTaken
from services.events.store import new_epoch
from shared.contract.events import EditionChanged, Event
from shared.contract.events.registration import Phase
from shared.messaging.inputs import Input, refuse_foreign
from shared.runtime.clock import Clock, utc_now
from shared.runtime.log import get_logger

_log = get_logger(__name__)
#: Lost fences in a row that mean that two installations use this database.
_FENCE_ATTEMPTS = 20
#: Items that a call looks at, and bytes of bodies that it returns.
_MOST_LOOKED_AT: Final = 2000
_MOST_BYTES: Final = 2_000_000
_PAGE = 500


@dataclass
class EditionIndex:
    """The index of an edition's items: by thing the newest revision, and the number of its item."""

    head: FeedHead | None = None
    number: int = 0
    placed: int = 0
    revisions: dict[str, int] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)

    def add(self, number: int, thing: str, revision: int) -> None:
        """Add an item."""
        self.number = number
        self.revisions[thing], self.newest[thing] = revision, number


@dataclass(frozen=True)
class FeedQuery:
    """A reading of a feed: from a cursor on, or the newest items of all things; with filters."""

    after: str = ""
    limit: int = 100
    types: frozenset[str] = frozenset()
    thing: str = ""
    from_revision: int = 0
    is_snapshot: bool = False

    def wants(self, item: FeedItem) -> bool:
        """Tell whether the filters let an item pass."""
        return (
            (not self.types or item.type in self.types)
            and (not self.thing or item.thing.partition("/")[2] == self.thing)
            and item.revision >= self.from_revision
        )


@dataclass(frozen=True)
class FeedPage:
    """Items of a feed, and the cursor after the last item that was looked at, with its number in the feed."""

    items: list[PlacedItem]
    next: str
    number: int


class ChangeFeeds:
    """The change feeds of all editions and operators. Several processes write and read them."""

    def __init__(self, store: FeedStore, editions_in_memory: int, kept: timedelta, clock: Clock = utc_now) -> None:
        self._store = store
        self._kept = kept
        self._clock = clock
        self._most = editions_in_memory
        self._indexes: OrderedDict[str, EditionIndex] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    async def consume(self, edition_id: str, inputs: Sequence[Input]) -> None:
        """Append the events that are new to the feeds of their edition and its operator.

        Raises:
            ForeignOperator: an event names another operator than its edition's.
        """
        events = [received.event for received in inputs]
        for _ in range(_FENCE_ATTEMPTS):
            async with self._lock(edition_id):
                index = await self._index(edition_id)
                try:
                    await self._append(edition_id, index, events)
                except NumberTaken:
                    self._indexes.pop(edition_id, None)
                    _log.info("fenced", edition=edition_id)
                    continue
                except BaseException:
                    self._indexes.pop(edition_id, None)
                    raise
                return
        raise NumberTaken(
            f"edition {edition_id}: another process wrote its feed {_FENCE_ATTEMPTS} times in a row; see whether two "
            "installations use this database"
        )

    async def read_edition(self, operator_id: str, edition_id: str, query: FeedQuery) -> FeedPage:
        """Return a page of an edition's feed.

        Raises:
            BadCursor: `after` is no cursor.
            CursorGone: the feed no longer has the items after the cursor.
        """
        head = await self._store.edition_head(edition_id)
        if head is None:
            return self._empty(query)
        cursor = read_cursor(query.after, head.epoch)
        if query.is_snapshot or cursor.upto is not None:
            return await self._snapshot(operator_id, edition_id, query, cursor)
        looked_at, items, is_newest = cursor.number, list[PlacedItem](), False
        while not is_newest and self._has_room(items, looked_at - cursor.number, query):
            found = await self._store.items(edition_id, looked_at, min(_PAGE, query.limit))
            is_newest = not found
            for item in found:
                if not self._has_room(items, looked_at - cursor.number, query):
                    break
                looked_at = item.number
                if item.operator_id == operator_id and query.wants(item):
                    items.append(PlacedItem(item, str(FeedCursor(head.epoch, item.number))))
        if cursor.number > head.number and looked_at == cursor.number:
            _must_exist(await self._store.by_number(edition_id, [cursor.number]))
        return FeedPage(items, str(FeedCursor(head.epoch, looked_at)), looked_at)

    async def read_operator(self, operator_id: str, query: FeedQuery) -> FeedPage:
        """Return a page of an operator's feed. Raises as `read_edition`."""
        head = await self._store.operator_head(operator_id)
        if head is None:
            return self._empty(query)
        cursor = read_cursor(query.after, head.epoch)
        looked_at, items, is_newest = cursor.number, list[PlacedItem](), False
        while not is_newest and self._has_room(items, looked_at - cursor.number, query):
            found = await self._store.operator_items(operator_id, looked_at, min(_PAGE, query.limit))
            is_newest = not found
            for place, item in found:
                if not self._has_room(items, looked_at - cursor.number, query):
                    break
                looked_at = place
                if item.operator_id == operator_id and query.wants(item):
                    items.append(PlacedItem(item, str(FeedCursor(head.epoch, place))))
        if cursor.number > head.number and looked_at == cursor.number:
            _must_exist(await self._store.operator_items(operator_id, cursor.number - 1, 1))
        return FeedPage(items, str(FeedCursor(head.epoch, looked_at)), looked_at)

    async def forget_closed(self) -> None:
        """Remove the feeds of editions that were closed long ago. Cursors of before are gone."""
        for edition_id in await self._store.closed_before(self._clock() - self._kept):
            async with self._lock(edition_id):
                self._indexes.pop(edition_id, None)
                head = await self._store.edition_head(edition_id)
                if head is not None:
                    await self._store.forget(edition_id, replace(head, epoch=new_epoch(), number=0))
                    _log.info("feed_forgotten", edition=edition_id)

    async def _snapshot(self, operator_id: str, edition_id: str, query: FeedQuery, cursor: FeedCursor) -> FeedPage:
        """Return a page of the newest items of things. Things that change meanwhile follow after the snapshot."""
        async with self._lock(edition_id):
            index = await self._index(edition_id)
            await self._catch_up(edition_id, index)
            upto = index.number if cursor.upto is None else cursor.upto
            after = 0 if query.is_snapshot and cursor.upto is None else cursor.number
            numbers = sorted(number for number in index.newest.values() if after < number <= upto)
        page = numbers[: query.limit]
        items = [
            PlacedItem(item, str(FeedCursor(cursor.epoch, item.number, upto)))
            for item in await self._store.by_number(edition_id, page)
            if item.operator_id == operator_id and query.wants(item)
        ]
        is_last = len(page) == len(numbers)
        following = FeedCursor(cursor.epoch, upto) if is_last else FeedCursor(cursor.epoch, page[-1], upto)
        return FeedPage(items, str(following), following.number)

    async def _append(self, edition_id: str, index: EditionIndex, events: Sequence[Event]) -> None:
        head = index.head
        refuse_foreign(
            head.operator_id if head else None, events, is_edition_known=bool(head and head.is_edition_known)
        )
        raised = _head_with(head or FeedHead(new_epoch()), events)
        if head is None:
            raised = _head_with(await self._store.begin(edition_id, raised), events)
        items = list(_new_items(index, events))
        if items:
            await self._store.add(items)
        for item in items:
            index.add(item.number, item.thing, item.revision)
        raised = replace(raised, number=index.number)
        if raised != index.head:
            await self._store.raise_head(edition_id, raised)
            index.head = raised
        await self._place(edition_id, index, items)

    async def _place(self, edition_id: str, index: EditionIndex, items: list[FeedItem]) -> None:
        """Append these items to the operator's feed, and the items of a process that ended before it did so."""
        if index.head is None or index.placed == index.number:
            return
        if index.placed < index.number - len(items):
            items = await self._store.items(edition_id, index.placed, index.number - index.placed)
        await self._store.place(index.head.operator_id, items)
        index.placed = index.number

    async def _index(self, edition_id: str) -> EditionIndex:
        index = self._indexes.pop(edition_id, None)
        if index is None:
            index = EditionIndex(await self._store.edition_head(edition_id))
            await self._catch_up(edition_id, index)
            index.placed = await self._store.placed_upto(edition_id) if index.number else 0
        self._indexes[edition_id] = index
        while len(self._indexes) > self._most:
            dropped, _ = self._indexes.popitem(last=False)
            self._locks.pop(dropped, None)
        return index

    async def _catch_up(self, edition_id: str, index: EditionIndex) -> None:
        for row in await self._store.index(edition_id, index.number):
            index.add(row.number, row.thing, row.revision)

    def _lock(self, edition_id: str) -> asyncio.Lock:
        return self._locks.setdefault(edition_id, asyncio.Lock())

    def _empty(self, query: FeedQuery) -> FeedPage:
        """Return the page of a feed that has no item yet. A cursor was read from an earlier feed."""
        read_cursor(query.after, "")
        return FeedPage([], START, 0)

    def _has_room(self, items: Sequence[PlacedItem], looked_at: int, query: FeedQuery) -> bool:
        size = sum(len(placed.item.body) for placed in items)
        return len(items) < query.limit and size < _MOST_BYTES and looked_at < _MOST_LOOKED_AT


def _new_items(index: EditionIndex, events: Iterable[Event]) -> Iterable[FeedItem]:
    number, revisions = index.number, dict[str, int]()
    for event in events:
        thing = thing_key(event)
        known = revisions.get(thing, index.revisions.get(thing, 0))
        item = item_of(event, number + 1) if event.revision > known else None
        if item is not None:
            number, revisions[thing] = item.number, item.revision
            yield item


def _head_with(head: FeedHead, events: Sequence[Event]) -> FeedHead:
    """Return the head with the operator and the close that these events name."""
    editions = [event for event in events if isinstance(event, EditionChanged)]
    if not editions:
        return replace(head, operator_id=head.operator_id or events[0].operator_id)
    newest = editions[-1]
    closed_at = newest.occurred_at if newest.phase is Phase.CLOSED else None
    return replace(head, operator_id=newest.operator_id, is_edition_known=True, closed_at=closed_at)


def _must_exist(found: Sequence[object]) -> None:
    """Refuse a cursor after an item that does not exist: the feed was restored from an older backup.

    A head alone does not tell: it is raised after the items are written.
    """
    if not found:
        raise CursorGone("the feed ends before this cursor: begin with `from=snapshot`")
