"""Erasures: the ids of erased parties, kept apart from the parties, so that a restored backup can be erased again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from services.registration.amendment_store import AmendmentStore
from services.registration.domain.entity import Entity
from services.registration.ports import EntityStore
from shared.contract.events import Instant
from shared.contract.ids import Id

#: Time after which an erasure is carried out again. By then no process still sends an event of before: it could follow
#: the event of the erasure, and compaction would keep its texts.
CARRIED_OUT_AGAIN_AFTER: Final = timedelta(minutes=10)


class Erasure(BaseModel):
    """The erasure of a party. It holds ids only, and is kept for ever."""

    model_config = ConfigDict(frozen=True)

    operator_id: Id
    edition_id: Id
    kind: str = Field(description="`organisation` or `participant`.")
    entity_id: Id
    erased_at: Instant
    due: Instant | None = Field(description="Time at which it is carried out again; null: it is done.")

    @property
    def path(self) -> str:
        """The key of the erasure: operator, edition, kind and id."""
        return f"{self.operator_id}/{self.edition_id}/{self.kind}/{self.entity_id}"

    @classmethod
    def of(cls, party: Entity, now: datetime) -> Erasure:
        """Return the erasure of a party, to be carried out now and once again."""
        return cls(
            operator_id=party.operator_id,
            edition_id=party.edition_id,
            kind=party.NOUN,
            entity_id=party.id,
            erased_at=now,
            due=now + CARRIED_OUT_AGAIN_AFTER,
        )


@dataclass(frozen=True)
class ErasureStores:
    """The stores of all operators that an erasure reaches."""

    entities: EntityStore
    erasures: Erasures
    amendments: AmendmentStore


class Erasures(Protocol):
    """The erasures of all operators: see `erasure_store`."""

    async def add(self, erasure: Erasure) -> None:
        """Write an erasure; a known erasure is carried out again at the new time."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[Erasure]:
        """List erasures to be carried out again, the longest due first."""
        ...

    async def all(self) -> Sequence[Erasure]:
        """List all erasures, by key."""
        ...

    async def done(self, erasure: Erasure) -> None:
        """Note that an erasure was carried out again."""
        ...
