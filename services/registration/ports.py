"""Protocols of the stores that the use cases and the authenticator need."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from pydantic import BaseModel, Field

from services.registration.domain.edition import Edition
from services.registration.domain.entity import BY_CLOCK, Authorship, Entity
from services.registration.domain.participant import Participant
from services.registration.domain.seats import Line, Seats
from services.registration.keys import OperatorKey
from shared.access import Principal
from shared.contract.events import Instant

AnyEntity = TypeVar("AnyEntity", bound=Entity)


@dataclass(frozen=True)
class KeyBeginning:
    """A condition of `Repository.page` for `search_keys`: a key of the entity begins so."""

    text: str


#: Conditions of a query, all of which hold: the wanted values of fields.
Where = Mapping[str, object] | None


class Revision(BaseModel):
    """A revision of an entity, with its author and the names of the fields that it changed."""

    revision: int
    at: Instant
    actor: str = Field(description="`key:`, `staff:`, `participant:` or `service:` and an id, or `clock`.")
    changed: tuple[str, ...] = Field(description="Empty for the first revision.")

    @classmethod
    def of(cls, entity: Entity, authorship: Authorship) -> Revision:
        """Return the record of a revision that is written now."""
        return cls(revision=entity.revision, at=entity.changed_at, actor=authorship.actor, changed=authorship.changed)


class Repository(Protocol):
    """The entities of an operator; `store.MongoRepository` documents each call."""

    operator_id: str

    async def find(self, kind: type[AnyEntity], edition_id: str, entity_id: str) -> AnyEntity | None: ...
    async def recent_edition(self, edition_id: str) -> Edition | None: ...
    async def find_many(self, kind: type[AnyEntity], edition_id: str, ids: Sequence[str]) -> dict[str, AnyEntity]: ...
    async def find_unique(self, kind: type[AnyEntity], uniques: Sequence[str]) -> dict[str, AnyEntity]: ...
    async def page(
        self,
        kind: type[AnyEntity],
        edition_id: str | None,
        after: str,
        limit: int,
        where: Where = None,
    ) -> list[AnyEntity]: ...
    def all_of(self, kind: type[AnyEntity], edition_id: str, where: Where = None) -> AsyncIterator[AnyEntity]: ...
    async def count_live_requests(self, edition_id: str, requester_id: str) -> int: ...
    async def lines(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Line]: ...
    async def seats_taken(self, edition_id: str, session_ids: Sequence[str]) -> dict[str, Seats]: ...
    async def with_availability(self, edition_id: str) -> list[Participant]: ...
    async def settle(self, edition: Edition) -> None: ...
    async def attended(self, edition_id: str) -> dict[str, list[str]]: ...
    async def delegations(self, edition_id: str) -> set[str]: ...
    async def count(self, kind: type[Entity]) -> int: ...
    async def fingerprint(self, kind: type[Entity], edition_id: str, entity_id: str) -> str | None: ...
    async def insert(self, entity: Entity, fingerprint: str, authorship: Authorship = BY_CLOCK) -> None: ...
    async def insert_all(self, entities: Sequence[AnyEntity], authorship: Authorship = BY_CLOCK) -> list[AnyEntity]: ...
    async def replace(self, entity: Entity, authorship: Authorship = BY_CLOCK) -> bool: ...
    async def history(self, kind: type[Entity], edition_id: str, entity_id: str) -> list[Revision]: ...
    async def release(self, entity: Entity) -> None: ...


class EntityStore(Protocol):
    """The entities of all operators; `store.MongoStore` documents each call."""

    def of(self, operator_id: str) -> Repository: ...
    async def overdue(self, kind: type[AnyEntity], now: datetime, limit: int) -> list[AnyEntity]: ...
    async def editions_with_lines(self) -> list[tuple[str, str]]: ...
    async def end_lines(self, operator_id: str, edition_id: str) -> None: ...


class AffinityVersions(Protocol):
    """The affinity versions of an installation; see `affinity_versions`."""

    async def installed(self) -> Sequence[str]:
        """Return the installed versions. Raises `ServiceUnavailable`."""
        ...


class OperatorOverrides(Protocol):
    """The limits of operators that differ from the settings."""

    async def limits(self, operator_id: str) -> Mapping[str, float]:
        """Return an operator's own limits by name; none if there is no such operator."""
        ...


class OperatorKeys(Protocol):
    """The API keys of all operators."""

    async def keys(self, operator_id: str) -> Sequence[OperatorKey]:
        """List an operator's keys; none if there is no such operator."""
        ...

    async def all_keys(self, most: int) -> Mapping[str, Sequence[OperatorKey]]:
        """Return the keys of at most `most` operators, by operator id."""

    async def change_keys(
        self, operator_id: str, change: Callable[[Sequence[OperatorKey]], Sequence[OperatorKey]]
    ) -> Sequence[OperatorKey]:
        """Write the keys that `change` returns for the present keys, and return them. Raises `NotFound`."""
        ...

    async def last_uses(self, operator_id: str, key_ids: Sequence[str]) -> dict[str, datetime]:
        """Return the times of the last uses of keys, by id."""
        ...

    async def note_use(self, operator_id: str, key_id: str, at: datetime) -> None:
        """Write the time of the last use of a key."""


class Authenticating(Protocol):
    """Finds the principal of a credential; `authenticator.Authenticator` documents each call."""

    async def principal_of(self, presented: str, address: str = "") -> Principal: ...
    def known_operator(self, presented: str) -> str | None: ...
    def early_refusal(self, address: str) -> Exception | None: ...
    async def read_again(self, operator_id: str) -> None: ...
