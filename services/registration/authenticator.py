"""API keys of operators: `<operator id>.<secret>`, where the secret is 256 random bits and only its hash is stored.

Slow hashes (Argon2, scrypt) protect secrets that can be guessed. 256 random bits cannot be guessed, so a single
SHA-256 is as safe, and takes microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence

from services.registration.ports import OperatorKey, OperatorKeys

_OPERATOR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MOST_CACHED = 10_000


class UnknownKey(Exception):
    """The key is malformed, unknown or revoked."""


def is_operator_id(text: str) -> bool:
    """Tell whether a text has the form of an operator id."""
    return _OPERATOR_ID.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """Return the stored form of a secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Authenticator:
    """Finds the operator of an API key. An operator's keys are cached for `cache_seconds`."""

    def __init__(
        self, operators: OperatorKeys, cache_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._operators = operators
        self._cache_seconds = cache_seconds
        self._now = now
        self._cache: dict[str, tuple[float, Sequence[OperatorKey]]] = {}

    async def operator_of(self, presented: str) -> str:
        """Return the id of the operator whose key is presented. Raises `UnknownKey`."""
        operator_id, _, secret = presented.partition(".")
        if not is_operator_id(operator_id):
            raise UnknownKey
        digest = digest_of(secret)
        keys = await self._keys(operator_id)
        # Every key is compared, each in constant time: the time taken reveals nothing.
        matches = [hmac.compare_digest(digest, key.digest) and not key.revoked for key in keys]
        if not any(matches):
            raise UnknownKey
        return operator_id

    async def _keys(self, operator_id: str) -> Sequence[OperatorKey]:
        expires, keys = self._cache.get(operator_id, (0.0, ()))
        if expires <= self._now():
            keys = await self._operators.keys(operator_id)
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[operator_id] = (self._now() + self._cache_seconds, keys)
        return keys
