"""Limits of an operator: the rates of its calls, and the numbers of its entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

#: Tokens that rounding may lack.
_ROUNDING = 1e-6
#: Longest delay of a refusal. Refusals beyond it are answered at once: they would fill the process.
_LONGEST_DELAY_SECONDS = 5.0
#: Buckets that are kept before full buckets are forgotten.
_MANY_BUCKETS = 10_000


class CallClass(StrEnum):
    """A class of calls, with a bucket of its own for every operator."""

    ORDINARY = "ordinary"
    #: Calls that cost the product seconds.
    DEAR = "dear"


class Rate(NamedTuple):
    """Refill of a bucket, and its size."""

    tokens_per_second: float
    burst: float


class OperatorLimits(BaseModel):
    """The limits of an operator. The rates hold for a process of registration, the numbers for all processes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    requests_per_second: float = Field(gt=0, le=1_000_000)
    request_burst: int = Field(ge=1, le=1_000_000)
    dear_per_minute: float = Field(gt=0, le=1_000_000)
    dear_burst: int = Field(ge=1, le=1_000_000)
    editions: int = Field(ge=0)
    organisations: int = Field(ge=0)
    participants: int = Field(ge=0)
    match_requests: int = Field(ge=0)

    def changed(self, changes: Mapping[str, float]) -> OperatorLimits:
        """Return the limits with an operator's own values, by name. Names that are no limits are ignored.

        Raises:
            ValueError: a value is out of range.
        """
        known = {name: value for name, value in changes.items() if name in type(self).model_fields}
        return type(self).model_validate(self.model_dump() | known) if known else self

    def rate(self, call_class: CallClass) -> Rate:
        """Return the rate of a class of calls."""
        if call_class is CallClass.DEAR:
            return Rate(self.dear_per_minute / 60, self.dear_burst)
        return Rate(self.requests_per_second, self.request_burst)


@dataclass
class TokenBucket:
    """A token bucket. It begins full."""

    taken_at: float
    tokens: float = field(default=float("inf"))

    def take(self, rate: Rate, tokens: float, now: float) -> float:
        """Take tokens and return 0, or take none and return the seconds until so many are there.

        A call that costs more than the whole bucket takes a full bucket.
        """
        wait = self.wait(rate, tokens, now)
        if not wait:
            self.tokens = self._left(rate, now) - min(tokens, rate.burst)
            self.taken_at = now
        return wait

    def wait(self, rate: Rate, tokens: float, now: float) -> float:
        """Return the seconds until so many tokens are there; 0 if they are."""
        wanted, left = min(tokens, rate.burst), self._left(rate, now)
        return (wanted - left) / rate.tokens_per_second if left + _ROUNDING < wanted else 0.0

    def _left(self, rate: Rate, now: float) -> float:
        return min(rate.burst, self.tokens + (now - self.taken_at) * rate.tokens_per_second)

    def is_full(self, rate: Rate, now: float) -> bool:
        """Tell whether the bucket has refilled, so that a new bucket would be the same."""
        return self._left(rate, now) >= rate.burst


class TokenBuckets:
    """The buckets of all operators. There are never many more than were used within the time of a refill."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, CallClass], tuple[TokenBucket, Rate]] = {}

    def take(self, operator_id: str, call_class: CallClass, rate: Rate, tokens: float, now: float) -> float:
        """Take tokens of an operator's bucket. Returns as `TokenBucket.take`."""
        key = (operator_id, call_class)
        if key not in self._buckets and len(self._buckets) >= _MANY_BUCKETS:
            self._forget_full(now)
        bucket, _ = self._buckets.get(key, (TokenBucket(now), rate))
        self._buckets[key] = bucket, rate
        return bucket.take(rate, tokens, now)

    def wait(self, operator_id: str, call_class: CallClass, rate: Rate, tokens: float, now: float) -> float:
        """Return the seconds until an operator's bucket has so many tokens; 0 if it has them."""
        bucket, _ = self._buckets.get((operator_id, call_class), (None, rate))
        return bucket.wait(rate, tokens, now) if bucket else 0.0

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            key: (bucket, rate) for key, (bucket, rate) in self._buckets.items() if not bucket.is_full(rate, now)
        }


class RefusalPace:
    """Delays of answers to refused calls. A client that ignores refusals gets them at a steady rate, by operator."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        #: The time of the next answer, by operator.
        self._next: dict[str, float] = {}

    def delay(self, operator_id: str, now: float) -> float:
        """Return the seconds to wait before an answer, five at most."""
        at = max(now, self._next.get(operator_id, now))
        if at - now > _LONGEST_DELAY_SECONDS:
            return 0.0
        if operator_id not in self._next and len(self._next) >= _MANY_BUCKETS:
            self._next = {operator: later for operator, later in self._next.items() if later > now}
        self._next[operator_id] = at + 1 / self._per_second
        return at - now
