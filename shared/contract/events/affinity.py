"""`affinity.v1`: how well a pair fits, why, and whether both sides want it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import Event, Value
from shared.contract.ids import Id


class Consent(StrEnum):
    """Whether the pair may be given an encounter, under the edition's consent policy."""

    GRANTED = "granted"
    PENDING = "pending"
    REFUSED = "refused"


class Origin(StrEnum):
    """Whether one of the pair asked for the other, or the system proposed them."""

    REQUESTED = "requested"
    PROPOSED = "proposed"


class NeedMet(Value):
    """A need that an offer of the other meets, by their places in the two profiles as `registration.v1` has them."""

    participant_id: Id = Field(description="Who needs it.")
    need: int = Field(ge=0, description="The place, from 0, among the needs of that participant.")
    offer: int = Field(ge=0, description="The place, from 0, among the offers of the other.")
    fit: float = Field(ge=0, le=1)


class Reason(Value):
    """One reason for a score: what it is, how much of the score it makes, and the terms behind it."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
    weight: float = Field(ge=0, le=1)
    detail: Annotated[str, StringConstraints(max_length=300)] = ""
    met: tuple[NeedMet, ...] = Field(
        default=(), max_length=2, description="Of each side the need best met, best first."
    )


class AffinityScored(Event):
    """A pair's affinity, 0..1, with its reasons and its consent."""

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
    configuration: str = Field(default="1", description="Which configuration scored it, and after a `+` which tier.")
    low_confidence: tuple[Id, ...] = Field(
        default=(), max_length=2, description="Those of the two of whom too little is known to tell."
    )
