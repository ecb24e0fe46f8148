"""Administration of operators and their API keys, for the command line and for harnesses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from pydantic import ValidationError

from services.registration.authenticator import is_operator_id
from services.registration.domain.errors import NotFound
from services.registration.domain.limits import OperatorLimits
from services.registration.domain.names import clean_line
from services.registration.keys import KeyFacts, OperatorKey, digest_of, new_secret
from services.registration.operator_store import MongoOperators
from services.registration.settings import Settings
from services.registration.use_cases.keys import KeyService
from shared.access import Principal, PrincipalKind, Scope
from shared.contract.fault_words import reason_of
from shared.runtime.clock import utc_now
from shared.runtime.settings import ServiceSettings
from shared.storage.mongo import Mongo


class NoSuchOperator(Exception):
    """There is no operator by this id."""

    def __init__(self, operator_id: str) -> None:
        super().__init__(f"there is no operator {operator_id!r}")
        self.operator_id = operator_id


class NoSuchKey(Exception):
    """The operator has no key by this id."""

    def __init__(self, operator_id: str, key_id: str) -> None:
        super().__init__(f"operator {operator_id!r} has no key {key_id!r}")
        self.operator_id = operator_id


class OperatorExists(Exception):
    """There is an operator by this id already."""

    def __init__(self, operator_id: str) -> None:
        super().__init__(f"there is an operator {operator_id!r} already")
        self.operator_id = operator_id


#: The author of changes at the command line.
_COMMAND_LINE = Principal(PrincipalKind.SERVICE, "command-line").actor


async def add_operator(settings: ServiceSettings, operator_id: str, name: str) -> str:
    """Add an operator and return its first key, an owner's. The key is not stored and cannot be shown again.

    Raises:
        ValueError: the id or the name is not acceptable.
        OperatorExists: the id is in use.
    """
    if not is_operator_id(operator_id):
        raise ValueError(f"{operator_id!r} is no operator id: letters, digits, _ and -, at most 64 of them")
    try:
        name = clean_line(name)
    except ValueError as error:
        raise ValueError(f"{name!r} is no name of an operator: {error}") from error
    secret = new_secret()
    key = OperatorKey(digest_of(secret), label="first key", created_at=utc_now(), created_by=_COMMAND_LINE)
    async with _operators(settings) as operators:
        if not await operators.add(operator_id, name, key):
            raise OperatorExists(operator_id)
    return f"{operator_id}.{secret}"


async def add_key(settings: ServiceSettings, operator_id: str, facts: KeyFacts | None = None) -> str:
    """Add a key to an operator and return it; an owner's key without facts.

    Raises:
        NoSuchOperator: there is none.
        Invalid, CeilingReached: as `KeyService.create`.
    """
    facts = facts or KeyFacts(label="command line", scopes=(Scope.OWNER,))
    async with _operators(settings) as operators:
        try:
            _, presented = await KeyService(operators, operator_id, _COMMAND_LINE, utc_now).create(facts)
        except NotFound:
            raise NoSuchOperator(operator_id) from None
    return presented


async def keys_of(settings: ServiceSettings, operator_id: str) -> tuple[Sequence[OperatorKey], dict[str, datetime]]:
    """List the keys of an operator, oldest first, with the times of their last uses.

    Raises:
        NoSuchOperator: there is none. An operator always has a key.
    """
    async with _operators(settings) as operators:
        keys, uses = await KeyService(operators, operator_id, _COMMAND_LINE, utc_now).list_keys()
    if not keys:
        raise NoSuchOperator(operator_id)
    return keys, uses


async def list_keys(settings: ServiceSettings, operator_id: str) -> list[tuple[str, bool]]:
    """List the key ids of an operator, oldest first, with their revocation. Raises `NoSuchOperator`."""
    keys, _ = await keys_of(settings, operator_id)
    return [(key.id, key.revoked) for key in keys]


async def revoke_key(settings: ServiceSettings, operator_id: str, key_id: str) -> None:
    """Revoke a key. Registration refuses it within `key_cache_seconds`.

    Raises:
        NoSuchOperator: there is no such operator.
        NoSuchKey: the operator has no such key.
    """
    async with _operators(settings) as operators:
        if not await operators.keys(operator_id):
            raise NoSuchOperator(operator_id)
        try:
            await KeyService(operators, operator_id, _COMMAND_LINE, utc_now).revoke(key_id)
        except NotFound:
            raise NoSuchKey(operator_id, key_id) from None


async def list_operators(settings: ServiceSettings) -> dict[str, str]:
    """Return the names of all operators by id."""
    async with _operators(settings) as operators:
        return await operators.names()


async def limits_of(settings: Settings, operator_id: str) -> tuple[OperatorLimits, frozenset[str]]:
    """Return the limits of an operator, and the names of its own limits, which differ from the settings.

    Raises:
        NoSuchOperator: there is none.
    """
    async with _operators(settings) as operators:
        own = await _own_limits(operators, operator_id)
    return settings.operator_limits.changed(own), frozenset(own)


async def set_limit(settings: Settings, operator_id: str, name: str, value: float | None) -> None:
    """Give an operator a limit of its own; None: the limit of the settings. It holds within `key_cache_seconds`.

    Raises:
        ValueError: there is no limit of this name, or the value is out of range.
        NoSuchOperator: there is none.
    """
    if name not in OperatorLimits.model_fields:
        raise ValueError(f"{name!r} is no limit: it is one of {', '.join(OperatorLimits.model_fields)}")
    async with _operators(settings) as operators:
        own = await _own_limits(operators, operator_id)
        own.pop(name, None)
        if value is not None:
            own[name] = value
        try:
            settings.operator_limits.changed(own)
        except ValidationError as error:
            raise ValueError(f"{name}: {reason_of(error.errors()[0])}") from error
        await operators.set_limits(operator_id, own)


async def _own_limits(operators: MongoOperators, operator_id: str) -> dict[str, float]:
    if not await operators.keys(operator_id):
        raise NoSuchOperator(operator_id)
    return await operators.limits(operator_id)


@asynccontextmanager
async def _operators(settings: ServiceSettings) -> AsyncIterator[MongoOperators]:
    mongo = Mongo(settings)
    try:
        yield MongoOperators(mongo.database(settings.database))
    finally:
        await mongo.close()
