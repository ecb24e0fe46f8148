"""A match request, and the one table of how its state may change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from pydantic import Field, model_validator

from services.registration.domain.entity import Entity, Facts
from services.registration.domain.errors import Conflict
from shared.contract.events import Instant, MatchRequestChanged, RequestState
from shared.contract.ids import Id


class Answer(StrEnum):
    """What can be done to a request, named as the resource that does it."""

    ACCEPTANCE = "acceptance"
    REFUSAL = "refusal"
    WITHDRAWAL = "withdrawal"
    EXPIRY = "expiry"


#: What each answer leads to, and from which states it may be given.
_TRANSITIONS: dict[Answer, tuple[RequestState, frozenset[RequestState]]] = {
    Answer.ACCEPTANCE: (RequestState.ACCEPTED, frozenset({RequestState.REQUESTED})),
    Answer.REFUSAL: (RequestState.DECLINED, frozenset({RequestState.REQUESTED})),
    Answer.WITHDRAWAL: (RequestState.WITHDRAWN, frozenset({RequestState.REQUESTED, RequestState.ACCEPTED})),
    Answer.EXPIRY: (RequestState.EXPIRED, frozenset({RequestState.REQUESTED})),
}
#: States in which a request still counts: against its requester's quota, and as the answer to asking again.
LIVE = frozenset({RequestState.REQUESTED, RequestState.ACCEPTED})


class MatchRequestFacts(Facts):
    """One participant asks to meet another; with `target_id` null, asks the system for `partners_wanted` partners."""

    requester_id: Id
    target_id: Id | None = None
    partners_wanted: int = Field(default=1, ge=1, le=20, description="For an open request: how many proposals.")
    priority: int = Field(default=2, ge=1, le=3, description="1 nice to have, 2 wanted, 3 most wanted.")

    @model_validator(mode="after")
    def _has_two_sides(self) -> Self:
        if self.requester_id == self.target_id:
            raise ValueError("a participant cannot ask to meet themselves")
        return self


class MatchRequest(MatchRequestFacts, Entity):
    """A match request as it stands at a revision."""

    PREFIX: ClassVar[str] = "req"
    ID: ClassVar[str] = "request_id"
    NOUN: ClassVar[str] = "match request"

    request_id: str
    state: RequestState = RequestState.REQUESTED
    expires_at: Instant | None = Field(default=None, description="When it expires unless answered; null: never.")

    @property
    def unique(self) -> str:
        """One request from one participant to another, unless it was withdrawn or ran out: then they may ask again."""
        if self.target_id and self.state in LIVE | {RequestState.DECLINED}:
            return f"{self.edition_id}/{self.requester_id}/{self.target_id}"
        return self.request_id

    @property
    def due(self) -> datetime | None:
        return self.expires_at if self.state is RequestState.REQUESTED else None

    def answered(self, answer: Answer, now: datetime) -> Self:
        """The request with that answer; itself if it has it already.

        Raises:
            Refused: it cannot be answered so, or not any more.
        """
        state, allowed_from = _TRANSITIONS[answer]
        if self.state is state:
            return self
        if self.target_id is None and answer in (Answer.ACCEPTANCE, Answer.REFUSAL):
            raise Conflict(f"match request {self.request_id} is open: there is nobody it was put to")
        if self.state not in allowed_from:
            raise Conflict(f"match request {self.request_id} is {self.state}: no {answer} is possible any more")
        return self.changed(now, state=state)

    def snapshot(self) -> MatchRequestChanged:
        return MatchRequestChanged(
            **self.model_dump(exclude={"created_at", "changed_at", "expires_at"}), occurred_at=self.changed_at
        )
