"""The store without a database: what `store.MongoStore` promises, for tests and for trying the API out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.registration.domain.edition import Edition
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.participant import Participant
from services.registration.domain.seats import Seats
from services.registration.domain.things import Taken, Thing
from services.registration.records import AnyThing
from services.registration.store import Key
from shared.contract.events import Event, Status


@dataclass
class _Document:
    """A thing as JSON values, as a database would keep it."""

    kind: type[Thing]
    body: dict[str, Any]
    fingerprint: str

    def thing(self) -> Thing:
        return self.kind.stored(self.body)


class InMemoryStore:
    """All documents, and in `events` what was to be published, in order."""

    def __init__(self) -> None:
        self.documents: dict[str, _Document] = {}
        self.events: list[Event] = []

    def of(self, operator_id: str) -> InMemoryThings:
        """The things of one operator."""
        return InMemoryThings(self, operator_id)

    async def overdue(self, now: datetime, limit: int) -> list[MatchRequest]:
        """Match requests, of any operator, whose time to be answered is over; the longest overdue first."""
        things = [document.thing() for document in self.documents.values()]
        due = [(thing.due, thing) for thing in things if isinstance(thing, MatchRequest) and thing.due]
        return [thing for at, thing in sorted(due, key=lambda item: item[0]) if at <= now][:limit]


class InMemoryThings:
    """The things of one operator."""

    def __init__(self, store: InMemoryStore, operator_id: str) -> None:
        self._store = store
        self.operator_id = operator_id

    async def find(self, kind: type[AnyThing], edition_id: str, thing_id: str) -> AnyThing | None:
        """One thing of an edition, if it is there."""
        return (await self.find_many(kind, edition_id, [thing_id])).get(thing_id)

    async def recent_edition(self, edition_id: str) -> Edition | None:
        """An edition as it is."""
        return await self.find(Edition, edition_id, edition_id)

    async def find_many(self, kind: type[AnyThing], edition_id: str, ids: Sequence[str]) -> dict[str, AnyThing]:
        """Those of the ids that are there, by id."""
        return {thing.id: thing for thing in self._own(kind) if thing.id in ids and thing.edition_id == edition_id}

    async def find_unique(self, kind: type[AnyThing], uniques: Sequence[str]) -> dict[str, AnyThing]:
        """The things that have one of these values of `Thing.unique`, by it."""
        return {thing.unique: thing for thing in self._own(kind) if thing.unique in uniques}

    async def page(
        self, kind: type[AnyThing], edition_id: str | None, after: str, limit: int, where: dict[str, str] | None = None
    ) -> list[AnyThing]:
        """Up to `limit` things with ids above `after`, by id; an operator's editions if `edition_id` is None."""
        wanted = (where or {}) | ({} if edition_id is None else {"edition_id": edition_id})
        found = [thing for thing in self._own(kind) if thing.id > after and _has(thing, wanted)]
        return sorted(found, key=lambda thing: thing.id)[:limit]

    async def live_requests(self, edition_id: str, requester_id: str) -> int:
        """How many requests of a participant are neither declined, withdrawn nor expired."""
        wanted = {"edition_id": edition_id, "requester_id": requester_id}
        return sum(_has(request, wanted) and request.state in LIVE for request in self._own(MatchRequest))

    async def attending(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]:
        """The seats, session by session, of those who attend; sessions that nobody attends are left out."""
        there = {"edition_id": edition_id, "status": Status.ACTIVE}
        seats: defaultdict[str, list[int | None]] = defaultdict(list)
        for participant in self._own(Participant):
            if _has(participant, there):
                for session_id in set(session_ids).intersection(participant.session_ids):
                    seats[session_id].append(participant.seats.get(session_id))
        return dict(seats)

    async def fingerprint(self, kind: type[Thing], edition_id: str, thing_id: str) -> str | None:
        """The hash of the request that made a thing, if the thing is there."""
        there = await self.find(kind, edition_id, thing_id)
        return self._store.documents[thing_id].fingerprint if there else None

    async def insert(self, thing: Thing, fingerprint: str) -> None:
        """Write a new thing, with its event. Raises `Taken`."""
        if thing.id in self._store.documents:
            raise Taken(thing.unique)
        self._write(thing, fingerprint)

    async def replace(self, thing: Thing) -> bool:
        """Write the next revision, with its event; False if the one before is not there any more. Raises `Taken`."""
        before = await self.find(type(thing), thing.edition_id, thing.id)
        if before is None or before.revision != thing.revision - 1:
            return False
        self._write(thing, self._store.documents[thing.id].fingerprint)
        return True

    def _write(self, thing: Thing, fingerprint: str) -> None:
        others = (document.thing() for document in self._store.documents.values() if document.kind is type(thing))
        if any(other.id != thing.id and not set(other.claims).isdisjoint(thing.claims) for other in others):
            raise Taken(thing.unique)
        self._store.documents[thing.id] = _Document(type(thing), thing.model_dump(mode="json"), fingerprint)
        self._store.events.append(thing.snapshot())

    def _own(self, kind: type[AnyThing]) -> Iterator[AnyThing]:
        for document in self._store.documents.values():
            thing = document.thing()
            if isinstance(thing, kind) and thing.operator_id == self.operator_id:
                yield thing


class InMemoryOperators:
    """Operators and their keys."""

    def __init__(self, keys: dict[str, list[Key]]) -> None:
        self._keys = keys

    async def keys(self, operator_id: str) -> Sequence[Key]:
        """An operator's keys, none of an operator that is not there."""
        return self._keys.get(operator_id, [])


def _has(thing: Thing, wanted: dict[str, str]) -> bool:
    return all(getattr(thing, name) == value for name, value in wanted.items())
