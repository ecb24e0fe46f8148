"""A match request, and the table of its state transitions."""

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
    """An answer to a request, named after the HTTP resource of the answer."""

    ACCEPTANCE = "acceptance"
    REFUSAL = "refusal"
    RETRACTION = "retraction"
    WITHDRAWAL = "withdrawal"
    EXPIRY = "expiry"


#: The state that an answer leads to, and the states in which it may be given.
_TRANSITIONS: dict[Answer, tuple[RequestState, frozenset[RequestState]]] = {
    Answer.ACCEPTANCE: (RequestState.ACCEPTED, frozenset({RequestState.REQUESTED})),
    Answer.REFUSAL: (RequestState.DECLINED, frozenset({RequestState.REQUESTED})),
    # The target takes the acceptance back: the pair has no encounter any more.
    Answer.RETRACTION: (RequestState.DECLINED, frozenset({RequestState.ACCEPTED})),
    Answer.WITHDRAWAL: (RequestState.WITHDRAWN, frozenset({RequestState.REQUESTED, RequestState.ACCEPTED})),
    Answer.EXPIRY: (RequestState.EXPIRED, frozenset({RequestState.REQUESTED})),
}
#: States in which a request counts towards the quota of its requester and prevents a second request.
LIVE = frozenset({RequestState.REQUESTED, RequestState.ACCEPTED})


class OwnRequestFacts(Facts):
    """A request to meet a participant; with `target_id` null, a request for `partners_wanted` proposed partners."""

    target_id: Id | None = None
    partners_wanted: int = Field(
        default=1, ge=1, le=20, description="Number of proposals, for a request without a target."
    )
    priority: int = Field(default=2, ge=1, le=3, description="1 nice to have, 2 wanted, 3 most wanted.")


class MatchRequestFacts(OwnRequestFacts):
    """A request of a participant to meet another participant, or for proposed partners."""

    requester_id: Id

    @model_validator(mode="after")
    def _has_two_sides(self) -> Self:
        if self.requester_id == self.target_id:
            raise ValueError("a participant cannot ask to meet themselves")
        return self


def pair_key(edition_id: str, requester_id: str, target_id: str) -> str:
    """Return the unique key of a live or declined request of a participant to another participant."""
    return f"{edition_id}/{requester_id}/{target_id}"


class MatchRequest(MatchRequestFacts, Entity):
    """A match request at a revision."""

    PREFIX: ClassVar[str] = "req"
    ID: ClassVar[str] = "request_id"
    NOUN: ClassVar[str] = "match request"

    request_id: str
    state: RequestState = RequestState.REQUESTED
    expires_at: Instant | None = Field(
        default=None, description="Time at which an unanswered request expires; null: never."
    )

    @property
    def unique(self) -> str:
        """The pair of requester and target: a second request is refused until the first is withdrawn or expires.

        A declined request gives the pair up once its target asks the requester (`MatchRequestService.create`).
        """
        if self.target_id and self.state in LIVE | {RequestState.DECLINED}:
            return pair_key(self.edition_id, self.requester_id, self.target_id)
        return self.request_id

    @property
    def due(self) -> datetime | None:
        return self.expires_at if self.state is RequestState.REQUESTED else None

    def side_of(self, answer: Answer) -> str | None:
        """Return the participant who may give an answer: the requester withdraws, the target does all else."""
        return self.requester_id if answer is Answer.WITHDRAWAL else self.target_id

    def answered(self, answer: Answer, now: datetime) -> Self:
        """Return the request with that answer; itself if it has the answer already.

        Raises:
            Refused: the request, in its state, takes no such answer.
        """
        state, allowed_from = _TRANSITIONS[answer]
        if self.state is state:
            return self
        if self.target_id is None and answer in (Answer.ACCEPTANCE, Answer.REFUSAL, Answer.RETRACTION):
            raise Conflict(f"match request {self.request_id} is open: there is nobody it was put to")
        if self.state not in allowed_from:
            raise Conflict(f"match request {self.request_id} is {self.state}: no {answer} is possible any more")
        return self.changed(now, state=state)

    def snapshot(self) -> MatchRequestChanged:
        return MatchRequestChanged(
            **self.model_dump(exclude={"created_at", "changed_at", "expires_at"}), occurred_at=self.changed_at
        )
