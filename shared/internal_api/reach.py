"""The answer of notify to the question whom an edition's mails have reached. It holds no personal data."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.contract.events.core import Instant, Value
from shared.contract.ids import Id


class ReachState(StrEnum):
    """The state of a participant's newest mail.

    - `reached`: the mail server accepted it, or there was nothing new to mail.
    - `refused`: it can never be delivered. The next change of the agenda is mailed again.
    - `unconfirmed`: the mail server may have accepted it, and its answer was lost.
    - `postponed`: it was not accepted so far, and is tried again.
    - `held`: it waits for further changes, or for its turn.
    """

    REACHED = "reached"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    POSTPONED = "postponed"
    HELD = "held"


class ParticipantReach(Value):
    """The state of a participant's newest mail, with its reason, and the time of the next try."""

    participant_id: Id
    state: ReachState
    reason: str = Field(default="", description="Such as `the mail server answered 550`; empty if none is kept.")
    attempts: int = Field(default=0, description="Tries that were not accepted so far.")
    due_at: Instant | None = Field(default=None, description="Time of the next try.")
