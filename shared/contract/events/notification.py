"""`notification.v1`: the outcome of notifications, with the participant's id."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import Event
from shared.contract.ids import Id


class Channel(StrEnum):
    """The channel of a notification."""

    EMAIL = "email"


class DeliveryState(StrEnum):
    """The outcome of a notification.

    `in_doubt`: the mail server may or may not have accepted the mail. `skipped`: the agenda has no news for the
    participant.
    """

    SENT = "sent"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SKIPPED = "skipped"


class NotificationRecorded(Event):
    """A participant was notified of an agenda revision, or was not, for a reason."""

    TYPE: ClassVar[str] = "org.tertulia.notification.recorded.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    channel: Channel
    agenda_revision: int = Field(ge=1)
    state: DeliveryState
    reason: Annotated[str, StringConstraints(max_length=300)] = ""
    message_id: Annotated[str, StringConstraints(max_length=300)] | None = None
