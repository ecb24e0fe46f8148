"""`tertulia topics restore`: tells the topics again from the databases, after a broker lost its records."""

from __future__ import annotations

import importlib
from collections import Counter

from services import SERVICES
from shared.contract.cloudevents import Record
from shared.messaging.broker import KafkaPublisher, make_broker
from shared.runtime.settings import ConnectionSettings, read_settings
from shared.storage.mongo import Mongo
from shared.storage.told import newest_of_journals

_AT_ONCE = 500


async def restore(settings: ConnectionSettings) -> Counter[str]:
    """Publish the newest events of all services, and return the number of records by topic.

    Consumers recognise a repeat by its revision, and change nothing.

    Raises:
        KafkaError, PyMongoError: broker or database does not answer. Call it again.
    """
    told: Counter[str] = Counter()
    mongo, broker = Mongo(settings), make_broker(settings)
    try:
        async with broker:
            publisher = KafkaPublisher(broker)
            for service in SERVICES:
                records = await _newest_of(service, mongo)
                for start in range(0, len(records), _AT_ONCE):
                    await publisher.send(records[start : start + _AT_ONCE])
                told.update(record.topic for record in records)
    finally:
        await mongo.close()
    return told


async def _newest_of(service: str, mongo: Mongo) -> list[Record]:
    settings = read_settings(importlib.import_module(f"services.{service}.settings").Settings)
    database = mongo.database(settings.database)
    if service == "registration":  # keeps documents where the others keep journals
        rebuild = importlib.import_module("services.registration.rebuild")
        records: list[Record] = await rebuild.newest_of_entities(database)
        return records
    if service in ("portal", "events"):  # they publish nothing
        return []
    return await newest_of_journals(database)
