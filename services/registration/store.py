"""Registration's documents in Mongo. Only this module keeps the entities of operators apart."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from services.registration.documents import (
    BESIDE,
    conditions_of,
    entities_in,
    fields_of,
    new_document,
    new_documents,
    next_revision,
    paced,
    prepare_search,
    readable,
    released,
)
from services.registration.domain.edition import MOVED_BY_CLOCK, Edition
from services.registration.domain.entity import BY_CLOCK, Authorship, Entity
from services.registration.domain.errors import NotUnique
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.seats import Line, Seats
from services.registration.ports import AnyEntity, Revision, Where
from shared.contract.events import Status
from shared.storage.mongo import EVER, DuplicateKeyError, MongoCollection, MongoDatabase, insert_new
from shared.storage.outbox import outbox_new

KINDS: tuple[type[Entity], ...] = (Edition, Organisation, Participant, MatchRequest)
#: Called after a write with kind and `_id`s, which are several after the write of a batch: it sends the outboxes.
Sender = Callable[[type[Entity], Sequence[str]], None]

#: Editions read last, by path, each with the time until which it counts as recent.
Recent = dict[str, tuple[float, Edition]]
_RECENT_SECONDS = 1.0
_MOST_RECENT = 1000
#: Later than all stored times: the upper bound of queries for a time (`EVER`).
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
#: Sorts after every character of an id.
_BEYOND_IDS = "~"


def collection_of(kind: type[Entity]) -> str:
    """Return the name of the collection of a kind of entity."""
    return kind.NOUN.replace(" ", "_") + "s"


class MongoStore:
    """The documents of all operators."""

    def __init__(
        self,
        database: MongoDatabase,
        written: Sender,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._written = written
        self._recent: Recent = {}
        self._now = now

    async def prepare(self) -> None:
        """Create the indexes, unless they exist."""
        for kind in KINDS:
            collection = self._database[collection_of(kind)]
            await collection.create_index("unique", unique=True)
        await self._database[collection_of(Edition)].create_index("operator_id")
        await self._database[collection_of(Organisation)].create_index("edition_id")
        participants = self._database[collection_of(Participant)]
        await participants.create_index([("edition_id", 1), ("session_ids", 1)])
        await participants.create_index([("edition_id", 1), ("waiting_session_ids", 1)])
        requests = self._database[collection_of(MatchRequest)]
        await requests.create_index("edition_id")
        await requests.create_index("requester_id")
        for kind in (Edition, Participant, MatchRequest):
            await self._database[collection_of(kind)].create_index("due")
        await self._add_due_times()
        for found in (Organisation, Participant):
            await prepare_search(self._database[collection_of(found)], found)

    def of(self, operator_id: str) -> MongoRepository:
        """Return the repository of an operator, the only access to its entities."""
        return MongoRepository(self._database, operator_id, self._written, self._recent, self._now)

    async def of_edition(self, edition_id: str) -> list[Entity]:
        """List all entities of an edition, of any operator. For the command line only, never for the API."""
        return [
            kind.stored(document)
            for kind in KINDS
            async for document in self._database[collection_of(kind)].find({"edition_id": edition_id}, BESIDE)
        ]

    async def overdue(self, kind: type[AnyEntity], now: datetime, limit: int) -> list[AnyEntity]:
        """List overdue entities of a kind of all operators, the longest overdue first."""
        cursor = self._database[collection_of(kind)].find({"due": {"$gt": EVER, "$lte": now}}, BESIDE)
        entities: list[AnyEntity] = []
        async for document in cursor.sort("due", 1):
            if (entity := readable(kind, document)) is not None:
                entities.append(entity)
            if len(entities) == limit:
                break
        return entities

    async def editions_with_lines(self) -> list[tuple[str, str]]:
        """List the editions of all operators in which participants wait for seats: operator and edition."""
        query = {"due": {"$gt": EVER, "$lte": _NEVER}}
        cursor = self._database[collection_of(Participant)].find(query, {"operator_id": 1, "edition_id": 1})
        return sorted({(document["operator_id"], document["edition_id"]) async for document in paced(cursor)})

    async def end_lines(self, operator_id: str, edition_id: str) -> None:
        """Leave the lines of an edition alone from now on: it takes no more changes."""
        query = {"operator_id": operator_id, "edition_id": edition_id, "due": {"$gt": EVER, "$lte": _NEVER}}
        await self._database[collection_of(Participant)].update_many(query, {"$set": {"due": None}})

    async def _add_due_times(self) -> None:
        """Store the due times of editions that were stored before the clock moved editions."""
        editions = self._database[collection_of(Edition)]
        async for document in paced(editions.find({"phase": {"$in": sorted(MOVED_BY_CLOCK)}})):
            if document.get("due") is None:
                edition = readable(Edition, {name: document[name] for name in document.keys() - BESIDE.keys()})
                if edition is None:
                    continue
                unchanged = {"_id": document["_id"], "revision": edition.revision}
                await editions.update_one(unchanged, {"$set": {"due": edition.due}})


class MongoRepository:
    """The entities of an operator. Every `_id` starts with the operator's id; all other queries start from `_own`."""

    def __init__(
        self,
        database: MongoDatabase,
        operator_id: str,
        written: Sender,
        recent: Recent,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self.operator_id = operator_id
        self._written = written
        self._recent = recent
        self._now = now

    async def find(self, kind: type[AnyEntity], edition_id: str, entity_id: str) -> AnyEntity | None:
        """Return an entity of an edition; None if there is none."""
        document = await self._of(kind).find_one({"_id": self._path(kind, edition_id, entity_id)}, BESIDE)
        return kind.stored(document) if document else None

    async def recent_edition(self, edition_id: str) -> Edition | None:
        """Return an edition at most a second old. Every write reads the edition, and it hardly ever changes."""
        path = self._path(Edition, edition_id, edition_id)
        until, recent = self._recent.get(path, (0.0, None))
        if recent is not None and self._now() < until:
            return recent
        edition = await self.find(Edition, edition_id, edition_id)
        if edition is not None:
            if len(self._recent) >= _MOST_RECENT:
                self._recent.clear()
            self._recent[path] = (self._now() + _RECENT_SECONDS, edition)
        return edition

    async def find_many(self, kind: type[AnyEntity], edition_id: str, ids: Sequence[str]) -> dict[str, AnyEntity]:
        """Return the existing entities among these ids, by id."""
        query = {"_id": {"$in": [self._path(kind, edition_id, entity_id) for entity_id in ids]}}
        return {entity.id: entity async for entity in entities_in(kind, self._of(kind).find(query, BESIDE))}

    async def find_unique(self, kind: type[AnyEntity], uniques: Sequence[str]) -> dict[str, AnyEntity]:
        """Return the entities that hold one of these keys, by `unique`."""
        query = self._own(unique={"$in": list(uniques)})
        return {entity.unique: entity async for entity in entities_in(kind, self._of(kind).find(query, BESIDE))}

    async def page(
        self,
        kind: type[AnyEntity],
        edition_id: str | None,
        after: str,
        limit: int,
        where: Where = None,
    ) -> list[AnyEntity]:
        """List up to `limit` entities beyond `after`, by id; without an edition by edition and id, as `edition/id`."""
        found = self._by_id(kind, edition_id, after, where).limit(limit)
        return [entity async for entity in entities_in(kind, found)]

    def all_of(self, kind: type[AnyEntity], edition_id: str, where: Where = None) -> AsyncIterator[AnyEntity]:
        """Yield all entities of an edition, by id. A single query: SecantusDB reads a whole edition for each page."""
        return entities_in(kind, self._by_id(kind, edition_id, where=where))

    async def count_live_requests(self, edition_id: str, requester_id: str) -> int:
        """Count the requests of a participant that are neither declined, withdrawn nor expired."""
        query = self._own(requester_id=requester_id, edition_id=edition_id, state={"$in": sorted(LIVE)})
        count: int = await self._of(MatchRequest).count_documents(query)
        return count

    async def with_availability(self, edition_id: str) -> list[Participant]:
        """List the participants of an edition, also the cancelled, that are not available for the whole edition."""
        query = self._own(edition_id=edition_id, available={"$ne": []})
        return [entity async for entity in entities_in(Participant, self._of(Participant).find(query, BESIDE))]

    async def settle(self, edition: Edition) -> None:
        """Leave the calendar of an edition alone until its next change, unless it has changed since it was read."""
        unchanged = {"_id": self._path(Edition, edition.id, edition.id), "revision": edition.revision}
        await self._of(Edition).update_one(unchanged, {"$set": {"due": edition.phase_due}})

    async def delegations(self, edition_id: str) -> set[str]:
        """Return the delegations that active organisations of an edition name."""
        query = self._own(edition_id=edition_id, status=Status.ACTIVE.value, delegation={"$ne": None})
        cursor = self._of(Organisation).find(query, {"delegation": 1})
        return {document["delegation"] async for document in paced(cursor)}

    async def attended(self, edition_id: str) -> dict[str, list[str]]:
        """Return the sessions of the active participants who attend any, by participant id."""
        query = self._own(edition_id=edition_id, status=Status.ACTIVE.value, session_ids={"$ne": []})
        cursor = self._of(Participant).find(query, {"participant_id": 1, "session_ids": 1})
        return {document["participant_id"]: document["session_ids"] async for document in paced(cursor)}

    async def count(self, kind: type[Entity]) -> int:
        """Count all entities of a kind, in all editions."""
        prefix = f"{self.operator_id}/"
        query = {"_id": {"$gt": prefix, "$lt": prefix + _BEYOND_IDS}}
        count: int = await self._of(kind).count_documents(query)
        return count

    async def seats_taken(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]:
        """Return the seats taken, by session; sessions without participants are left out."""
        query = self._own(edition_id=edition_id, session_ids={"$in": list(session_ids)}, status=Status.ACTIVE.value)
        seats: defaultdict[str, list[int | None]] = defaultdict(list)
        async for document in paced(self._of(Participant).find(query, {"session_ids": 1, "seats": 1})):
            for session_id in set(session_ids).intersection(document["session_ids"]):
                seats[session_id].append(document.get("seats", {}).get(session_id))
        return dict(seats)

    async def lines(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Line]:
        """Return the waiting participants in order, by session; sessions without a line are left out."""
        query = self._own(
            edition_id=edition_id, waiting_session_ids={"$in": list(session_ids)}, status=Status.ACTIVE.value
        )
        lines: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        async for document in paced(self._of(Participant).find(query, {"participant_id": 1, "waiting_since": 1})):
            for session_id in document["waiting_since"].keys() & set(session_ids):
                since = datetime.fromisoformat(document["waiting_since"][session_id])
                lines[session_id].append((since, document["participant_id"]))
        return {session_id: sorted(line) for session_id, line in lines.items()}

    async def fingerprint(self, kind: type[Entity], edition_id: str, entity_id: str) -> str | None:
        """Return the hash of the request that created an entity; None if there is no such entity."""
        document = await self._of(kind).find_one({"_id": self._path(kind, edition_id, entity_id)}, {"fingerprint": 1})
        return document["fingerprint"] if document else None

    async def history(self, kind: type[Entity], edition_id: str, entity_id: str) -> list[Revision]:
        """List the last revisions of an entity, oldest first; none if there is no such entity."""
        document = await self._of(kind).find_one({"_id": self._path(kind, edition_id, entity_id)}, {"history": 1})
        return [Revision.model_validate(entry) for entry in (document or {}).get("history", ())]

    async def insert(self, entity: Entity, fingerprint: str, authorship: Authorship = BY_CLOCK) -> None:
        """Write a new entity with its event in the outbox. Raises `NotUnique`."""
        path = self._path(type(entity), entity.edition_id, entity.id)
        document = {"_id": path, "fingerprint": fingerprint, **new_document(entity, authorship)}
        try:
            await self._of(type(entity)).insert_one(document)
        except DuplicateKeyError as error:
            raise NotUnique(entity.unique) from error
        self._written(type(entity), [path])

    async def insert_all(self, entities: Sequence[AnyEntity], authorship: Authorship = BY_CLOCK) -> list[AnyEntity]:
        """Write new entities of a kind with their events, and return the entities whose keys are in use instead."""
        kind, by_path = type(entities[0]), {self._path(type(new), new.edition_id, new.id): new for new in entities}
        documents = await new_documents(by_path, authorship)
        refused = {document["_id"] for document in await insert_new(self._of(kind), documents)}
        self._written(kind, [path for path in by_path if path not in refused])
        return [entity for path, entity in by_path.items() if path in refused]

    async def restore(self, entity: Entity, *, may_lack_key: bool = False) -> None:
        """Write an entity with an empty outbox: its event is on the topic already.

        An entity that may lack its unique key is written without it if another entity has that key.
        """
        path = self._path(type(entity), entity.edition_id, entity.id)
        document = fields_of(entity) | {"_id": path, "fingerprint": ""} | outbox_new([])
        try:
            await self._of(type(entity)).insert_one(document)
        except DuplicateKeyError:
            if not may_lack_key:
                raise
            await self._of(type(entity)).insert_one(document | released(entity))

    async def release(self, entity: Entity) -> None:
        """Free the unique key of an entity, unless the entity has changed since it was read."""
        path = self._path(type(entity), entity.edition_id, entity.id)
        at_revision = {"_id": path, "revision": entity.revision}
        await self._of(type(entity)).update_one(at_revision, {"$set": released(entity)})

    async def replace(self, entity: Entity, authorship: Authorship = BY_CLOCK) -> bool:
        """Write the next revision with its event in the outbox; False if the stored revision is another.

        Raises:
            NotUnique: a second entity has the same claim.
        """
        path = self._path(type(entity), entity.edition_id, entity.id)
        try:
            before = {"_id": path, "revision": entity.revision - 1}
            result = await self._of(type(entity)).update_one(before, next_revision(entity, authorship))
        except DuplicateKeyError as error:
            raise NotUnique(entity.unique) from error
        if result.matched_count:
            self._recent.pop(path, None)
            self._written(type(entity), [path])
        return bool(result.matched_count)

    def _own(self, **query: object) -> dict[str, object]:
        return {"operator_id": self.operator_id, **query}

    def _by_id(self, kind: type[Entity], edition_id: str | None, after: str = "", where: Where = None) -> Any:  # noqa: ANN401 - either driver's
        prefix = f"{self.operator_id}/" if edition_id is None else self._path(kind, edition_id, "")
        # SecantusDB reads all operators' documents for a range of ids alone, and an edition's for an equal field first.
        among = {"operator_id": self.operator_id} if edition_id is None else {"edition_id": edition_id}
        query = {**among, "_id": {"$gt": prefix + after, "$lt": prefix + _BEYOND_IDS}, **conditions_of(where)}
        return self._of(kind).find(query, BESIDE).sort("_id", 1)

    def _path(self, kind: type[Entity], edition_id: str, entity_id: str) -> str:
        prefix = self.operator_id if kind is Edition else f"{self.operator_id}/{edition_id}"
        return f"{prefix}/{entity_id}"

    def _of(self, kind: type[Entity]) -> MongoCollection:
        return self._database[collection_of(kind)]
