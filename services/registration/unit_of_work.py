"""The write path of every use case: an entity is created once, and changed by optimistic concurrency."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol, TypedDict

from services.registration.ceilings import Room, unbounded
from services.registration.domain.entity import Authorship, Entity, Facts, Revised
from services.registration.domain.errors import (
    CeilingReached,
    ChangedMeanwhile,
    Conflict,
    IfMatchRequired,
    Invalid,
    KeyReused,
    NotFound,
    NotUnique,
    Stale,
)
from services.registration.ports import AnyEntity, Repository
from shared.access import CLOCK, Principal
from shared.contract.ids import derived_id, new_id
from shared.runtime.clock import Clock

#: Tries of a new entity that loses its seats to concurrent requests.
_INSERT_ATTEMPTS = 8
#: Tries of a change that loses to concurrent changes of the same entity: a dozen clients may change an edition at once.
_AMEND_ATTEMPTS = 16
#: Longest pause after the first lost change. It doubles with each further loss, up to the longest pause of all.
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.02, 1.0
#: The revisions that `If-Match` allows; empty: any; None: the header is missing.
Revisions = Sequence[int] | None


class Stamp(TypedDict):
    """The fields of a new entity that no operator sets."""

    operator_id: str
    edition_id: str
    created_at: datetime
    changed_at: datetime


class Gate(Protocol):
    """Admits changes of entities. `token` is the confirmation of their sender; a dry run admits none."""

    dry_run: bool
    token: str | None

    async def admits(self, before: Entity | None, after: Entity) -> bool:
        """Tell whether a new entity, or the next revision, is to be written; see `change_gate.ChangeGate`."""
        ...

    async def passed(self, before: Entity | None, after: Entity) -> None:
        """Note that the next revision of an entity was written, or a new entity."""
        ...


class _OpenGate:
    """Admits all changes: of imports, of the clock and of background work."""

    dry_run = False
    token: str | None = None

    async def admits(self, before: Entity | None, after: Entity) -> bool:  # noqa: ARG002 - as `Gate`
        return True

    async def passed(self, before: Entity | None, after: Entity) -> None:
        pass


class UnitOfWork:
    """Reads, creates and changes the entities of an operator for a principal. Changes pass the `gate`."""

    def __init__(
        self, repository: Repository, clock: Clock, room: Room = unbounded, principal: Principal = CLOCK
    ) -> None:
        self.repository = repository
        self.clock = clock
        self.principal = principal
        self.gate: Gate = _OpenGate()
        #: Cancelled entities that have given their unique key up in this unit of work.
        self.given_way: list[Entity] = []
        self._room = room

    def stamp(self, edition_id: str) -> Stamp:
        """Return the operator, edition and times of an entity that is created now."""
        now = self.clock()
        return {
            "operator_id": self.repository.operator_id,
            "edition_id": edition_id,
            "created_at": now,
            "changed_at": now,
        }

    async def get(self, kind: type[AnyEntity], edition_id: str, entity_id: str) -> AnyEntity:
        """Read an entity of an edition.

        Raises:
            NotFound: it does not exist, or belongs to another operator. The message is the same for both.
        """
        entity = await self.repository.find(kind, edition_id, entity_id)
        if entity is None:
            raise NotFound(f"there is no such {kind.NOUN}")
        return entity

    async def create(
        self,
        kind: type[AnyEntity],
        edition_id: str | None,
        facts: Facts,
        key: str | None,
        build: Callable[[str], Awaitable[AnyEntity]],
    ) -> AnyEntity:
        """Write the entity that `build` returns for a new id. With an idempotency key the id follows from the key.

        A repeated request finds the id in use, or fails where the first request succeeded. Both cases return the
        entity that the first request created.

        Raises:
            KeyReused: the key was used for other facts.
            Conflict: a unique value is in use; and the errors of `build`.
        """
        fingerprint = _fingerprint(facts)
        entity_id = self.new_id(kind, edition_id, key)
        try:
            return await self.insert(lambda: build(entity_id), fingerprint)
        except (Invalid, NotFound, Conflict):
            earlier = await self.repository.fingerprint(kind, edition_id or entity_id, entity_id) if key else None
            if earlier is None:
                raise
            if earlier != fingerprint:
                raise KeyReused(f"this Idempotency-Key made {kind.NOUN} {entity_id} from another body") from None
            return await self.get(kind, edition_id or entity_id, entity_id)

    async def insert(self, build: Callable[[], Awaitable[AnyEntity]], fingerprint: str = "") -> AnyEntity:
        """Write the entity that `build` returns.

        Build it again if a concurrent request has taken one of its seats, or a cancelled entity has given up its key.

        Raises:
            CeilingReached: the operator may have no more entities of this kind.
            Conflict: a unique value is in use, or too many requests want seats at once; and the errors of `build`.
        """
        for _ in range(_INSERT_ATTEMPTS):
            entity = await build()
            try:
                if not await self.gate.admits(None, entity):
                    return await self._free(entity)
                async with self._room(self.repository, type(entity), 1):
                    await self.repository.insert(entity, fingerprint, Authorship(self.principal.actor))
            except ChangedMeanwhile:
                continue
            except NotUnique as error:
                await self._raise_unless_a_retry_may_succeed(entity, error, is_new=True)
            else:
                await self.gate.passed(None, entity)
                return entity
        raise Conflict("too many ask for the same seats at once: try again")

    async def insert_all(self, entities: Sequence[AnyEntity]) -> dict[str, Conflict]:
        """Write new entities of a kind at once. Return the obstacles of entities that are not written, by id."""
        try:
            async with self._room(self.repository, type(entities[0]), len(entities)):
                left = await self.repository.insert_all(entities, Authorship(self.principal.actor))
        except CeilingReached:
            left = list(entities)
        refused = {entity.id for entity in left}
        for entity in entities:
            if entity.id not in refused:
                await self.gate.passed(None, entity)
        conflicts = {}
        for entity in left:
            try:
                await self.insert(partial(_as_built, entity))
            except Conflict as conflict:
                conflicts[entity.id] = conflict
        return conflicts

    async def amend(
        self,
        kind: type[AnyEntity],
        edition_id: str,
        entity_id: str,
        change: Callable[[AnyEntity], Awaitable[AnyEntity]],
        revisions: Revisions = (),
    ) -> AnyEntity:
        """Write the entity that `change` returns; nothing if `change` returns its argument, or in a dry run.

        Raises:
            PreviewRequired, PreviewStale, ServiceUnavailable: as the gate raises them.
            NotFound: there is no such entity.
            IfMatchRequired: `revisions` is None.
            Stale: `revisions` is not empty and does not hold the present revision.
            Conflict: a unique value is in use, or too many requests change the entity; and the errors of `change`.
        """
        for attempt in range(_AMEND_ATTEMPTS):
            entity = await self.get(kind, edition_id, entity_id)
            must_match(entity, revisions)
            changed = await change(entity)
            if changed is entity or await self._admitted(entity, changed):
                return changed
            # Spread the requests that lost, so that they do not all meet again.
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - guards nothing
        raise Conflict(f"{kind.NOUN} {entity_id} is being changed by others: read it again, then try again")

    def new_id(self, kind: type[Entity], edition_id: str | None = None, key: str | None = None) -> str:
        """Return a random id; with an idempotency key, the id that follows from operator, edition and key."""
        if key is None:
            return new_id(kind.PREFIX)
        parts = (self.repository.operator_id, edition_id) if edition_id else (self.repository.operator_id,)
        return derived_id(kind.PREFIX, *parts, key)

    async def _admitted(self, before: Entity, after: Entity) -> bool:
        """Pass the gate, and write the next revision unless it is a dry run; False if the entity has changed."""
        try:
            if not await self.gate.admits(before, after):
                return True
        except ChangedMeanwhile:
            return False
        if not await self._replace(before, after):
            return False
        await self.gate.passed(before, after)
        return True

    async def _replace(self, before: Entity, entity: Entity) -> bool:
        authorship = Authorship(self.principal.actor, entity.differing_fields(before), self.gate.token)
        try:
            return await self.repository.replace(entity, authorship)
        except NotUnique as error:
            await self._raise_unless_a_retry_may_succeed(entity, error, is_new=False)
            return False

    async def _free(self, entity: AnyEntity) -> AnyEntity:
        """Return a new entity of a dry run. Raises `Conflict` if its unique key is in use."""
        holder = (await self.repository.find_unique(type(entity), [entity.unique])).get(entity.unique)
        if holder is not None and not holder.gives_way:
            raise Conflict(_taken(entity, holder))
        return entity

    async def _raise_unless_a_retry_may_succeed(self, entity: Entity, error: NotUnique, *, is_new: bool) -> None:
        """Raise `Conflict` if a key of the entity is in use; the message names its holder, for integrations to go on.

        A cancelled holder gives the key up. A seat that is taken may be had elsewhere.
        """
        found = (await self.repository.find_unique(type(entity), entity.identities)).values()
        holders = [holder for holder in found if is_new or holder.id != entity.id]
        giving_way = next((holder for holder in holders if holder.id != entity.id and holder.gives_way), None)
        if giving_way is not None:
            await self.repository.release(giving_way)
            self.given_way.append(giving_way)
            return
        if holders:
            raise Conflict(_taken(entity, holders[0])) from error
        if entity.claims == entity.identities:
            raise Conflict(f"the same {entity.NOUN} is registered already") from error


async def _as_built(entity: AnyEntity) -> AnyEntity:
    return entity


def _taken(entity: Entity, holder: Entity) -> str:
    if holder.unique == entity.unique:
        return f"the same is registered already, as {entity.NOUN} {holder.id}"
    external_id = getattr(entity, "external_id", None)
    return f"external_id {external_id!r} is that of {entity.NOUN} {holder.id} already: an id stands for one of them"


def must_match(entity: Revised, revisions: Revisions) -> None:
    """Return if `If-Match` allows the present revision. Raises `IfMatchRequired` and `Stale`."""
    if revisions is None:
        raise IfMatchRequired(
            f'send If-Match with the ETag of the {entity.NOUN} that you read, now "{entity.revision}"; '
            "* makes the change whatever has changed meanwhile",
            entity.revision,
        )
    if revisions and entity.revision not in revisions:
        raise Stale(f"{entity.NOUN} {entity.id} is at revision {entity.revision}", entity.revision)


def _fingerprint(facts: Facts) -> str:
    # Only the fields that were sent: a default that a later version adds must not make a repeat another request.
    return hashlib.sha256(facts.model_dump_json(exclude_unset=True).encode()).hexdigest()
