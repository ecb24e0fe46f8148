"""Parts that the change feed needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.events.item import FeedItem


@dataclass(frozen=True)
class FeedHead:
    """The head of a feed, of an edition or an operator: its epoch, and the number of its newest item.

    The operator of an edition is known once any of its events was read; `is_edition_known` tells whether the edition's
    own snapshot was among them.
    """

    epoch: str
    number: int = 0
    operator_id: str = ""
    is_edition_known: bool = False
    closed_at: datetime | None = None


@dataclass(frozen=True)
class IndexRow:
    """The place of an item, without its body."""

    number: int
    thing: str
    revision: int


class NumberTaken(Exception):
    """Another process has written an item under the same number."""


class FeedStore(Protocol):
    """The items of all change feeds: see `services.events.store.MongoFeed`."""

    async def edition_head(self, edition_id: str) -> FeedHead | None:
        """Return the head of an edition's feed; None for an edition without items."""

    async def operator_head(self, operator_id: str) -> FeedHead | None:
        """Return the head of an operator's feed; None for an operator without items."""

    async def begin(self, edition_id: str, head: FeedHead) -> FeedHead:
        """Write the head of a new feed, and return the head that is stored: another process may have been faster."""

    async def raise_head(self, edition_id: str, head: FeedHead) -> None:
        """Write a newer head of an edition. Its number never falls."""

    async def add(self, items: Sequence[FeedItem]) -> None:
        """Write the next items of an edition in order. Raise `NumberTaken` at the first number that is in use."""

    async def index(self, edition_id: str, after: int) -> list[IndexRow]:
        """Return the places of the items after a number, in order."""

    async def items(self, edition_id: str, after: int, limit: int) -> list[FeedItem]:
        """Return the items of an edition after a number, in order."""

    async def by_number(self, edition_id: str, numbers: Sequence[int]) -> list[FeedItem]:
        """Return the items under some numbers, in order."""

    async def placed_upto(self, edition_id: str) -> int:
        """Return the number of the last item of an edition that its operator's feed has."""

    async def place(self, operator_id: str, items: Sequence[FeedItem]) -> None:
        """Append items of an edition to the feed of an operator, in order. Items that it has are left out."""

    async def operator_items(self, operator_id: str, after: int, limit: int) -> list[tuple[int, FeedItem]]:
        """Return the items of an operator's feed after a number, in order, with their numbers in that feed."""

    async def closed_before(self, moment: datetime) -> list[str]:
        """Return the editions whose feeds have items and were closed before a moment."""

    async def forget(self, edition_id: str, head: FeedHead) -> None:
        """Remove the items of an edition, and write the head of its next epoch."""

    async def numbers(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the newest numbers of feeds, by `edition_key` and `operator_key`."""


def edition_key(edition_id: str) -> str:
    """Return the name of an edition's feed, for waiting readers."""
    return f"edition/{edition_id}"


def operator_key(operator_id: str) -> str:
    """Return the name of an operator's feed, for waiting readers."""
    return f"operator/{operator_id}"
