"""The choice of the Mongo driver: Motor by default, or PyMongo's own asynchronous client (ADR 0004)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.runtime.clock import utc_now
from shared.runtime.settings import ConnectionSettings

#: A database of either driver. Both offer the same calls for all that our stores use: `find_one`, `insert_one`,
#: `insert_many`, `update_one`, `update_many`, `delete_many`, `count_documents`, `create_index`, and `async for` over
#: `find`.
#: (`aggregate` differs: it is not used.) Neither driver's types cover the other's, hence Any.
MongoDatabase = Any
MongoCollection = Any

Document = TypeVar("Document", bound=Mapping[str, Any])

#: Earlier than every stored date: the lower bound of date queries. MongoDB skips nulls in a query with an upper bound
#: only; SecantusDB reads them all unless the range has two bounds: 37 ms against 0.7 ms for 700 documents.
EVER = datetime(1970, 1, 1, tzinfo=UTC)

#: A slower answer does not tell the time: the process or the network stood still, in one direction or in both.
_LONGEST_ROUND_TRIP = timedelta(seconds=2)
_DUPLICATE_KEY = 11000

__all__ = ["EVER", "DuplicateKeyError", "Mongo", "MongoCollection", "MongoDatabase", "insert_new"]


class Mongo:
    """A client of the configured driver, and the server's clock.

    A process writes times upon which another process acts: leases, due times of mails, ages of unpublished entries.
    These times must come from the same clock. The clocks of machines differ, but all processes of a service share the
    database.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self._client = _client_class(settings.mongo_driver)(
            settings.mongo_url.get_secret_value(), **_client_options(settings)
        )
        self._ahead = timedelta(0)

    def database(self, name: str) -> MongoDatabase:
        """Return a database by name. Writes go to a majority, so that an acknowledged write outlives its server."""
        return self._client[name]

    async def ping(self) -> None:
        """Ask the server for its time, by which `now` goes from then on. Raises `PyMongoError` without an answer."""
        asked = utc_now()
        answer = await self._client.admin.command("hello")
        took = utc_now() - asked
        if took <= _LONGEST_ROUND_TRIP:
            self._ahead = answer["localTime"].replace(tzinfo=UTC) - (asked + took / 2)

    def now(self) -> datetime:
        """Return the time by the server's clock, UTC, to the millisecond; before the first `ping`, by our clock."""
        now = utc_now() + self._ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    async def close(self) -> None:
        """Close all connections, with either driver's `close`: a plain call in Motor, a coroutine in PyMongo."""
        closing = self._client.close()
        if inspect.isawaitable(closing):
            await closing


async def insert_new(collection: MongoCollection, documents: Sequence[Document]) -> list[Document]:
    """Write new documents in one call. Return the documents that are not written: their keys are in use.

    Raises:
        BulkWriteError: a document is not written for a second reason, or not by a majority of the servers.
    """
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        causes = [*error.details["writeErrors"], *error.details["writeConcernErrors"]]
        if any(cause["code"] != _DUPLICATE_KEY for cause in causes):
            raise
        return [documents[cause["index"]] for cause in causes]
    return []


def _client_class(driver: str) -> Any:  # noqa: ANN401 - see MongoDatabase
    # Imported here so that a process loads only the driver that it uses.
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
