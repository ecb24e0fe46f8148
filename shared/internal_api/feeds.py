"""The question of registration for a page of a change feed, and the answer of the events service."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

#: Longest wait of a call for the next item, in seconds. Registration asks again for longer waits.
LONGEST_WAIT: Final = 2.0
#: Most items on a page.
MOST_ITEMS: Final = 500


class FeedRequest(BaseModel):
    """The parameters of a reading. `types` and `thing` are filters; empty: all."""

    after: str = Field(default="", max_length=60)
    limit: int = Field(default=100, ge=1, le=MOST_ITEMS)
    types: str = Field(default="", max_length=2000)
    thing: str = Field(default="", max_length=200)
    from_revision: int = Field(default=0, ge=0)
    snapshot: bool = False
    wait: float = Field(default=0, ge=0, le=LONGEST_WAIT)


class FeedReply(BaseModel):
    """Items as CloudEvents with a `cursor`, and the cursor with which the next page begins."""

    items: list[dict[str, Any]]
    next: str
