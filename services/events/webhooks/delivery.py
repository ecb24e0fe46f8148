"""Deliveries: an event on its way to an endpoint, its tries, and the decision after a try. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import Final, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.events.item import FeedItem
from services.events.webhooks.endpoint import Endpoint
from shared.contract.ids import derived_id
from shared.internal_api.webhooks import WebhookDeliveryState, WebhookDeliveryView, WebhookTryView

#: Waits before the tries of a message: ten tries in about three days (the example of Standard Webhooks 1.0).
SCHEDULE: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
#: Part of a wait by which it is drawn longer, so that receivers are not met by all messages at once.
JITTER: Final = 0.1
#: Longest wait that a receiver may ask for.
LONGEST_RETRY_AFTER: Final = timedelta(hours=24)
#: Bytes of an answer that the log keeps.
KEPT_BYTES: Final = 1024
_MOST_TRIES_SHOWN: Final = 12
TEST_TYPE: Final = "org.tertulia.webhook.test.v1"


@dataclass(frozen=True)
class ReceiverAnswer:
    """The outcome of a request: the status and the beginning of the body; without an answer the error in words.

    `retry_after` is the header of that name, as it was sent.
    """

    seconds: float
    status: int | None = None
    body: bytes = b""
    retry_after: str = ""
    error: str = ""

    @property
    def is_taken(self) -> bool:
        """Tell whether the receiver has taken the message."""
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def reason(self) -> str:
        """The reason why the message was not taken; empty if it was."""
        if self.is_taken:
            return ""
        if self.status is None:
            return self.error
        is_redirect = HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST
        return f"the receiver answered {self.status}" + (": redirects are not followed" if is_redirect else "")


class TryVerdict(Enum):
    """The decision after a try."""

    DELIVERED = "delivered"
    RETRY = "retry"
    FAILED = "failed"
    #: The receiver wants no more messages: the endpoint is disabled, and the delivery stays open.
    GONE = "gone"


class WebhookDelivery(BaseModel):
    """A message to an endpoint. All its tries have the same id, also after the feed was made anew.

    Messages of a thing are sent in the order of `generation` and `place`.
    """

    model_config = ConfigDict(frozen=True)

    message_id: str
    webhook_id: str
    operator_id: str
    edition_id: str
    thing: str
    type: str
    event_id: str
    generation: int
    place: int
    body: str = Field(repr=False)
    created_at: datetime
    state: WebhookDeliveryState = WebhookDeliveryState.OPEN
    due_at: datetime | None = None
    #: Tries since the delivery was made or replayed, which the schedule counts.
    tries: int = 0
    tries_made: int = 0
    log: tuple[WebhookTryView, ...] = ()
    response_body: str = Field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def listed(self) -> str:
        """The place of the delivery in lists: by the time at which it was made."""
        return f"{int(self.created_at.timestamp() * 1000):013d}_{self.message_id}"

    @classmethod
    def of_item(cls, endpoint: Endpoint, item: FeedItem, place: int, now: datetime) -> Self:
        """Return the delivery of an item of the feed, due now."""
        event = orjson.loads(item.body)
        return cls(
            message_id=derived_id("msg", endpoint.webhook_id, event["id"]),
            webhook_id=endpoint.webhook_id,
            operator_id=endpoint.operator_id,
            edition_id=item.edition_id,
            thing=item.thing,
            type=item.type,
            event_id=event["id"],
            generation=endpoint.generation,
            place=place,
            body=orjson.dumps({**event, "timestamp": event["time"]}).decode(),
            created_at=now,
            due_at=now,
        )

    @classmethod
    def of_test(cls, endpoint: Endpoint, test_id: str, now: datetime) -> Self:
        """Return a test message."""
        at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        event = {
            "specversion": "1.0",
            "id": test_id,
            "source": "urn:tertulia:events",
            "type": TEST_TYPE,
            "time": at,
            "timestamp": at,
            "data": {"webhook_id": endpoint.webhook_id},
        }
        return cls(
            message_id=derived_id("msg", endpoint.webhook_id, test_id),
            webhook_id=endpoint.webhook_id,
            operator_id=endpoint.operator_id,
            edition_id="",
            thing=f"test/{test_id}",
            type=TEST_TYPE,
            event_id=test_id,
            generation=0,
            place=0,
            body=orjson.dumps(event).decode(),
            created_at=now,
            # Never taken by the worker: the request for the test sends it, once.
            state=WebhookDeliveryState.FAILED,
        )

    def after(
        self, answer: ReceiverAnswer, verdict: TryVerdict, now: datetime, due_at: datetime | None, kept: timedelta
    ) -> Self:
        """Return the delivery after a try."""
        made = WebhookTryView(at=now, status=answer.status, seconds=round(answer.seconds, 3), error=answer.reason)
        state = {
            TryVerdict.DELIVERED: WebhookDeliveryState.DELIVERED,
            TryVerdict.FAILED: WebhookDeliveryState.FAILED,
        }.get(verdict, WebhookDeliveryState.OPEN)
        is_open = state is WebhookDeliveryState.OPEN
        return self.model_copy(
            update={
                "state": state,
                "tries": self.tries + 1,
                "tries_made": self.tries_made + 1,
                "log": (*self.log, made)[-_MOST_TRIES_SHOWN:],
                "response_body": answer.body[:KEPT_BYTES].decode("utf-8", "replace"),
                "due_at": due_at if is_open else None,
                "expires_at": None if is_open else now + kept,
            }
        )

    def view(self) -> WebhookDeliveryView:
        """Return the delivery as the API shows it."""
        shown = self.model_dump(include=WebhookDeliveryView.model_fields.keys() - {"tries"})
        return WebhookDeliveryView(**shown, tries=self.log)


def verdict_of(tries_before: int, answer: ReceiverAnswer) -> TryVerdict:
    """Decide after a try that followed so many tries."""
    if answer.is_taken:
        return TryVerdict.DELIVERED
    if answer.status == HTTPStatus.GONE:
        return TryVerdict.GONE
    return TryVerdict.FAILED if tries_before + 1 >= len(SCHEDULE) else TryVerdict.RETRY


def next_try(tries_made: int, answer: ReceiverAnswer, now: datetime, drawn: float) -> datetime:
    """Return the time of the next try after so many tries; `drawn` is a number from 0 to 1."""
    wait = SCHEDULE[min(tries_made, len(SCHEDULE) - 1)] * (1 + JITTER * drawn)
    return now + max(wait, asked_wait(answer, now))


def asked_wait(answer: ReceiverAnswer, now: datetime) -> timedelta:
    """Return the wait that a receiver asks for by `Retry-After`, in seconds or as a date; zero for none."""
    text = answer.retry_after.strip()
    if answer.is_taken or not text:
        return timedelta(0)
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    if asked.tzinfo is None:
        asked = asked.replace(tzinfo=UTC)
    return min(max(asked - now, timedelta(0)), LONGEST_RETRY_AFTER)
