"""API keys of operators with their rights, and the changes of an operator's list of keys. Pure."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from services.registration.domain.entity import Facts
from services.registration.domain.errors import CeilingReached, Conflict, FieldError, Invalid, NotFound
from services.registration.domain.names import Line
from shared.access import Principal, PrincipalKind, Scope
from shared.contract.events import Instant
from shared.contract.ids import Id

#: The first characters of a digest that name a key: long enough to tell an operator's keys apart.
KEY_ID_LENGTH: Final = 12
#: Keys in use that an operator may have at a time.
MOST_KEYS: Final = 100
#: Revoked and expired keys that stay in the list: records name keys as authors of changes.
_MOST_ENDED: Final = 400


def digest_of(secret: str) -> str:
    """Return the stored form of a secret: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return a secret of 256 random bits."""
    return secrets.token_urlsafe(32)


class KeyFacts(Facts):
    """Fields of an API key that its maker sets. The scope `owner` holds all rights, and manages keys and staff."""

    label: Line = Field(description="For people, such as the program that uses the key.")
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))
    editions: tuple[Id, ...] | None = Field(
        default=None, min_length=1, max_length=100, description="Editions that the key opens; null: all, also future."
    )
    expires_at: Instant | None = Field(default=None, description="Time from which the key is refused; null: never.")


class RotationFacts(Facts):
    """The time for which the key before works beside its successor."""

    overlap_minutes: int = Field(default=24 * 60, ge=0, le=30 * 24 * 60)


@dataclass(frozen=True)
class OperatorKey:
    """An operator's API key: the SHA-256 of its secret, in hex, with its rights. Keys of before have all rights."""

    digest: str
    revoked: bool = False
    scopes: frozenset[Scope] = frozenset({Scope.OWNER})
    editions: frozenset[str] | None = None
    expires_at: datetime | None = None
    label: str = ""
    created_at: datetime | None = None
    created_by: str = ""

    @classmethod
    def made(cls, facts: KeyFacts, secret: str, now: datetime, actor: str) -> OperatorKey:
        """Return a new key with these facts. Raises `Invalid`."""
        if facts.expires_at is not None and facts.expires_at <= now:
            raise Invalid(FieldError("/expires_at", f"{facts.expires_at:%Y-%m-%d %H:%M} UTC has passed"))
        return cls(
            digest_of(secret),
            scopes=frozenset(facts.scopes),
            editions=None if facts.editions is None else frozenset(facts.editions),
            expires_at=facts.expires_at,
            label=facts.label,
            created_at=now,
            created_by=actor,
        )

    @property
    def id(self) -> str:
        """The id of the key, which tells nothing of its secret."""
        return self.digest[:KEY_ID_LENGTH]

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the key has reached its expiry."""
        return self.expires_at is not None and self.expires_at <= now

    def works(self, now: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return not self.revoked and not self.is_expired(now)

    def principal(self, operator_id: str) -> Principal:
        """Return the principal that the key stands for."""
        return Principal(
            PrincipalKind.KEY, self.id, operator_id, self.scopes, editions=self.editions, expires_at=self.expires_at
        )


def with_key(keys: Sequence[OperatorKey], key: OperatorKey, now: datetime) -> list[OperatorKey]:
    """Return the keys and a new key, without the oldest that have ended. Raises `CeilingReached`."""
    working = [known.digest for known in keys if known.works(now)]
    if len(working) >= MOST_KEYS:
        raise CeilingReached(f"an operator may have {MOST_KEYS} keys in use: revoke a key first")
    ended = [known.digest for known in keys if known.digest not in working]
    dropped = set(ended[: max(0, len(ended) - _MOST_ENDED)])
    return [*(known for known in keys if known.digest not in dropped), key]


def without_key(keys: Sequence[OperatorKey], key_id: str) -> list[OperatorKey]:
    """Return the keys, of which this key is revoked now. Raises `NotFound`."""
    key_in(keys, key_id)
    return [replace(key, revoked=True) if key.id == key_id else key for key in keys]


def with_successor(
    keys: Sequence[OperatorKey], key_id: str, successor: OperatorKey, overlap: timedelta, now: datetime
) -> list[OperatorKey]:
    """Return the keys and the successor of a key, which works on for a while. Raises `NotFound`."""
    ends = now + overlap
    keys = [
        replace(key, expires_at=min(ends, key.expires_at or ends)) if key.id == key_id else key
        for key in with_key(keys, successor, now)
    ]
    key_in(keys, key_id)
    return keys


def successor_of(key: OperatorKey, secret: str, now: datetime, actor: str) -> OperatorKey:
    """Return a new key with the rights of a key. Its life is as long. Raises `Conflict`."""
    if not key.works(now):
        raise Conflict(f"key {key.id} is revoked or has expired: make a new key")
    life = key.expires_at - key.created_at if key.expires_at and key.created_at else None
    expires_at = now + life if life else key.expires_at
    return replace(key, digest=digest_of(secret), expires_at=expires_at, created_at=now, created_by=actor)


def key_in(keys: Sequence[OperatorKey], key_id: str) -> OperatorKey:
    """Return a key of the list by its id. Raises `NotFound`."""
    found = next((key for key in keys if key.id == key_id), None)
    if found is None:
        raise NotFound("there is no such key")
    return found
