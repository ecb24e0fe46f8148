"""API keys of operators: `<operator id>.<secret>`, where the secret is 256 random bits and only its hash is stored.

Slow hashes (Argon2, scrypt) protect secrets that can be guessed. 256 random bits cannot be guessed, so a single
SHA-256 is as safe, and takes microseconds.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from services.registration.keys import KEY_ID_LENGTH, OperatorKey, digest_of
from services.registration.ports import OperatorKeys
from shared.access import Principal
from shared.runtime.clock import Clock, utc_now
from shared.runtime.refused_keys import RefusalsBySource

_OPERATOR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
#: Operators whose keys are read at once. The keys of further operators are read one by one.
_MOST_OPERATORS = 10_000


class UnknownKey(Exception):
    """The key is malformed, unknown, revoked or expired."""


class TooManyRefusals(Exception):
    """The key is not known, and too many keys of its source were refused: none is looked up for some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = math.ceil(seconds)
        super().__init__(
            f"too many keys from your address were refused: this key is looked up again in {self.seconds} s; "
            "keys that are valid work meanwhile"
        )


def is_operator_id(text: str) -> bool:
    """Tell whether a text has the form of an operator id."""
    return _OPERATOR_ID.fullmatch(text) is not None


class Authenticator:
    """Finds the principal of an API key.

    The keys of all operators are read at most every `cache_seconds`, and a key among them never waits. Only an unknown
    key costs a look into the database: it may be new. A source with many refused keys is denied this look.
    """

    def __init__(
        self,
        operators: OperatorKeys,
        cache_seconds: float,
        now: Callable[[], float] = time.monotonic,
        clock: Clock = utc_now,
    ) -> None:
        self._operators = operators
        self._clock = clock
        self._used: dict[tuple[str, str], datetime] = {}
        self._cache_seconds = cache_seconds
        self._now = now
        self._refused = RefusalsBySource(now)
        self._reading: asyncio.Task[None] | None = None
        self._known: Mapping[str, Sequence[OperatorKey]] = {}
        self._expires = -math.inf

    async def principal_of(self, presented: str, address: str = "") -> Principal:
        """Return the principal whose key is presented from an address.

        Raises:
            UnknownKey: there is no such key, or it is revoked or expired.
            TooManyRefusals: it is not known in this process, and its source is slowed.
        """
        operator_id, _, secret = presented.partition(".")
        digest = digest_of(secret)
        if not is_operator_id(operator_id):
            raise self._refusal(address, "malformed")
        key = _matching(digest, (await self._all_keys()).get(operator_id, ()))
        if key is None:
            key = await self._looked_up(operator_id, digest, address)
        if key.is_expired(self._clock()):
            self._refused.refuse(address, "expired", key.id, operator_id)
            raise UnknownKey(f"key {key.id} expired at {key.expires_at:%Y-%m-%d %H:%M} UTC: ask an owner for another")
        self._used[operator_id, key.id] = self._clock()
        return key.principal(operator_id)

    async def write_uses(self) -> None:
        """Write the times of the uses of keys since the last call."""
        used, self._used = self._used, {}
        for (operator_id, key_id), at in used.items():
            await self._operators.note_use(operator_id, key_id, at)

    async def read_again(self, operator_id: str) -> None:
        """Read the keys of an operator, changed just now. Further processes read them when caches expire."""
        self._known = {**self._known, operator_id: await self._operators.keys(operator_id)}

    async def _looked_up(self, operator_id: str, digest: str, address: str) -> OperatorKey:
        """Return a key that the cache does not hold. Raises `UnknownKey` and `TooManyRefusals`."""
        if self._refused.wait(address):
            raise self._refusal(address, "slowed")
        keys = await self._operators.keys(operator_id)
        key = _matching(digest, keys)
        if key is None:
            raise self._refusal(address, "unknown", digest[:KEY_ID_LENGTH], operator_id if keys else "")
        return key

    def must_not_be_slowed(self, address: str) -> None:
        """Return unless a source is slowed. Raises `TooManyRefusals`."""
        if seconds := self._refused.wait(address):
            raise TooManyRefusals(seconds)

    def refuse(self, address: str, reason: str) -> None:
        """Count and log the refusal of a credential of another kind."""
        self._refused.refuse(address, reason)

    def known_operator(self, presented: str) -> str | None:
        """Return the operator of a key if the cache tells it. Nothing is read, and nothing is refused."""
        operator_id, _, secret = presented.partition(".")
        if self._expires <= self._now():
            return None
        key = _matching(digest_of(secret), self._known.get(operator_id, ()))
        return None if key is None or key.is_expired(self._clock()) else operator_id

    def early_refusal(self, address: str) -> Exception | None:
        """Return the refusal of an unknown key of a slowed source; None if `principal_of` has to be asked."""
        is_slowed = self._expires > self._now() and self._refused.wait(address)
        return self._refusal(address, "slowed") if is_slowed else None

    def _refusal(self, address: str, reason: str, key_id: str = "", operator_id: str = "") -> Exception:
        seconds = self._refused.wait(address)
        self._refused.refuse(address, reason, key_id, operator_id)
        return (
            TooManyRefusals(seconds) if seconds else UnknownKey("send `Authorization: Bearer <operator id>.<secret>`")
        )

    async def _all_keys(self) -> Mapping[str, Sequence[OperatorKey]]:
        """Return the keys of all operators, `cache_seconds` old at most. Concurrent requests share a read."""
        if self._expires <= self._now():
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
        return self._known

    async def _read(self) -> None:
        self._known = await self._operators.all_keys(_MOST_OPERATORS)
        self._expires = self._now() + self._cache_seconds


def _matching(digest: str, keys: Sequence[OperatorKey]) -> OperatorKey | None:
    # Every key is compared, each in constant time: the time taken reveals nothing.
    found = [key for key in keys if hmac.compare_digest(digest, key.digest) and not key.revoked]
    return found[0] if found else None
