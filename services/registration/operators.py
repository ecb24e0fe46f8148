"""Operators and their API keys: made here, shown once, kept as a hash.

A key is `<operator id>.<secret>`, the secret 256 random bits. Slow hashes (Argon2, scrypt) protect secrets that can be
guessed; nobody guesses 256 random bits, so that one SHA-256 is as safe and costs each request microseconds.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from services.registration.domain.names import clean_line
from services.registration.store import Key, MongoOperators
from shared.runtime.settings import ServiceSettings
from shared.storage.mongo import Mongo

#: Key ids are the first characters of the secret's hash: enough to tell an operator's keys apart.
KEY_ID_LENGTH = 12
_OPERATOR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MOST_REMEMBERED = 10_000


class UnknownKey(Exception):
    """The key opens nothing: it is malformed, unknown or revoked."""


class NoSuchOperator(Exception):
    """There is no operator, or no key of that operator, by this id."""


async def add_operator(settings: ServiceSettings, operator_id: str, name: str) -> str:
    """Add an operator and return its first key, which is not kept and cannot be shown again.

    Raises:
        ValueError: the id or the name is not acceptable.
        services.registration.domain.things.Taken: there is such an operator already.
    """
    if not _OPERATOR_ID.fullmatch(operator_id):
        raise ValueError("an operator id is letters, digits, _ and -, at most 64 of them")
    secret = secrets.token_urlsafe(32)
    async with _operators(settings) as operators:
        await operators.add(operator_id, clean_line(name), digest_of(secret))
    return f"{operator_id}.{secret}"


async def add_key(settings: ServiceSettings, operator_id: str) -> str:
    """Give an operator one more key and return it: to rotate, add one, change over, then revoke the old one.

    Raises:
        NoSuchOperator: there is none.
    """
    secret = secrets.token_urlsafe(32)
    async with _operators(settings) as operators:
        if not await operators.add_key(operator_id, digest_of(secret)):
            raise NoSuchOperator(operator_id)
    return f"{operator_id}.{secret}"


async def list_keys(settings: ServiceSettings, operator_id: str) -> list[tuple[str, bool]]:
    """The key ids of an operator and whether each is revoked, in the order they were made."""
    async with _operators(settings) as operators:
        return [(key.digest[:KEY_ID_LENGTH], key.revoked) for key in await operators.keys(operator_id)]


async def revoke_key(settings: ServiceSettings, operator_id: str, key_id: str) -> None:
    """Make a key open nothing any more, within `key_cache_seconds`.

    Raises:
        NoSuchOperator: the operator has no such key.
    """
    async with _operators(settings) as operators:
        for key in await operators.keys(operator_id):
            if key.digest[:KEY_ID_LENGTH] == key_id and await operators.revoke_key(operator_id, key.digest):
                return
    raise NoSuchOperator(f"{operator_id} has no key {key_id}")


def digest_of(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Operators(Protocol):
    """Where keys are kept."""

    async def keys(self, operator_id: str) -> Sequence[Key]:
        """An operator's keys, none of an operator that is not there."""


class Authenticator:
    """Says whose key it is. Remembers an operator's keys for `remember_seconds`, so that a request costs no look-up."""

    def __init__(
        self, operators: Operators, remember_seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._operators = operators
        self._remember_seconds = remember_seconds
        self._now = now
        self._remembered: dict[str, tuple[float, Sequence[Key]]] = {}

    async def operator_of(self, presented: str) -> str:
        """The id of the operator whose key it is. Raises `UnknownKey`."""
        operator_id, _, secret = presented.partition(".")
        if not _OPERATOR_ID.fullmatch(operator_id):
            raise UnknownKey
        digest = digest_of(secret)
        keys = await self._keys(operator_id)
        # Every key is compared, each in constant time: how long it takes says nothing.
        opened = [hmac.compare_digest(digest, key.digest) and not key.revoked for key in keys]
        if not any(opened):
            raise UnknownKey
        return operator_id

    async def _keys(self, operator_id: str) -> Sequence[Key]:
        until, keys = self._remembered.get(operator_id, (0.0, ()))
        if until <= self._now():
            keys = await self._operators.keys(operator_id)
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[operator_id] = (self._now() + self._remember_seconds, keys)
        return keys


@asynccontextmanager
async def _operators(settings: ServiceSettings) -> AsyncIterator[MongoOperators]:
    mongo = Mongo(settings)
    try:
        yield MongoOperators(mongo.database(settings.database))
    finally:
        await mongo.close()
