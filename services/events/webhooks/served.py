"""An endpoint that this process serves: its line, its pace, and the outcomes of its tries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.events.webhooks.delivery import TryVerdict
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.line import DeliveryLine, EndpointPace, OpenDelivery
from services.events.webhooks.sender import TriedDelivery
from shared.runtime.log import get_logger
from shared.storage.mongo import EVER

_log = get_logger(__name__)


@dataclass
class Served:
    """An endpoint that this process serves."""

    endpoint: Endpoint
    pace: EndpointPace
    line: DeliveryLine = field(default_factory=DeliveryLine)
    #: The line has to be read from the database before it is used.
    is_stale: bool = True
    #: More open deliveries are in the database than in the line.
    is_partial: bool = False
    is_unwritten: bool = False
    is_gone: bool = False
    seen: int = -1
    read_at: datetime = EVER

    def read_anew(self, stored: Endpoint) -> None:
        """Take over what registration's requests have changed. The rest is newer in memory."""
        before = self.endpoint
        ours = {"read_to", "generation", "last_delivered_at", "failing_since"}
        if before.is_disabled and not stored.is_disabled:
            ours.remove("failing_since")
            self.pace = EndpointPace(self.pace.most_at_once)
            self.is_gone, self.is_stale = False, True
        if stored.reopened != before.reopened:
            self.is_stale, self.pace.paused_until = True, None
        self.endpoint = stored.model_copy(update={name: getattr(before, name) for name in ours})

    def note(self, opened: OpenDelivery, tried: TriedDelivery, now: datetime) -> None:
        """Note the outcome of a try."""
        answers_again = self.pace.note(tried.answer, now)
        update: dict[str, datetime | None] = {"failing_since": self.endpoint.failing_since or now}
        match tried.verdict:
            case TryVerdict.DELIVERED:
                self.line.settle(opened, now)
                update = {"failing_since": None, "last_delivered_at": now}
            case TryVerdict.FAILED:
                self.line.settle(opened, now)
            case TryVerdict.RETRY | TryVerdict.GONE:
                self.is_gone = tried.verdict is TryVerdict.GONE
                self.line.postpone(opened, tried.delivery.due_at or now)
        self.endpoint = self.endpoint.model_copy(update=update)
        self.is_unwritten = True
        if answers_again:
            self.line.hurry(now)
        if tried.answer.reason:
            _log.info(
                "webhook_not_taken",
                webhook=self.endpoint.webhook_id,
                message=opened.message_id,
                status=tried.answer.status,
                verdict=tried.verdict.value,
            )
