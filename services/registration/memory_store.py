"""A store in memory with the behaviour of `store.MongoStore`, for tests and for trying the API."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.registration.domain.edition import Edition
from services.registration.domain.entity import BY_CLOCK, Authorship, Entity
from services.registration.domain.errors import NotFound, NotUnique
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.seats import Line, Seats
from services.registration.keys import OperatorKey
from services.registration.ports import AnyEntity, KeyBeginning, Revision, Where
from shared.contract.events import AuthoredEvent, Event, Status


@dataclass
class _Document:
    """An entity as JSON values, as a database would store it."""

    kind: type[Entity]
    body: dict[str, Any]
    fingerprint: str
    claims: tuple[str, ...]
    due: datetime | None

    def entity(self) -> Entity:
        return self.kind.stored(self.body)


class InMemoryStore:
    """All documents, and in `events` the events to publish, in order."""

    def __init__(self) -> None:
        self.documents: dict[str, _Document] = {}
        self.events: list[Event] = []

    def of(self, operator_id: str) -> InMemoryRepository:
        """The entities of an operator."""
        return InMemoryRepository(self, operator_id)

    async def overdue(self, kind: type[AnyEntity], now: datetime, limit: int) -> list[AnyEntity]:
        """List overdue entities of a kind of all operators, the longest overdue first."""
        entities = [(document.due, document.entity()) for document in self.documents.values()]
        due = [(at, entity) for at, entity in entities if isinstance(entity, kind) and at]
        return [entity for at, entity in sorted(due, key=lambda item: item[0]) if at <= now][:limit]

    async def editions_with_lines(self) -> list[tuple[str, str]]:
        """List the editions in which participants wait for seats: operator and edition."""
        waiting = [
            document.body for document in self.documents.values() if document.kind is Participant and document.due
        ]
        return sorted({(body["operator_id"], body["edition_id"]) for body in waiting})

    async def end_lines(self, operator_id: str, edition_id: str) -> None:
        """Leave the lines of an edition alone from now on."""
        for document in self.documents.values():
            there = (document.body["operator_id"], document.body["edition_id"])
            if document.kind is Participant and there == (operator_id, edition_id):
                document.due = None


class InMemoryRepository:
    """The entities of an operator."""

    def __init__(self, store: InMemoryStore, operator_id: str) -> None:
        self._store = store
        self.operator_id = operator_id

    async def find(self, kind: type[AnyEntity], edition_id: str, entity_id: str) -> AnyEntity | None:
        """Return an entity of an edition; None if there is none."""
        return (await self.find_many(kind, edition_id, [entity_id])).get(entity_id)

    async def recent_edition(self, edition_id: str) -> Edition | None:
        """Return an edition; None if there is none."""
        return await self.find(Edition, edition_id, edition_id)

    async def find_many(self, kind: type[AnyEntity], edition_id: str, ids: Sequence[str]) -> dict[str, AnyEntity]:
        """Return the existing entities among these ids, by id."""
        return {entity.id: entity for entity in self._own(kind) if entity.id in ids and entity.edition_id == edition_id}

    async def find_unique(self, kind: type[AnyEntity], uniques: Sequence[str]) -> dict[str, AnyEntity]:
        """Return the entities that hold one of these keys, by `unique`."""
        return {
            entity.unique: entity
            for entity in self._own(kind)
            if not set(uniques).isdisjoint(self._store.documents[entity.id].claims)
        }

    async def page(
        self,
        kind: type[AnyEntity],
        edition_id: str | None,
        after: str,
        limit: int,
        where: Where = None,
    ) -> list[AnyEntity]:
        """List up to `limit` entities beyond `after`, by id; without an edition by edition and id, as `edition/id`."""
        wanted = {**(where or {}), **({} if edition_id is None else {"edition_id": edition_id})}
        found = {_path(entity, edition_id): entity for entity in self._own(kind) if _has(entity, wanted)}
        return [entity for path, entity in sorted(found.items()) if path > after][:limit]

    async def all_of(self, kind: type[AnyEntity], edition_id: str, where: Where = None) -> AsyncIterator[AnyEntity]:
        """Yield all entities of an edition, by id."""
        for entity in await self.page(kind, edition_id, "", len(self._store.documents), where):
            yield entity

    async def count_live_requests(self, edition_id: str, requester_id: str) -> int:
        """Count the requests of a participant that are neither declined, withdrawn nor expired."""
        wanted = {"edition_id": edition_id, "requester_id": requester_id}
        return sum(_has(request, wanted) and request.state in LIVE for request in self._own(MatchRequest))

    async def with_availability(self, edition_id: str) -> list[Participant]:
        """List the participants of an edition, also the cancelled, that are not available for the whole edition."""
        there = (participant for participant in self._own(Participant) if participant.edition_id == edition_id)
        return [participant for participant in there if participant.available]

    async def settle(self, edition: Edition) -> None:
        """Leave the calendar of an edition alone until its next change, unless it has changed since it was read."""
        stored = await self.find(Edition, edition.id, edition.id)
        if stored is not None and stored.revision == edition.revision:
            self._store.documents[edition.id].due = edition.phase_due

    async def delegations(self, edition_id: str) -> set[str]:
        """Return the delegations that active organisations of an edition name."""
        there = {"edition_id": edition_id, "status": Status.ACTIVE}
        found = (organisation for organisation in self._own(Organisation) if _has(organisation, there))
        return {organisation.delegation for organisation in found if organisation.delegation}

    async def attended(self, edition_id: str) -> dict[str, list[str]]:
        """Return the sessions of the active participants who attend any, by participant id."""
        there = {"edition_id": edition_id, "status": Status.ACTIVE}
        found = (participant for participant in self._own(Participant) if _has(participant, there))
        return {participant.id: list(participant.session_ids) for participant in found if participant.session_ids}

    async def count(self, kind: type[Entity]) -> int:
        return sum(1 for _ in self._own(kind))

    async def seats_taken(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]:
        """Return the seats taken, by session; sessions without participants are left out."""
        there = {"edition_id": edition_id, "status": Status.ACTIVE}
        seats: defaultdict[str, list[int | None]] = defaultdict(list)
        for participant in self._own(Participant):
            if _has(participant, there):
                for session_id in set(session_ids).intersection(participant.session_ids):
                    seats[session_id].append(participant.seats.get(session_id))
        return dict(seats)

    async def lines(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Line]:
        """Return the waiting participants in order, by session; sessions without a line are left out."""
        there = {"edition_id": edition_id, "status": Status.ACTIVE}
        lines: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for participant in self._own(Participant):
            if _has(participant, there):
                for session_id in participant.waiting_since.keys() & set(session_ids):
                    lines[session_id].append((participant.waiting_since[session_id], participant.id))
        return {session_id: sorted(line) for session_id, line in lines.items()}

    async def fingerprint(self, kind: type[Entity], edition_id: str, entity_id: str) -> str | None:
        """Return the hash of the request that created an entity; None if there is no such entity."""
        there = await self.find(kind, edition_id, entity_id)
        return self._store.documents[entity_id].fingerprint if there else None

    async def history(self, kind: type[Entity], edition_id: str, entity_id: str) -> list[Revision]:
        """List the revisions of an entity, oldest first; none if there is no such entity."""
        key = f"{edition_id}/{kind.ID.removesuffix('_id')}/{entity_id}"
        own = (event for event in self._store.events if (event.key, event.operator_id) == (key, self.operator_id))
        return [
            Revision(revision=event.revision, at=event.occurred_at, actor=event.actor or "clock", changed=event.changed)
            for event in own
            if isinstance(event, AuthoredEvent)
        ]

    async def insert(self, entity: Entity, fingerprint: str, authorship: Authorship = BY_CLOCK) -> None:
        """Write a new entity with its event. Raises `NotUnique`."""
        if entity.id in self._store.documents:
            raise NotUnique(entity.unique)
        self._write(entity, fingerprint, authorship)

    async def insert_all(self, entities: Sequence[AnyEntity], authorship: Authorship = BY_CLOCK) -> list[AnyEntity]:
        """Write new entities of a kind with their events, and return the entities whose keys are in use instead."""
        refused = []
        for entity in entities:
            try:
                await self.insert(entity, "", authorship)
            except NotUnique:
                refused.append(entity)
        return refused

    async def replace(self, entity: Entity, authorship: Authorship = BY_CLOCK) -> bool:
        """Write the next revision with its event; False if the stored revision is another. Raises `NotUnique`."""
        before = await self.find(type(entity), entity.edition_id, entity.id)
        if before is None or before.revision != entity.revision - 1:
            return False
        fingerprint = "" if entity.is_erased else self._store.documents[entity.id].fingerprint
        self._write(entity, fingerprint, authorship)
        return True

    async def release(self, entity: Entity) -> None:
        """Free the unique key of an entity, unless the entity has changed since it was read."""
        stored = await self.find(type(entity), entity.edition_id, entity.id)
        if stored is not None and stored.revision == entity.revision:
            self._store.documents[entity.id].claims = (entity.id,)

    def _write(self, entity: Entity, fingerprint: str, authorship: Authorship) -> None:
        rivals = (
            document
            for entity_id, document in self._store.documents.items()
            if document.kind is type(entity) and entity_id != entity.id
        )
        if any(not set(rival.claims).isdisjoint(entity.claims) for rival in rivals):
            raise NotUnique(entity.unique)
        body = entity.model_dump(mode="json")
        self._store.documents[entity.id] = _Document(type(entity), body, fingerprint, entity.claims, entity.due)
        self._store.events.append(entity.published(authorship))

    def _own(self, kind: type[AnyEntity]) -> Iterator[AnyEntity]:
        for document in self._store.documents.values():
            entity = document.entity()
            if isinstance(entity, kind) and entity.operator_id == self.operator_id:
                yield entity


class InMemoryOperators:
    """The API keys of operators."""

    def __init__(self, keys: dict[str, list[OperatorKey]]) -> None:
        self._keys = keys
        self.uses: dict[tuple[str, str], datetime] = {}

    async def keys(self, operator_id: str) -> Sequence[OperatorKey]:
        """List an operator's keys; none if there is no such operator."""
        return self._keys.get(operator_id, [])

    async def all_keys(self, most: int) -> Mapping[str, Sequence[OperatorKey]]:
        """Return the keys of at most `most` operators, by operator id."""
        return dict(itertools.islice(self._keys.items(), most))

    async def change_keys(
        self, operator_id: str, change: Callable[[Sequence[OperatorKey]], Sequence[OperatorKey]]
    ) -> Sequence[OperatorKey]:
        """Keep the keys that `change` returns for the present keys, and return them. Raises `NotFound`."""
        if operator_id not in self._keys:
            raise NotFound("there is no such operator")
        self._keys[operator_id] = [*change(self._keys[operator_id])]
        return self._keys[operator_id]

    async def last_uses(self, operator_id: str, key_ids: Sequence[str]) -> dict[str, datetime]:
        """Return the times of the last uses of keys, by id."""
        return {key_id: at for (owner, key_id), at in self.uses.items() if owner == operator_id and key_id in key_ids}

    async def note_use(self, operator_id: str, key_id: str, at: datetime) -> None:
        """Keep the time of the last use of a key."""
        self.uses[operator_id, key_id] = at


def _path(entity: Entity, edition_id: str | None) -> str:
    """Return the id of an entity; with the edition in front in a list of several editions."""
    return entity.id if edition_id is not None or isinstance(entity, Edition) else f"{entity.edition_id}/{entity.id}"


def _has(entity: Entity, wanted: Mapping[str, object]) -> bool:
    return all(_is_as(getattr(entity, name), value) for name, value in wanted.items())


def _is_as(value: Any, wanted: object) -> bool:  # noqa: ANN401 - any field
    if isinstance(wanted, KeyBeginning):
        return any(key.startswith(wanted.text) for key in value)
    return bool(value == wanted)
