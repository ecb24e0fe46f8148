"""Webhooks as registration and the events service exchange them, and as the API shows them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from shared.contract.events import Instant
from shared.contract.ids import Id

#: Longest URL of a receiver.
LONGEST_URL: Final = 2000
#: Webhooks that an operator may have.
MOST_WEBHOOKS: Final = 100
#: Longest time for which an older secret signs beside its successor, in hours.
LONGEST_OVERLAP_HOURS: Final = 30 * 24


class WebhookAlgorithm(StrEnum):
    """The way in which messages are signed (Standard Webhooks 1.0)."""

    #: A shared secret, `whsec_`.
    HMAC = "hmac-sha256"
    #: A key pair: receivers get the public key, `whpk_`.
    ED25519 = "ed25519"


class WebhookDeliveryState(StrEnum):
    """The state of a delivery. `failed`: all tries were used up; a replay begins anew."""

    OPEN = "open"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDraft(BaseModel):
    """Fields of a webhook that its maker sets. `types` are full types; none means all."""

    url: str = Field(max_length=LONGEST_URL, repr=False)
    label: str = Field(max_length=200)
    edition_id: Id | None = None
    types: tuple[str, ...] = Field(default=(), max_length=20)
    is_disabled: bool = False


class NewWebhook(WebhookDraft):
    """A webhook to make. `from_start`: tell all events that the feed holds, before the events to come."""

    algorithm: WebhookAlgorithm = WebhookAlgorithm.HMAC
    from_start: bool = False


class ChangedWebhook(WebhookDraft):
    """A webhook with its fields changed, if it is at this revision."""

    revision: int


class SecretRotation(BaseModel):
    """A rotation of the secret. The older secret signs too during the overlap; none changes the algorithm."""

    overlap_hours: float = Field(ge=0, le=LONGEST_OVERLAP_HOURS)
    algorithm: WebhookAlgorithm | None = None


class Replay(BaseModel):
    """The deliveries to send again: all of a time, or a single delivery."""

    model_config = ConfigDict(populate_by_name=True)

    since: datetime | None = None
    until: datetime | None = None
    only_failed: bool = True
    message_id: Id | None = None


class WebhookView(BaseModel):
    """A webhook of an operator. Its secret is shown once, when it is made."""

    webhook_id: Id
    revision: int
    url: str = Field(description="The address that events are sent to.", repr=False)
    label: str
    edition_id: Id | None = Field(description="The only edition whose events are sent; null: all, also future.")
    types: tuple[str, ...] = Field(description="Full types of the events that are sent; empty: all.")
    is_disabled: bool
    disabled_reason: str = Field(description="Why nothing is sent; empty while events are sent.")
    disabled_at: Instant | None
    algorithm: WebhookAlgorithm
    public_keys: tuple[str, ...] = Field(description="Public keys that sign now, newest first; empty with a secret.")
    secrets_at_work: int = Field(description="Secrets that sign now: two and more during the overlap of a rotation.")
    created_at: Instant
    created_by: str
    failing_since: Instant | None = Field(description="Time of the first failed try since the last delivery.")
    last_delivered_at: Instant | None


class NewWebhookView(WebhookView):
    """A webhook with the secret that was made just now."""

    secret: str = Field(
        description="The text with which the receiver verifies: `whsec_…`, or the public key `whpk_…`. Store it now.",
        repr=False,
    )


class WebhookTryView(BaseModel):
    """A try of a delivery."""

    at: Instant
    status: int | None = Field(description="The HTTP status of the receiver's answer; null: none came.")
    seconds: float
    error: str = Field(description="Why the try failed; empty for a delivered message.")


class WebhookDeliveryView(BaseModel):
    """A message of a webhook with its tries. Kept for 30 days after its end."""

    message_id: Id = Field(description="The header `webhook-id`: the same at each try.")
    state: WebhookDeliveryState
    type: str
    edition_id: str
    thing: str = Field(description="The thing that has changed, `<topic>/<kind>/<id>`.")
    event_id: str = Field(description="The `id` of the event.")
    created_at: Instant
    due_at: Instant | None = Field(description="Time of the next try; null once it has ended.")
    tries: tuple[WebhookTryView, ...] = Field(description="The last tries, oldest first: twelve at most.")
    tries_made: int
    response_body: str = Field(description="The first KiB of the last answer.")


class WebhookDeliveries(BaseModel):
    """A page of deliveries, newest first."""

    items: list[WebhookDeliveryView]
    next: str | None = Field(description="`after` of the next page; null on the last.")


class Replayed(BaseModel):
    """The number of deliveries that are sent again."""

    deliveries: int
