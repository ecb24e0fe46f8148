"""What matching answers about two participants: how well they fit, and what keeps them from an encounter."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from shared.contract.events import Consent, Reason


class Hindrance(StrEnum):
    """What keeps a pair from an encounter, or the system from proposing it."""

    EDITION_UNKNOWN = "edition_unknown"
    PARTICIPANT_UNKNOWN = "participant_unknown"
    CANCELLED = "cancelled"
    SAME_ORGANISATION = "same_organisation"
    BLOCKED = "blocked"
    COMPETITORS = "competitors"
    DECLINED = "declined"
    NOTHING_IN_COMMON = "nothing_in_common"
    BELOW_LEAST_AFFINITY = "below_least_affinity"
    QUOTA_REACHED = "quota_reached"
    NOBODY_ASKED = "nobody_asked"
    ANSWER_AWAITED = "answer_awaited"


class PairAnswer(BaseModel):
    """A pair as matching sees it. `hindrances` is empty where consent is granted."""

    participant_ids: tuple[str, str]
    hindrances: tuple[Hindrance, ...]
    consent: Consent | None = Field(default=None, description="Null where nothing has been said of the pair.")
    score: float | None = Field(default=None, description="Null where it cannot be reckoned yet.")
    configuration: str | None = Field(default=None, description="What scored it.")
    least_affinity: float | None = Field(default=None, description="Proposals below this are not made.")
    reasons: tuple[Reason, ...] = ()
    low_confidence: tuple[str, ...] = ()
