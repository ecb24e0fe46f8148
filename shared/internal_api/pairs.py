"""The answer of matching about a pair: its affinity, and the hindrances to an encounter."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from shared.contract.events import Consent, Reason


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
