"""The one place that chooses the Mongo driver: Motor (asked for), or PyMongo's own asynchronous client (ADR 0004)."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from shared.runtime.clock import utc_now
from shared.runtime.settings import ConnectionSettings

#: A database of either driver. Both offer the same calls for all that our stores use: `find_one`, `insert_one`,
#: `update_one`, `update_many`, `count_documents`, `create_index`, and `async for` over `find`.
#: (`aggregate` differs: it is not used.) Neither driver's types cover the other's, hence Any.
MongoDatabase = Any
MongoCollection = Any

#: Below every date we keep. MongoDB leaves out nulls where a date is asked for to be below another; SecantusDB reads
#: them all unless the range has two ends: 37 ms against 0.7 ms for 700 documents.
EVER = datetime(1970, 1, 1, tzinfo=UTC)

#: An answer that took longer does not say what time it is: the process or the network stood still, on one way or both.
_TELLING = timedelta(seconds=2)

__all__ = ["EVER", "DuplicateKeyError", "Mongo", "MongoCollection", "MongoDatabase"]


class Mongo:
    """A client of the configured driver, and the server's clock.

    What one process writes down and another acts upon (a lease, when a mail is due, what waits to be swept) must be
    timed by one clock. Machines' clocks differ; all processes of a service share the database.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._client = _client_class(settings.mongo_driver)(
            settings.mongo_url.get_secret_value(), **_client_options(settings)
        )
        self._ahead = timedelta(0)

    def database(self, name: str) -> MongoDatabase:
        """A database by name; majority writes, so that an acknowledged write outlives its server."""
        return self._client[name]

    async def ping(self) -> None:
        """Raise a `PyMongoError` unless the server answers; then `now` goes by its clock."""
        asked = utc_now()
        answer = await self._client.admin.command("hello")
        took = utc_now() - asked
        if took <= _TELLING:
            self._ahead = answer["localTime"].replace(tzinfo=UTC) - (asked + took / 2)

    def now(self) -> datetime:
        """The time by the server's clock as of the last `ping`, UTC, to the millisecond; before the first, by ours."""
        now = utc_now() + self._ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def close(self) -> None:
        """Close all connections. Motor's close is a plain call, PyMongo's a coroutine."""
        closing = self._client.close()
        if inspect.isawaitable(closing):
            await closing


def _client_class(driver: str) -> Any:  # noqa: ANN401 - see MongoDatabase
    # Imported here so that a process loads one driver only.
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient  # noqa: PLC0415

        return AsyncIOMotorClient
    from pymongo import AsyncMongoClient  # noqa: PLC0415

    return AsyncMongoClient


def _client_options(settings: ConnectionSettings) -> dict[str, Any]:
    milliseconds = int(settings.mongo_timeout_seconds * 1000)
    options: dict[str, Any] = {
        "appname": "tertulia",
        "serverSelectionTimeoutMS": milliseconds,
        "connectTimeoutMS": milliseconds,
        "socketTimeoutMS": milliseconds,
        "tz_aware": True,
        "w": "majority",
        "maxPoolSize": 20,
    }
    if settings.mongo_tls_ca_file:
        options |= {"tls": True, "tlsCAFile": str(settings.mongo_tls_ca_file)}
    if settings.mongo_tls_certificate_key_file:
        options |= {"tls": True, "tlsCertificateKeyFile": str(settings.mongo_tls_certificate_key_file)}
    return options
