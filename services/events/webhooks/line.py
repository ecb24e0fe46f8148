"""The open deliveries of an endpoint in memory: which may be sent now, and at which pace. Pure."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from services.events.webhooks.delivery import ReceiverAnswer, WebhookDelivery, asked_wait

#: Failed tries in a row after which the endpoint is taken to be down, not a single message to be refused.
_DOWN_AFTER: Final = 3
_LONGEST_PAUSE: Final = timedelta(seconds=60)
#: An answer that took longer makes the endpoint a slow one.
_SLOW_SECONDS: Final = 5.0


@dataclass(frozen=True)
class OpenDelivery:
    """An open delivery. `whole` is set until its first try has failed, if the line was short when it came."""

    message_id: str
    edition_id: str
    thing: str
    due_at: datetime
    whole: WebhookDelivery | None = None

    @property
    def key(self) -> str:
        """The key of the thing among all editions."""
        return f"{self.edition_id}/{self.thing}"


def opened_of(delivery: WebhookDelivery, *, with_body: bool) -> OpenDelivery:
    """Return a new delivery as the line keeps it."""
    whole = delivery if with_body else None
    return OpenDelivery(delivery.message_id, delivery.edition_id, delivery.thing, delivery.created_at, whole)


class DeliveryLine:
    """The open deliveries, in order by thing. Only the oldest of a thing is ever handed out."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[OpenDelivery]] = {}
        self._due: list[tuple[datetime, int, str]] = []
        self._count = 0
        self._busy: set[str] = set()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    @property
    def busy(self) -> int:
        """The number of deliveries that are being sent."""
        return len(self._busy)

    def add(self, delivery: OpenDelivery) -> None:
        """Add a delivery behind all deliveries of its thing."""
        queue = self._queues.setdefault(delivery.key, deque())
        queue.append(delivery)
        if len(queue) == 1:
            self._plan(delivery.due_at, delivery.key)

    def take(self, now: datetime) -> OpenDelivery | None:
        """Return a delivery that is due, the longest due first; it is busy from now on."""
        if not self._due or self._due[0][0] > now:
            return None
        _, _, key = heapq.heappop(self._due)
        self._busy.add(key)
        return self._queues[key][0]

    def settle(self, delivery: OpenDelivery, now: datetime) -> None:
        """Remove a delivery that has ended: the next of its thing is due at once."""
        self._busy.discard(delivery.key)
        queue = self._queues[delivery.key]
        queue.popleft()
        if queue:
            self._plan(max(queue[0].due_at, now), delivery.key)
        else:
            del self._queues[delivery.key]

    def postpone(self, delivery: OpenDelivery, due_at: datetime) -> None:
        """Hand a delivery out again from a time on. Newer deliveries of its thing wait for it."""
        self._busy.discard(delivery.key)
        self._queues[delivery.key][0] = replace(delivery, whole=None)
        self._plan(due_at, delivery.key)

    def hurry(self, now: datetime) -> None:
        """Make all deliveries due that wait for another try: the endpoint answers again."""
        self._due = [(min(due_at, now), number, key) for due_at, number, key in self._due]
        heapq.heapify(self._due)

    def _plan(self, due_at: datetime, key: str) -> None:
        self._count += 1
        heapq.heappush(self._due, (due_at, self._count, key))


@dataclass
class EndpointPace:
    """The pace of an endpoint: so many messages at once; a single message, after pauses, while it fails or is slow."""

    most_at_once: int
    failures: int = 0
    is_slow: bool = False
    paused_until: datetime | None = field(default=None)

    def room(self, busy: int, now: datetime) -> int:
        """Return the number of messages that may be sent beside the messages in progress."""
        if self.paused_until is not None and now < self.paused_until:
            return 0
        most = 1 if self.is_slow or self.failures >= _DOWN_AFTER else self.most_at_once
        return max(0, most - busy)

    def note(self, answer: ReceiverAnswer, now: datetime) -> bool:
        """Note the outcome of a try. Return True if an endpoint that was down answers again."""
        was_down = self.failures >= _DOWN_AFTER
        self.is_slow = answer.status is None or answer.seconds >= _SLOW_SECONDS
        if answer.is_taken:
            self.failures, self.paused_until = 0, None
            return was_down
        self.failures += 1
        pause = asked_wait(answer, now)
        if self.failures >= _DOWN_AFTER:
            pause = max(pause, min(timedelta(seconds=2.0 ** min(self.failures - _DOWN_AFTER, 6)), _LONGEST_PAUSE))
        self.paused_until = now + pause if pause else None
        return False
