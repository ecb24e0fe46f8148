"""Identifiers: what they look like, and how those that can be derived are derived."""

from __future__ import annotations

import uuid
from typing import Annotated

from pydantic import StringConstraints

#: An identifier: letters, digits, `_` and `-`, at most 64 of them. Never a `/`: keys are paths of identifiers.
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "tertulia.invalid")


def derived_id(prefix: str, *parts: str) -> str:
    """`<prefix>_<32 hex digits>`, the same for the same parts on every machine (UUID version 5, RFC 9562)."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, '/'.join((prefix, *parts))).hex}"


def new_id(prefix: str) -> str:
    """`<prefix>_<32 hex digits>`, random (UUID version 4)."""
    return f"{prefix}_{uuid.uuid4().hex}"


def pair_of(one: str, other: str) -> tuple[str, str]:
    """The two participants of an unordered pair, in the order every service uses: sorted."""
    return (one, other) if one < other else (other, one)


def pair_id(edition_id: str, one: str, other: str) -> str:
    """The id of an unordered pair of participants in an edition."""
    return derived_id("pair", edition_id, *pair_of(one, other))


def encounter_id(edition_id: str, one: str, other: str) -> str:
    """The id of the one encounter a pair can have: it never changes when the encounter moves."""
    return derived_id("enc", edition_id, *pair_of(one, other))
