"""`notification.v1`: what was sent, to whom (by id), or why not."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from shared.contract.events.core import Event
from shared.contract.ids import Id


class Channel(StrEnum):
    """How a participant is told."""

    EMAIL = "email"


class DeliveryState(StrEnum):
    """What came of it. `in_doubt`: the server may or may not have taken it; `skipped`: nothing new to tell."""

    SENT = "sent"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    SKIPPED = "skipped"


class NotificationRecorded(Event):
    """A participant was told of an agenda revision, or not, and why."""

    TYPE: ClassVar[str] = "org.tertulia.notification.recorded.v1"
    THING: ClassVar[str] = "participant_id"

    participant_id: Id
    channel: Channel
    agenda_revision: int = Field(ge=1)
    state: DeliveryState
    reason: Annotated[str, StringConstraints(max_length=300)] = ""
    message_id: Annotated[str, StringConstraints(max_length=300)] | None = None
