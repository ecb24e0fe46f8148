"""Ceilings on the numbers of an operator's entities: counted in Mongo, and continued in the process between counts."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import CeilingReached
from services.registration.domain.limits import OperatorLimits
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.ports import Repository

#: Places for so many entities of a kind among those of an operator, taken while the block runs.
Room = Callable[[Repository, type[Entity], int], AbstractAsyncContextManager[None]]

#: Time for which a count is used. A count reads an operator's whole index, and in SecantusDB all documents.
_COUNT_SECONDS = 60.0
#: Time for which an operator without room is refused without another count.
_FULL_SECONDS = 1.0
#: Share of the room that may be taken before it is counted again, because further processes take from it too.
_SHARE_BETWEEN_COUNTS = 10


@contextlib.asynccontextmanager
async def unbounded(_repository: Repository, _kind: type[Entity], _places: int) -> AsyncIterator[None]:
    """Give room without a ceiling."""
    yield


class Ceilings:
    """The room of all operators in this process.

    A process never exceeds a ceiling. Several processes may: by a tenth of the room of their last counts, and by an
    entity for every further process where hardly any room is left.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: dict[tuple[str, type[Entity]], _Count] = {}

    def under(self, limits: OperatorLimits) -> Room:
        """Return the room under an operator's limits.

        It raises `CeilingReached` unless all places are left. A single place is refused at the ceiling only.
        """

        @contextlib.asynccontextmanager
        async def room(repository: Repository, kind: type[Entity], places: int) -> AsyncIterator[None]:
            key = (repository.operator_id, kind)
            count = self._counts.setdefault(key, _Count())
            async with count.room(repository, kind, places, ceiling(limits, kind), self._now):
                yield

        return room


def ceiling(limits: OperatorLimits, kind: type[Entity]) -> int:
    """Return the greatest number of entities of a kind."""
    by_kind: dict[type[Entity], int] = {
        Edition: limits.editions,
        Organisation: limits.organisations,
        Participant: limits.participants,
        MatchRequest: limits.match_requests,
    }
    return by_kind[kind]


class _Count:
    """The room of an operator for a kind of entity. It is counted only while no creation is under way."""

    def __init__(self) -> None:
        self._deciding = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._under_way = 0
        self._left = 0
        self._counted_until = self._full_until = 0.0

    @contextlib.asynccontextmanager
    async def room(
        self, repository: Repository, kind: type[Entity], places: int, most: int, now: Callable[[], float]
    ) -> AsyncIterator[None]:
        async with self._deciding:
            if now() >= self._full_until and (self._left < places or now() >= self._counted_until):
                await self._idle.wait()
                await self._count(repository, kind, most, now)
            if self._left < places:
                raise CeilingReached(
                    f"the operator has {most} {kind.NOUN}s, as many as it may have: ask the administrator for more"
                )
            self._left -= places
            self._under_way += 1
            self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _count(self, repository: Repository, kind: type[Entity], most: int, now: Callable[[], float]) -> None:
        free = most - await repository.count(kind)
        self._left = max(1, free // _SHARE_BETWEEN_COUNTS) if free > 0 else 0
        self._counted_until = now() + _COUNT_SECONDS
        self._full_until = 0.0 if free > 0 else now() + _FULL_SECONDS
