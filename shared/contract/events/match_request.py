"""`match-request.v1`: match requests and their states."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from shared.contract.events.core import AuthoredEvent
from shared.contract.ids import Id


class RequestState(StrEnum):
    """The state of a match request. Only a request in state `requested` can be answered."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class MatchRequestChanged(AuthoredEvent):
    """A participant asked to meet a partner, or, with `target_id` None, asked the system to propose partners."""

    TYPE: ClassVar[str] = "org.tertulia.match-request.changed.v1"
    THING: ClassVar[str] = "request_id"

    request_id: Id
    requester_id: Id
    target_id: Id | None = None
    partners_wanted: int = Field(
        default=1, ge=1, le=20, description="For an open request: the number of proposals asked for."
    )
    priority: int = Field(default=2, ge=1, le=3, description="1 nice to have, 2 wanted, 3 most wanted.")
    state: RequestState

    @model_validator(mode="after")
    def _has_two_sides(self) -> Self:
        if self.requester_id == self.target_id:
            raise ValueError("a participant cannot ask to meet themselves")
        return self
