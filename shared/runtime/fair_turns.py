"""Fair turns at scarce work: workers, what-if, previews, lanes of a consumer.

An operator has an account of the seconds that it was served. The next turn goes to the waiting operator with the
smallest account: start-time fair queueing (Goyal, Vin, Cheng, 1997).
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

#: The most seconds by which an account is ahead of the smallest account. It bounds the wait of an operator that had the
#: work for itself before.
_MOST_DEBT_SECONDS = 60.0


class QueueFull(Exception):
    """The operator has as many callers in the queue as it may have."""


@dataclass(order=True)
class _Caller:
    #: Latest time at which the turn may begin, then order of arrival.
    rank: tuple[float, int]
    #: Done once the caller has a turn, cancelled once it has given up.
    turn: asyncio.Future[None] = field(compare=False)
    begun: float = field(default=0.0, compare=False)


@dataclass
class _Account:
    #: Seconds of the turns that have ended, on top of the balance at the operator's arrival.
    served: float
    holding: list[_Caller] = field(default_factory=list)
    #: A heap by rank.
    waiting: list[_Caller] = field(default_factory=list)

    @property
    def is_present(self) -> bool:
        """True if the operator has a turn or waits for a turn."""
        return bool(self.holding or self.waiting)

    def balance(self, now: float) -> float:
        """Return the seconds served, present turns included."""
        return self.served + sum(now - caller.begun for caller in self.holding)

    def first(self) -> _Caller | None:
        """Return the caller that is next in the queue."""
        while self.waiting and self.waiting[0].turn.done():
            heapq.heappop(self.waiting)
        return self.waiting[0] if self.waiting else None


class FairTurns:
    """At most `size` turns at once. The operator served least is next, then the caller with the nearest deadline.

    Absence earns nothing: an operator that arrives begins with the smallest account of the present operators. Once
    no operator is present, all accounts are forgotten.
    """

    def __init__(
        self,
        size: int,
        *,
        most_each: int | None = None,
        most_waiting: int | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        """Create turns: an operator has at most `most_each` at once, and at most `most_waiting` callers in the queue.

        `now` returns seconds; without it, the event loop's clock is asked.
        """
        self._free = size
        self._most_each = size if most_each is None else most_each
        self._most_waiting = math.inf if most_waiting is None else most_waiting
        self._now = now or _loop_time
        self._arrivals = itertools.count()
        self._accounts: dict[str, _Account] = {}
        #: The smallest balance of the present operators. It never falls.
        self._floor = 0.0

    @contextlib.asynccontextmanager
    async def turn(self, operator_id: str, *, within: float = math.inf) -> AsyncIterator[None]:
        """Wait for a turn, and hold it until the block ends. A cancelled caller leaves the queue.

        Raises:
            QueueFull: too many callers of the operator wait.
            TimeoutError: no turn came within so many seconds.
        """
        self._settle()
        account = self._accounts.setdefault(operator_id, _Account(self._floor))
        rank = self._now() + within, next(self._arrivals)
        caller = _Caller(rank, asyncio.get_running_loop().create_future())
        heapq.heappush(account.waiting, caller)
        self._hand_out()
        try:
            await self._wait(account, caller, within)
            yield
        finally:
            self._leave(account, caller)

    def has_room(self, operator_id: str) -> bool:
        """Tell whether a further caller of the operator would get a turn, or a place in the queue."""
        account = self._accounts.get(operator_id)
        if account is None or len(account.waiting) < self._most_waiting:
            return True
        return not account.waiting and self._free > 0 and len(account.holding) < self._most_each

    async def _wait(self, account: _Account, caller: _Caller, within: float) -> None:
        if caller.turn.done():
            return
        if len(account.waiting) > self._most_waiting:
            raise QueueFull(f"the queue of this operator is full: {self._most_waiting} wait already")
        async with asyncio.timeout(None if within == math.inf else within):
            await caller.turn

    def _hand_out(self) -> None:
        """Give the free turns to the callers that are next."""
        now = self._now()
        while self._free and (account := self._next(now)) is not None:
            caller = heapq.heappop(account.waiting)
            account.holding.append(caller)
            caller.begun = now
            caller.turn.set_result(None)
            self._free -= 1

    def _next(self, now: float) -> _Account | None:
        """Return the account that is next, with the next caller first in its queue."""
        ranked = (
            (account.balance(now), caller.rank, account)
            for account in self._accounts.values()
            if len(account.holding) < self._most_each and (caller := account.first()) is not None
        )
        return min(ranked, key=lambda found: found[:2], default=(0.0, (0.0, 0), None))[2]

    def _leave(self, account: _Account, caller: _Caller) -> None:
        self._settle()
        if caller in account.holding:
            account.holding.remove(caller)
            account.served = min(account.served + self._now() - caller.begun, self._floor + _MOST_DEBT_SECONDS)
            self._free += 1
        elif caller in account.waiting:
            account.waiting.remove(caller)
            heapq.heapify(account.waiting)
        self._settle()
        self._hand_out()

    def _settle(self) -> None:
        """Raise the floor, and forget the absent operators without a debt."""
        now = self._now()
        present = [account.balance(now) for account in self._accounts.values() if account.is_present]
        self._floor = max(self._floor, min(present, default=self._floor))
        self._accounts = {
            operator_id: account
            for operator_id, account in self._accounts.items()
            if account.is_present or (present and account.served > self._floor)
        }


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
