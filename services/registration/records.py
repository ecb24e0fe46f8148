"""How one operator's things are found, made once and changed one at a time: the write path of every use case."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from services.registration.domain.bodies import Invalid
from services.registration.domain.edition import Edition
from services.registration.domain.seats import Seats
from services.registration.domain.things import Facts, KeyReused, NotFound, Refused, Stale, Taken, Thing
from shared.contract.ids import derived_id, new_id
from shared.runtime.clock import Clock

AnyThing = TypeVar("AnyThing", bound=Thing)
#: Writers that meet on one thing read it again and try once more, this often.
_ATTEMPTS = 8


class Repository(Protocol):
    """The things of one operator, as a store keeps them; `store.MongoThings` says what each call does."""

    operator_id: str

    async def find(self, kind: type[AnyThing], edition_id: str, thing_id: str) -> AnyThing | None: ...
    async def recent_edition(self, edition_id: str) -> Edition | None: ...
    async def find_many(self, kind: type[AnyThing], edition_id: str, ids: Sequence[str]) -> dict[str, AnyThing]: ...
    async def find_unique(self, kind: type[AnyThing], uniques: Sequence[str]) -> dict[str, AnyThing]: ...
    async def page(
        self, kind: type[AnyThing], edition_id: str | None, after: str, limit: int, where: dict[str, str] | None = None
    ) -> list[AnyThing]: ...
    async def live_requests(self, edition_id: str, requester_id: str) -> int: ...
    async def attending(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]: ...
    async def fingerprint(self, kind: type[Thing], edition_id: str, thing_id: str) -> str | None: ...
    async def insert(self, thing: Thing, fingerprint: str) -> None: ...
    async def replace(self, thing: Thing) -> bool: ...


class UnitOfWork:
    """One operator's things."""

    def __init__(self, things: Repository, clock: Clock) -> None:
        self.things = things
        self.clock = clock

    async def get(self, kind: type[AnyThing], edition_id: str, thing_id: str) -> AnyThing:
        """A thing of an edition.

        Raises:
            NotFound: there is none, or it is another operator's: the same, word for word.
        """
        thing = await self.things.find(kind, edition_id, thing_id)
        if thing is None:
            raise NotFound(f"there is no such {kind.NOUN}")
        return thing

    async def create(
        self,
        kind: type[AnyThing],
        edition_id: str | None,
        facts: Facts,
        key: str | None,
        make: Callable[[str], Awaitable[AnyThing]],
    ) -> AnyThing:
        """Write what `make` makes of a new id, once: with an idempotency key the id follows from the key.

        A repeat finds the id taken, or is refused for what the first one did, and answers with what the first one made.

        Raises:
            KeyReused: the key was used for other facts.
            Refused: what must be unique is another's; and what `make` raises.
        """
        fingerprint = _fingerprint(facts)
        thing_id = self.new_id(kind, edition_id, key)
        try:
            return await self.insert(lambda: make(thing_id), fingerprint)
        except (Invalid, NotFound, Refused):
            earlier = await self.things.fingerprint(kind, edition_id or thing_id, thing_id) if key else None
            if earlier is None:
                raise
            if earlier != fingerprint:
                raise KeyReused(f"this Idempotency-Key made {kind.NOUN} {thing_id} from another body") from None
            return await self.get(kind, edition_id or thing_id, thing_id)

    async def insert(self, make: Callable[[], Awaitable[AnyThing]], fingerprint: str = "") -> AnyThing:
        """Write the new thing that `make` makes; it is made again when a seat it was given has gone to another.

        Raises:
            Refused: what must be unique is another's, or too many want seats at once; and what `make` raises.
        """
        for _ in range(_ATTEMPTS):
            thing = await make()
            try:
                await self.things.insert(thing, fingerprint)
            except Taken as taken:
                await self._must_be_a_seat(thing, taken, is_new=True)
            else:
                return thing
        raise Refused("too many ask for the same seats at once: try again")

    async def amend(
        self,
        kind: type[AnyThing],
        edition_id: str,
        thing_id: str,
        change: Callable[[AnyThing], Awaitable[AnyThing]],
        revisions: Sequence[int] = (),
    ) -> AnyThing:
        """Write what `change` makes of a thing, or nothing if it makes nothing of it.

        Raises:
            NotFound: there is no such thing.
            Stale: it is at none of `revisions`, if any are given.
            Refused: what must be unique is another's, or too many changed it at once; and what `change` raises.
        """
        for _ in range(_ATTEMPTS):
            thing = await self.get(kind, edition_id, thing_id)
            if revisions and thing.revision not in revisions:
                raise Stale(f"{kind.NOUN} {thing_id} is at revision {thing.revision}")
            changed = await change(thing)
            if changed is thing or await self._replace(changed):
                return changed
        raise Refused(f"{kind.NOUN} {thing_id} is being changed by others: read it again, then try again")

    def new_id(self, kind: type[Thing], edition_id: str | None = None, key: str | None = None) -> str:
        """A random id, or with an idempotency key the one that follows from operator, edition and key."""
        if key is None:
            return new_id(kind.PREFIX)
        parts = (self.things.operator_id, edition_id) if edition_id else (self.things.operator_id,)
        return derived_id(kind.PREFIX, *parts, key)

    async def _replace(self, thing: Thing) -> bool:
        try:
            return await self.things.replace(thing)
        except Taken as taken:
            await self._must_be_a_seat(thing, taken, is_new=False)
            return False

    async def _must_be_a_seat(self, thing: Thing, taken: Taken, *, is_new: bool) -> None:
        """Raise `Refused` if more than a seat is another's; say whose, which is what an integration needs to go on."""
        other = (await self.things.find_unique(type(thing), [thing.unique])).get(thing.unique)
        if other is not None and (is_new or other.id != thing.id):
            raise Refused(f"the same is registered already, as {thing.NOUN} {other.id}") from taken
        if thing.claims == (thing.unique,):
            raise Refused(f"the same {thing.NOUN} is registered already") from taken


def _fingerprint(facts: Facts) -> str:
    # Only what was said: a default that a later version adds must not make a repeat another request.
    return hashlib.sha256(facts.model_dump_json(exclude_unset=True).encode()).hexdigest()
