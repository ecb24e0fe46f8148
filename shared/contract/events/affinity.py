"""`affinity.v1`: the affinity of a pair, its reasons and its consent."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import Event, Value
from shared.contract.ids import Id


class Consent(StrEnum):
    """The consent of a pair to an encounter, under the edition's consent policy."""

    GRANTED = "granted"
    PENDING = "pending"
    REFUSED = "refused"


class Origin(StrEnum):
    """The origin of a pair: a match request of a participant, or a proposal of the system."""

    REQUESTED = "requested"
    PROPOSED = "proposed"


class NeedMet(Value):
    """A need that an offer of the partner meets, by their indexes in the two profiles of `registration.v1`."""

    participant_id: Id = Field(description="The participant who has the need.")
    need: int = Field(ge=0, description="The index, from 0, among the needs of that participant.")
    offer: int = Field(ge=0, description="The index, from 0, among the offers of the partner.")
    fit: float = Field(ge=0, le=1)
    shown: bool | None = Field(
        default=None,
        description="True if the offer answers the need, so that people may read both as a reason. Null where the "
        "affinity version of the edition has no rule for it: then show a fit of .55 or more.",
    )


class Reason(Value):
    """A reason for a score: its code, its share of the score, and the terms behind it."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
    weight: float = Field(ge=0, le=1)
    detail: Annotated[str, StringConstraints(max_length=300)] = ""
    met: tuple[NeedMet, ...] = Field(
        default=(), max_length=2, description="The best-met need of each side, best first."
    )


class AffinityScored(Event):
    """The affinity of a pair, 0..1, with its reasons and its consent."""

    TYPE: ClassVar[str] = "org.tertulia.affinity.scored.v1"
    THING: ClassVar[str] = "pair_id"

    pair_id: Id
    participant_ids: tuple[Id, Id] = Field(description="Sorted.")
    request_ids: tuple[Id, ...] = Field(max_length=50, description="The match requests behind the pair, sorted.")
    origin: Origin
    consent: Consent
    score: float = Field(ge=0, le=1)
    priority: int = Field(ge=1, le=3, description="The highest of the requests'.")
    reasons: tuple[Reason, ...] = Field(default=(), max_length=20)
    configuration: str = Field(
        default="1", description="The configuration that scored the pair, and after a `+` the tier."
    )
    requested_by: tuple[Id, ...] = Field(
        default=(),
        max_length=2,
        description="The participants of the pair who asked for the other by name, sorted. Empty also in older events.",
    )
    low_confidence: tuple[Id, ...] = Field(
        default=(),
        max_length=2,
        description="The participants of the pair whose profile is too short for a confident score.",
    )
