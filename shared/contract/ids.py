"""Identifiers: their format, and the derivation of ids from ids."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import StringConstraints

#: An identifier: letters, digits, `_` and `-`, at most 64 of them. Never a `/`: keys are paths of identifiers.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "tertulia.invalid")


def derived_id(prefix: str, *parts: str) -> str:
    """Return `<prefix>_<32 hex digits>`: the same for the same parts on every machine (UUID version 5, RFC 9562)."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, '/'.join((prefix, *parts))).hex}"


def new_id(prefix: str) -> str:
    """Return a random `<prefix>_<32 hex digits>` (UUID version 4)."""
    return f"{prefix}_{uuid.uuid4().hex}"


def pair_of(first: str, second: str) -> tuple[str, str]:
    """Return the ids of a pair of participants sorted: the order that every service uses."""
    return (first, second) if first < second else (second, first)


def pair_id(edition_id: str, first: str, second: str) -> str:
    """Return the id of a pair of participants in an edition, in either order."""
    return derived_id("pair", edition_id, *pair_of(first, second))


def encounter_id(edition_id: str, first: str, second: str) -> str:
    """Return the id of the only encounter that a pair can have. It stays the same when the encounter moves."""
    return derived_id("enc", edition_id, *pair_of(first, second))
