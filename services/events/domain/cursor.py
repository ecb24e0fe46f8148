"""Cursors: places in a change feed, opaque to readers.

A cursor names the epoch of its feed, so that the cursor of a feed that was made anew is refused instead of misread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: The cursor of a feed that has no item yet.
START: Final = "start"
_FORM = re.compile(r"([0-9a-f]{12})\.(\d{1,12})(?:\.(\d{1,12}))?")


class BadCursor(Exception):
    """A text is no cursor of a change feed."""


class CursorGone(Exception):
    """The feed was made anew, or no longer has the items after the cursor: read it from a snapshot."""


@dataclass(frozen=True)
class FeedCursor:
    """The place after an item.

    `upto` is set within a snapshot: the reader has the newest items of things up to `number`, in the feed up to `upto`.
    """

    epoch: str
    number: int
    upto: int | None = None

    def __str__(self) -> str:
        place = f"{self.epoch}.{self.number}"
        return place if self.upto is None else f"{place}.{self.upto}"


def read_cursor(text: str, epoch: str) -> FeedCursor:
    """Return the cursor that a text is, for the present epoch of the feed.

    Raises:
        BadCursor: the text is no cursor.
        CursorGone: the cursor is of another epoch.
    """
    if text in ("", START):
        return FeedCursor(epoch, 0)
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadCursor(f"{text[:60]!r} is no cursor: use the `next` of an earlier answer as it is")
    if found[1] != epoch:
        raise CursorGone("the feed was made anew since this cursor: begin with `from=snapshot`")
    return FeedCursor(epoch, int(found[2]), int(found[3]) if found[3] else None)
