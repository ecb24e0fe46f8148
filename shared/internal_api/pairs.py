"""The answer of matching about a pair: its affinity, and the hindrances to an encounter."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, Field

from shared.contract.events import Consent, Reason
from shared.contract.ids import Id

#: Scores have four decimals.
_SCORE_STEPS: Final = 10_000


class Hindrance(StrEnum):
    """A hindrance to an encounter of a pair, or to its proposal."""

    EDITION_UNKNOWN = "edition_unknown"
    PARTICIPANT_UNKNOWN = "participant_unknown"
    CANCELLED = "cancelled"
    SAME_ORGANISATION = "same_organisation"
    BLOCKED = "blocked"
    COMPETITORS = "competitors"
    DECLINED = "declined"
    NOTHING_IN_COMMON = "nothing_in_common"
    RIVALS = "rivals"
    BELOW_LEAST_AFFINITY = "below_least_affinity"
    QUOTA_REACHED = "quota_reached"
    NOBODY_ASKED = "nobody_asked"
    ANSWER_AWAITED = "answer_awaited"
    # Values of `WaitingReason`: the scheduler has no place for the encounter of a pair that consents.
    NO_COMMON_SLOT = "no_common_slot"
    NO_SLOT_IN_ORDER = "no_slot_in_order"
    NO_TABLE = "no_table"
    AGENDAS_FULL = "agendas_full"


class PairAnswer(BaseModel):
    """A pair in the view of matching.

    With consent, `hindrances` holds the reason for which the encounter waits, and is empty if it does not wait.
    """

    participant_ids: tuple[str, str]
    hindrances: tuple[Hindrance, ...]
    consent: Consent | None = Field(default=None, description="Null if matching has not published the pair.")
    score: float | None = Field(default=None, description="Null if it cannot be computed yet.")
    configuration: str | None = Field(default=None, description="The configuration that scored the pair.")
    missing_version: str | None = Field(
        default=None,
        description="The edition's affinity version, if it is not installed: the newest installed version scores.",
    )
    least_affinity: float | None = Field(default=None, description="Pairs with a lower affinity are not proposed.")
    reasons: tuple[Reason, ...] = ()
    low_confidence: tuple[str, ...] = ()
    proposed: bool = Field(default=False, description="Whether matching proposes the pair now.")
    requested_by: tuple[str, ...] = Field(
        default=(), description="The participants who asked for the other by name, sorted."
    )


class Proposal(BaseModel):
    """A pair that matching proposes, with its score and its reasons, heaviest first."""

    pair_id: Id
    participant_ids: tuple[str, str] = Field(description="Sorted.")
    score: float
    reasons: tuple[Reason, ...]
    consent: Consent = Field(description="`pending`: an answer is awaited; `granted`: the pair gets an encounter.")
    request_ids: tuple[str, ...] = Field(description="The open requests that the pair serves; empty after a round.")
    configuration: str = Field(description="The configuration that scored the pair.")
    low_confidence: tuple[str, ...] = Field(description="Participants whose profile says too little.")

    @property
    def cursor(self) -> str:
        """The place in the list of proposals, best first: `9876-pair_1` for a score of 0.9876."""
        return f"{round(self.score * _SCORE_STEPS)}-{self.pair_id}"


class CandidatePartner(BaseModel):
    """A participant who may be met: the partner, the score of the pair and its reasons."""

    participant_id: Id
    score: float
    reasons: tuple[Reason, ...]


class ProposalPage(BaseModel):
    """A page of the proposals, best first: up to `limit` items after the cursor `after`."""

    after: str = Field(default="", pattern=r"^(\d{1,5}-[A-Za-z0-9][A-Za-z0-9_-]{0,57})?$")
    limit: int = Field(default=100, ge=1, le=1000)
    participant_id: str | None = None

    def follows(self, proposal: Proposal) -> bool:
        """Return whether a proposal comes after the cursor: it has a lower score, or the same and a later id."""
        return not self.after or _rank(proposal.cursor) > _rank(self.after)


def ranked(proposals: Iterable[Proposal], limit: int) -> list[Proposal]:
    """Return the first proposals: best first, ties by id."""
    return heapq.nsmallest(limit, proposals, key=lambda proposal: _rank(proposal.cursor))


def _rank(cursor: str) -> tuple[int, str]:
    score, _, pair_id = cursor.partition("-")
    return -int(score), pair_id
