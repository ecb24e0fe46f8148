"""The newest event of every thing, from a service's journals: for a broker that lost its records."""

from __future__ import annotations

import orjson
from pymongo import ASCENDING

from shared.contract.cloudevents import Record, unpack
from shared.contract.topics import TOPICS
from shared.storage.mongo import MongoDatabase

_COMPACTED = frozenset(topic.name for topic in TOPICS if topic.retention is None)


async def newest_of_journals(database: MongoDatabase) -> list[Record]:
    """Return the newest published record of every key, as compaction would leave a topic.

    Records of a topic with a retention are left out: their time may have passed.
    """
    newest: dict[tuple[str, bytes], Record] = {}
    entries = database["journal"].find({"outbox": {"$ne": "[]"}}, {"outbox": 1})
    async for document in entries.sort([("edition_id", ASCENDING), ("seq", ASCENDING)]):
        for packed in orjson.loads(document["outbox"]):
            record = unpack(packed)
            if record.topic in _COMPACTED:
                newest[record.topic, record.key] = record
    return list(newest.values())
