"""The base of every event: a frozen snapshot of a thing in an edition, at a revision."""

from __future__ import annotations

from datetime import UTC, datetime
from operator import is_
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.contract.ids import Id, derived_id


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


#: A moment in time, always with a zone when it comes in, always UTC inside.
Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]


#: The token of the preview that confirmed a change.
PreviewToken = Annotated[
    str | None,
    Field(description="The token of the preview that confirmed the change; `*`: made whatever it moved; null: none."),
]


#: The author of a change.
Actor = Annotated[
    str | None,
    Field(
        max_length=200,
        description="The author of the change, without personal data: `key:`, `staff:`, `participant:` or `service:` "
        "and an id, or `clock`; null: not recorded.",
    ),
]
#: The names of changed fields.
ChangedFields = Annotated[
    tuple[str, ...], Field(description="Names of the fields that differ from the revision before; empty if it is new.")
]


class Value(BaseModel):
    """A frozen part of an event. Unknown fields are ignored, because a `.v1` schema may gain fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class CompactModel(BaseModel):
    """A frozen model of which a service holds thousands in memory. All its fields count as set.

    Pydantic stores the names of the fields that were set with every instance: 728 bytes for five fields, more than half
    of the memory of an edition. No code reads them.
    """

    model_config = ConfigDict(frozen=True)

    #: Pydantic assigns this at creation. The setter `is_` stores nothing, and runs without a Python frame.
    __pydantic_fields_set__ = property(lambda self: set(self.__dict__), is_)  # type: ignore[arg-type] # it returns


class Interval(Value):
    """A half-open interval of time: `starts_at` belongs to it, `ends_at` does not."""

    starts_at: Instant
    ends_at: Instant

    # A field validator: a model validator runs again wherever an instance becomes part of another model.
    @field_validator("ends_at")
    @classmethod
    def _is_not_empty(cls, ends_at: datetime, info: ValidationInfo) -> datetime:
        starts_at: datetime | None = info.data.get("starts_at")
        if starts_at is not None and ends_at <= starts_at:
            raise ValueError("ends_at must be after starts_at")
        return ends_at

    def overlaps(self, other: Interval) -> bool:
        """Tell whether the two intervals share a moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: Interval) -> bool:
        """Tell whether `other` lies within this interval."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


class Event(Value):
    """A snapshot of a thing in an edition, at a revision.

    A consumer keeps the newest revision of each thing and ignores older revisions, so duplicates and replays are
    harmless.
    """

    #: The CloudEvents `type`, and the name of the field that identifies the thing.
    TYPE: ClassVar[str]
    THING: ClassVar[str]

    operator_id: Id = Field(description="The operator (tenant) the edition belongs to.")
    edition_id: Id = Field(description="The edition; all records of an edition share a partition.")
    revision: int = Field(ge=1, description="Rises by one with each change of this thing.")
    occurred_at: Instant = Field(description="When the change was made, UTC.")

    @property
    def thing_id(self) -> str:
        """The id of the thing that changed."""
        identifier: str = getattr(self, self.THING)
        return identifier

    @property
    def thing(self) -> str:
        """The thing within its edition: `<kind>/<id>`, for example `participant/prt_1`."""
        return f"{self.THING.removesuffix('_id')}/{self.thing_id}"

    @property
    def key(self) -> str:
        """The record key, `<edition>/<kind>/<id>`. Compaction keeps the newest record of each key."""
        return f"{self.edition_id}/{self.thing}"

    @property
    def event_id(self) -> str:
        """The CloudEvents `id`: the same each time this revision is sent, so that receivers can drop repeats."""
        return derived_id("evt", self.TYPE, self.key, str(self.revision))

    def to_json(self) -> dict[str, Any]:
        """The record body as JSON values."""
        return self.model_dump(mode="json")


class AuthoredEvent(Event):
    """A snapshot with the author of its revision."""

    actor: Actor = None
    changed: ChangedFields = ()
