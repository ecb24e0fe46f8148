"""What all of registration's things share: whose they are, which revision, and their snapshot for the bus."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.names import STORED
from shared.contract.events import Event, Instant
from shared.contract.ids import Id


class Facts(BaseModel):
    """What an operator says of a thing: no unknown fields, no type guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Thing(BaseModel):
    """One document: an edition, an organisation, a participant or a match request."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    #: The prefix of its ids, the name of its id's field, and what it is called in messages.
    PREFIX: ClassVar[str]
    ID: ClassVar[str]
    NOUN: ClassVar[str]

    operator_id: Id
    edition_id: Id
    revision: int = Field(default=1, ge=1, description="Rises by one with each change.")
    created_at: Instant
    changed_at: Instant

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> Self:
        """The thing as its document in the database says."""
        return cls.model_validate(document, context=STORED)

    @property
    def id(self) -> str:
        """The thing's own id."""
        identifier: str = getattr(self, self.ID)
        return identifier

    @property
    def unique(self) -> str:
        """What no other thing of its kind may have: its own id, unless a kind says more."""
        return self.id

    @property
    def claims(self) -> tuple[str, ...]:
        """All that no other thing of its kind may have: what is unique about it, and what it holds besides."""
        return (self.unique,)

    @abstractmethod
    def snapshot(self) -> Event:
        """What the bus is told of this revision."""

    def facts(self, kind: type[Facts]) -> dict[str, Any]:
        """What its operator said of it, as JSON values."""
        return self.model_dump(mode="json", include=set(kind.model_fields))

    @property
    def due(self) -> datetime | None:
        """When something must be done about it, if ever."""
        return None

    def changed(self, now: datetime, **fields: object) -> Self:
        """The next revision with some fields changed; itself when none differs."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return self.model_copy(update={**fields, "revision": self.revision + 1, "changed_at": now})


class Refused(Exception):
    """The state of things does not allow it; the message says why."""


class NotFound(Exception):
    """There is no such thing among those of this operator; the message names it."""


class Stale(Exception):
    """The thing has changed since the revision the change was meant for."""


class KeyReused(Exception):
    """An idempotency key came again with another request."""


class Taken(Exception):
    """Another thing has this id, or what must be unique about it; the message is what is taken."""
