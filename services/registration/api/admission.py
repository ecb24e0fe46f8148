"""Admission of calls by operator: at a rate, and only so many at once. The table of prices is here."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams
from starlette.routing import compile_path
from starlette.types import Scope

from services.registration.ceilings import Ceilings, Room
from services.registration.domain.limits import CallClass, Rate, RefusalPace, TokenBuckets
from services.registration.operator_limits import OperatorLimitsBook
from services.registration.ports import OperatorOverrides
from services.registration.settings import Settings
from shared.runtime.courtesy import Courtesy
from shared.runtime.fair_turns import FairTurns, QueueFull
from shared.runtime.metrics import OPERATOR_CALLS, OPERATOR_SECONDS
from shared.runtime.top_labels import TopLabels

#: Items of a page that cost a token.
_ITEMS_PER_TOKEN = 100
#: Digits of the longest limit that is accepted.
_LIMIT_DIGITS = 3
_LONGEST_WAIT_SECONDS = 10.0
_AT_ONCE_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Price:
    """The price of a call: the class of its bucket, and its tokens."""

    call_class: CallClass = CallClass.ORDINARY
    tokens: float = 1.0


_DEAR: Final = Price(CallClass.DEAR)
#: A change is work for all services: journals, decisions, agendas, mails.
_CHANGE: Final = Price(tokens=5)
_MEMBER: Final = Price(tokens=10)
#: Registration asks another service.
_ASKED: Final = Price(tokens=2)
_EDITION: Final = "/editions/{edition_id}"
#: The prices of routes, by method and path below `/v1`. All other changes cost 5 tokens. All other reads cost a token,
#: and pages a token for every 100 items.
PRICES: dict[tuple[str, str], Price] = {
    ("POST", f"{_EDITION}/imports/organisations"): _DEAR,
    ("POST", f"{_EDITION}/imports/participants"): _DEAR,
    ("POST", f"{_EDITION}/imports/match-requests"): _DEAR,
    ("POST", f"{_EDITION}/imports/availability"): _DEAR,
    ("POST", f"{_EDITION}/imports/session-choices"): _DEAR,
    ("GET", f"{_EDITION}/exports/{{kind}}.csv"): _DEAR,
    ("GET", f"{_EDITION}/exports/{{kind}}.xlsx"): _DEAR,
    ("POST", f"{_EDITION}/proposals"): _DEAR,
    ("GET", f"{_EDITION}/what-if"): _DEAR,
    ("GET", f"{_EDITION}/observatory"): _DEAR,
    # Matching looks at all pairs of the edition, and the scheduler at all its encounters.
    ("PATCH", _EDITION): Price(tokens=10),
    ("PUT", f"{_EDITION}/zones/{{zone_id}}"): _MEMBER,
    ("DELETE", f"{_EDITION}/zones/{{zone_id}}"): _MEMBER,
    ("PUT", f"{_EDITION}/zones/{{zone_id}}/tables/{{table:path}}"): _MEMBER,
    ("DELETE", f"{_EDITION}/zones/{{zone_id}}/tables/{{table:path}}"): _MEMBER,
    ("PUT", f"{_EDITION}/sessions/{{session_id}}"): _MEMBER,
    ("DELETE", f"{_EDITION}/sessions/{{session_id}}"): _MEMBER,
    ("POST", f"{_EDITION}/agenda/edits"): Price(tokens=10),
    ("POST", f"{_EDITION}/amendments/{{amendment_id}}/undo"): Price(tokens=10),
    ("POST", f"{_EDITION}/agenda/edits/dry-run"): Price(tokens=5),
    ("POST", "/profile-help"): Price(tokens=5),
    # Both may look for a remedy.
    ("GET", f"{_EDITION}/affinities/{{one}}/{{other}}"): Price(tokens=5),
    ("GET", f"{_EDITION}/encounters/{{encounter_id}}/remedy"): Price(tokens=5),
    ("GET", f"{_EDITION}/goals"): _ASKED,
    ("GET", "/webhooks"): _ASKED,
    ("GET", "/webhooks/{webhook_id}"): _ASKED,
    ("GET", "/webhooks/{webhook_id}/deliveries"): _ASKED,
    # The events service sends a request, and waits for its answer.
    ("POST", "/webhooks/{webhook_id}/test"): Price(tokens=10),
    # Up to all deliveries of 30 days are sent again.
    ("POST", "/webhooks/{webhook_id}/replay"): _DEAR,
}

_PATTERNS: Final[dict[str, list[tuple[re.Pattern[str], Price]]]] = {}
for (_method, _path), _price in PRICES.items():
    _PATTERNS.setdefault(_method, []).append((compile_path(f"/v1{_path}")[0], _price))


class TooManyRequests(Exception):
    """The operator calls too often. `seconds` is the time after which the call is admitted."""

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = seconds

    @property
    def retry_after(self) -> str:
        """The value of the header `Retry-After`: whole seconds from 1 up."""
        return str(max(1, math.ceil(self.seconds)))


class TooManyAtOnce(TooManyRequests):
    """Too many calls of the operator are under way."""


class Admission:
    """Admits the calls of operators in this process."""

    def __init__(
        self,
        settings: Settings,
        overrides: OperatorOverrides,
        now: Callable[[], float] = time.monotonic,
        courtesy: Courtesy | None = None,
    ) -> None:
        """Create the admission; `courtesy` is told of the ordinary calls that are under way."""
        self._now = now
        self._courtesy = courtesy or Courtesy()
        self._limits = OperatorLimitsBook(overrides, settings.operator_limits, settings.key_cache_seconds, now)
        self._buckets = TokenBuckets()
        self._turns = {
            CallClass.ORDINARY: FairTurns(
                settings.calls_at_once,
                most_each=settings.operator_calls_at_once,
                most_waiting=settings.operator_calls_waiting,
                now=now,
            ),
            CallClass.DEAR: FairTurns(
                settings.calls_at_once,
                most_each=settings.operator_dear_calls_at_once,
                most_waiting=settings.operator_dear_calls_at_once,
                now=now,
            ),
        }
        self._refusals = RefusalPace(settings.refusals_per_second)
        self._ceilings = Ceilings(now)
        self._labels = TopLabels(settings.operators_in_metrics, (OPERATOR_CALLS, OPERATOR_SECONDS), now)

    @contextlib.asynccontextmanager
    async def admit(self, operator_id: str, price: Price) -> AsyncIterator[Room]:
        """Admit a call, after a wait for its turn, and yield the room for the operator's new entities.

        Raises:
            TooManyRequests: the bucket of the operator is empty.
            TooManyAtOnce: as many calls of the operator wait as may wait, or the wait was too long.
        """
        label = self._labels.count(operator_id)
        limits = await self._limits.of(operator_id)
        self._pay(operator_id, label, limits.rate(price.call_class), price)
        async with contextlib.AsyncExitStack() as turn:
            if price.call_class is CallClass.ORDINARY:
                turn.enter_context(self._courtesy.request())
            try:
                turns = self._turns[price.call_class]
                await turn.enter_async_context(turns.turn(operator_id, within=_LONGEST_WAIT_SECONDS))
            except (QueueFull, TimeoutError):
                raise self._too_many_at_once(label) from None
            OPERATOR_CALLS.labels(operator=label, outcome="admitted").inc()
            began = self._now()
            try:
                yield self._ceilings.under(limits)
            finally:
                OPERATOR_SECONDS.labels(operator=label).inc(max(0.0, self._now() - began))

    def refusal(self, operator_id: str, price: Price) -> TooManyRequests | None:
        """Return the refusal of a call, as far as the caches tell; None if `admit` has to be asked.

        It takes neither tokens nor a turn.
        """
        limits = self._limits.known(operator_id)
        if limits is None:
            return None
        rate = limits.rate(price.call_class)
        wait = self._buckets.wait(operator_id, price.call_class, rate, price.tokens, self._now())
        if wait:
            return self._too_many(self._labels.count(operator_id), rate, price, wait)
        if not self._turns[price.call_class].has_room(operator_id):
            return self._too_many_at_once(self._labels.count(operator_id))
        return None

    async def slow_down(self, caller: str) -> None:
        """Wait before the answer to a refused call: the refusals of an operator or a source come at a steady rate."""
        await asyncio.sleep(self._refusals.delay(caller, self._now()))

    def _pay(self, operator_id: str, label: str, rate: Rate, price: Price) -> None:
        wait = self._buckets.take(operator_id, price.call_class, rate, price.tokens, self._now())
        if wait:
            raise self._too_many(label, rate, price, wait)

    def _too_many(self, label: str, rate: Rate, price: Price, wait: float) -> TooManyRequests:
        OPERATOR_CALLS.labels(operator=label, outcome="too_many_requests").inc()
        most = (
            f"{rate.tokens_per_second * 60:g} dear calls a minute"
            if price.call_class is CallClass.DEAR
            else f"{rate.tokens_per_second:g} tokens a second"
        )
        detail = f"at most {most} are taken, and {rate.burst:g} at once after a pause; this call takes {price.tokens:g}"
        return TooManyRequests(detail, wait)

    def _too_many_at_once(self, label: str) -> TooManyAtOnce:
        OPERATOR_CALLS.labels(operator=label, outcome="too_many_at_once").inc()
        return TooManyAtOnce("too many calls of yours are under way", _AT_ONCE_RETRY_SECONDS)


def price_of(scope: Scope) -> Price:
    """Return the price of a request, by its method and path, and by the size of the page that it asks for."""
    method = scope["method"]
    for pattern, price in _PATTERNS.get(method, ()):
        if pattern.match(scope["path"]):
            return price
    if method != "GET":
        return _CHANGE
    limit = QueryParams(scope["query_string"]).get("limit", "")
    items = int(limit[:_LIMIT_DIGITS]) if limit.isdecimal() else 0
    return Price(tokens=max(1.0, items / _ITEMS_PER_TOKEN))
