"""The event that notify publishes."""

from __future__ import annotations

from datetime import datetime

from services.notify.domain.delivery import Delivery, Mailing
from shared.contract.events import Channel, DeliveryState, NotificationRecorded


def notification_of(
    delivery: Delivery, state: DeliveryState, mailing: Mailing, now: datetime, reason: str = ""
) -> NotificationRecorded:
    """Return the `notification.v1` of a delivery that was just settled or resolved."""
    return NotificationRecorded(
        operator_id=delivery.operator_id,
        edition_id=delivery.edition_id,
        revision=delivery.recorded,
        occurred_at=now,
        participant_id=delivery.participant_id,
        channel=Channel.EMAIL,
        agenda_revision=mailing.agenda_revision,
        state=state,
        reason=reason[:300],
        message_id=mailing.message_id if state in {DeliveryState.SENT, DeliveryState.IN_DOUBT} else None,
    )
