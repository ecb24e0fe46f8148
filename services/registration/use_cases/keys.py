"""Use cases of an operator's API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.registration.keys import (
    KeyFacts,
    OperatorKey,
    RotationFacts,
    key_in,
    new_secret,
    successor_of,
    with_key,
    with_successor,
    without_key,
)
from services.registration.ports import OperatorKeys
from shared.runtime.clock import Clock


class KeyService:
    """Use cases of the API keys of an operator. `actor` is the author of new keys."""

    def __init__(self, keys: OperatorKeys, operator_id: str, actor: str, clock: Clock) -> None:
        self._keys = keys
        self._operator_id = operator_id
        self._actor = actor
        self._clock = clock

    async def create(self, facts: KeyFacts) -> tuple[OperatorKey, str]:
        """Add a key; return it, and the text that its user presents. The text is not stored.

        Raises:
            NotFound: there is no such operator.
            Invalid: the expiry has passed.
            CeilingReached: the operator has as many keys as it may have.
        """
        secret, now = new_secret(), self._clock()
        key = OperatorKey.made(facts, secret, now, self._actor)
        await self._keys.change_keys(self._operator_id, lambda keys: with_key(keys, key, now))
        return key, f"{self._operator_id}.{secret}"

    async def list_keys(self) -> tuple[Sequence[OperatorKey], dict[str, datetime]]:
        """List the keys, oldest first, and the times of their last uses by id."""
        keys = await self._keys.keys(self._operator_id)
        return keys, await self._keys.last_uses(self._operator_id, [key.id for key in keys])

    async def revoke(self, key_id: str) -> OperatorKey:
        """Revoke a key; a repetition changes nothing. Raises `NotFound`."""
        keys = await self._keys.change_keys(self._operator_id, lambda keys: without_key(keys, key_id))
        return key_in(keys, key_id)

    async def rotate(self, key_id: str, facts: RotationFacts) -> tuple[OperatorKey, str]:
        """Add a successor with the rights of a key, which expires after the overlap; return as `create`.

        Raises:
            NotFound: there is no such key.
            Conflict: the key is revoked or has expired.
        """
        secret, now = new_secret(), self._clock()
        overlap = timedelta(minutes=facts.overlap_minutes)

        def change(keys: Sequence[OperatorKey]) -> Sequence[OperatorKey]:
            successor = successor_of(key_in(keys, key_id), secret, now, self._actor)
            return with_successor(keys, key_id, successor, overlap, now)

        keys = await self._keys.change_keys(self._operator_id, change)
        return keys[-1], f"{self._operator_id}.{secret}"
