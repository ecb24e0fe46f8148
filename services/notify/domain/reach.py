"""The state of the newest mail to a participant, as the ledger tells it."""

from __future__ import annotations

from services.notify.domain.delivery import Delivery
from shared.contract.events import DeliveryState
from shared.internal_api.reach import ParticipantReach, ReachState


def reach_of(delivery: Delivery) -> ParticipantReach:
    """Return whether the newest mail of a participant's agenda was accepted.

    A ledger that was written before outcomes were kept tells no refusals: such a mail counts as accepted.
    """
    return ParticipantReach(
        participant_id=delivery.participant_id,
        state=_state(delivery),
        reason=delivery.reason,
        attempts=delivery.attempts,
        due_at=delivery.due_at,
    )


def _state(delivery: Delivery) -> ReachState:
    if delivery.is_owed:
        return ReachState.POSTPONED if delivery.attempts else ReachState.HELD
    if delivery.unconfirmed:
        return ReachState.UNCONFIRMED
    return ReachState.REFUSED if delivery.outcome is DeliveryState.FAILED else ReachState.REACHED
