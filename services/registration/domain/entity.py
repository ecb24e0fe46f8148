"""Base classes of the documents of registration, and of the request bodies that set their fields."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.names import STORED
from shared.contract.events import Event, Instant
from shared.contract.ids import Id


@dataclass(frozen=True)
class Authorship:
    """The author of a revision, the names of its changed fields, and the token that confirmed it."""

    actor: str
    changed: tuple[str, ...] = ()
    preview_token: str | None = None


BY_CLOCK: Final = Authorship("clock")


class Facts(BaseModel):
    """Fields that an operator sets, as the JSON body of a request: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def values(self) -> dict[str, Any]:
        """The fields by name, nested models unconverted."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class Revised(Protocol):
    """Anything with facts and a revision that changes are made on."""

    NOUN: ClassVar[str]

    @property
    def id(self) -> str: ...
    @property
    def revision(self) -> int: ...
    def facts(self, kind: type[Facts]) -> dict[str, Any]: ...


class Entity(BaseModel):
    """An edition, organisation, participant or match request at a revision; stored as a document."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    #: The prefix of the ids of this kind.
    PREFIX: ClassVar[str]
    #: The name of the field that holds the id.
    ID: ClassVar[str]
    #: The word for this kind in messages and in the names of collections.
    NOUN: ClassVar[str]

    operator_id: Id
    edition_id: Id
    revision: int = Field(default=1, ge=1, description="Rises by one with each change.")
    created_at: Instant
    changed_at: Instant

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> Self:
        """Read an entity from its document, without cleaning the text in it again."""
        return cls.model_validate(document, context=STORED)

    @property
    def id(self) -> str:
        """The id of the entity."""
        identifier: str = getattr(self, self.ID)
        return identifier

    @property
    def unique(self) -> str:
        """The key that no other entity of this kind may have: the id, unless the kind has a stricter key."""
        return self.id

    @property
    def identities(self) -> tuple[str, ...]:
        """The keys that no second entity of this kind may have: `unique`, and the id in the operator's own system."""
        return (self.unique,)

    @property
    def claims(self) -> tuple[str, ...]:
        """All values that no second entity of this kind may claim: the identities and, for participants, the seats."""
        return self.identities

    @property
    def search_keys(self) -> tuple[str, ...]:
        """Keys by which a search finds the entity: see `domain.names`."""
        return ()

    @property
    def is_erased(self) -> bool:
        """True if the person or the organisation was erased: its texts are gone from all places."""
        return False

    @property
    def gives_way(self) -> bool:
        """True if a second entity may take the unique key: a cancelled entity keeps its key until then."""
        return False

    @abstractmethod
    def snapshot(self) -> Event:
        """The event that publishes this revision."""

    def published(self, authorship: Authorship) -> Event:
        """The event that publishes this revision, with its author and the token that confirmed it."""
        event = self.snapshot()
        fields: dict[str, object] = {"actor": authorship.actor, "changed": authorship.changed}
        if authorship.preview_token and "preview_token" in type(event).model_fields:
            fields["preview_token"] = authorship.preview_token
        return event.model_copy(update=fields)

    def differing_fields(self, before: Entity) -> tuple[str, ...]:
        """The names of the fields that differ from an earlier revision, sorted."""
        names = type(self).model_fields.keys() - {"revision", "changed_at"}
        return tuple(sorted(name for name in names if getattr(self, name) != getattr(before, name)))

    def facts(self, kind: type[Facts]) -> dict[str, Any]:
        """The fields that the operator set, as JSON values."""
        return self.model_dump(mode="json", include=set(kind.model_fields))

    @property
    def due(self) -> datetime | None:
        """The time at which background work has to look at the entity; None: never."""
        return None

    def changed(self, now: datetime, **fields: object) -> Self:
        """Return the next revision with these fields; the entity itself if no field differs."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return self.model_copy(update={**fields, "revision": self.revision + 1, "changed_at": now})
