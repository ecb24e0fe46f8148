"""How one operator's things are found, made once and changed one at a time: the write path of every use case."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from services.registration.domain.bodies import Invalid
from services.registration.domain.edition import Edition
from services.registration.domain.things import Facts, KeyReused, NotFound, Refused, Stale, Taken, Thing
from shared.clock import Clock
from shared.ids import derived_id, new_id

AnyThing = TypeVar("AnyThing", bound=Thing)
#: Writers that meet on one thing read it again and try once more, this often.
_ATTEMPTS = 8


class Things(Protocol):
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
    async def fingerprint(self, kind: type[Thing], edition_id: str, thing_id: str) -> str | None: ...
    async def insert(self, thing: Thing, fingerprint: str) -> None: ...
    async def replace(self, thing: Thing) -> bool: ...


class Records:
    """One operator's things."""

    def __init__(self, things: Things, clock: Clock) -> None:
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
            thing = await make(thing_id)
            await self.insert(thing, fingerprint)
        except (Invalid, NotFound, Refused):
            earlier = await self.things.fingerprint(kind, edition_id or thing_id, thing_id) if key else None
            if earlier is None:
                raise
            if earlier != fingerprint:
                raise KeyReused(f"this Idempotency-Key made {kind.NOUN} {thing_id} from another body") from None
            return await self.get(kind, edition_id or thing_id, thing_id)
        return thing

    async def insert(self, thing: Thing, fingerprint: str = "") -> None:
        """Write a new thing. Raises `Refused` when what must be unique about it is another's."""
        try:
            await self.things.insert(thing, fingerprint)
        except Taken as taken:
            raise await self._refusal(type(thing), thing.unique) from taken

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
            raise await self._refusal(type(thing), thing.unique) from taken

    async def _refusal(self, kind: type[Thing], unique: str) -> Refused:
        """Who has it already: what an integration needs to go on."""
        for other in (await self.things.find_unique(kind, [unique])).values():
            return Refused(f"the same is registered already, as {kind.NOUN} {other.id}")
        return Refused(f"the same {kind.NOUN} is registered already")


def _fingerprint(facts: Facts) -> str:
    # Only what was said: a default that a later version adds must not make a repeat another request.
    return hashlib.sha256(facts.model_dump_json(exclude_unset=True).encode()).hexdigest()
