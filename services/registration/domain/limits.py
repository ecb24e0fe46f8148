"""Limits of an operator: the rates of its calls, and the numbers of its entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

#: Tokens that rounding may lack.
_ROUNDING = 1e-6
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
        wanted = min(tokens, rate.burst)
        self.tokens = min(rate.burst, self.tokens + (now - self.taken_at) * rate.tokens_per_second)
        self.taken_at = now
        if self.tokens + _ROUNDING < wanted:
            return (wanted - self.tokens) / rate.tokens_per_second
        self.tokens -= wanted
        return 0.0

    def is_full(self, rate: Rate, now: float) -> bool:
        """Tell whether the bucket has refilled, so that a new bucket would be the same."""
        return self.tokens + (now - self.taken_at) * rate.tokens_per_second >= rate.burst


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

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            key: (bucket, rate) for key, (bucket, rate) in self._buckets.items() if not bucket.is_full(rate, now)
        }
