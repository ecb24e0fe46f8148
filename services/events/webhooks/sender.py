"""A try of a delivery: signed, sent, judged and recorded."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from services.events.webhooks.delivery import ReceiverAnswer, TryVerdict, WebhookDelivery, next_try, verdict_of
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.signing import signed_headers
from shared.runtime.clock import Clock
from shared.runtime.metrics import WEBHOOK_DELAY_SECONDS, WEBHOOK_TRIES, WEBHOOK_TRY_SECONDS

_USER_AGENT: Final = "Tertulia-Webhooks/1.0 (Standard Webhooks)"


class Poster(Protocol):
    """Sends a message by HTTP: see `services.events.webhooks.client.WebhookClient`."""

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> ReceiverAnswer: ...


@dataclass(frozen=True)
class TriedDelivery:
    """A delivery after a try, with the answer and the decision."""

    delivery: WebhookDelivery
    answer: ReceiverAnswer
    verdict: TryVerdict


class Sender:
    """Sends messages. A message that is sent again has the same id and body, and a new time and signature."""

    def __init__(
        self, poster: Poster, clock: Clock, kept: timedelta, draw: Callable[[], float] = random.random
    ) -> None:
        self._poster = poster
        self._clock = clock
        self._kept = kept
        self._draw = draw

    async def send(self, endpoint: Endpoint, delivery: WebhookDelivery, *, is_last: bool = False) -> TriedDelivery:
        """Try a delivery once. With `is_last` it ends, whatever the answer."""
        sent_at = self._clock()
        headers = {
            **signed_headers(endpoint.secrets, delivery.message_id, sent_at, delivery.body),
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
        }
        answer = await self._poster.post(endpoint.url, headers, delivery.body)
        verdict = verdict_of(delivery.tries, answer)
        if is_last and verdict is not TryVerdict.DELIVERED:
            verdict = TryVerdict.FAILED
        now = self._clock()
        due_at = now if verdict is TryVerdict.GONE else next_try(delivery.tries + 1, answer, now, self._draw())
        WEBHOOK_TRIES.labels(outcome=verdict.value).inc()
        WEBHOOK_TRY_SECONDS.observe(answer.seconds)
        if verdict is TryVerdict.DELIVERED:
            WEBHOOK_DELAY_SECONDS.observe(max(0.0, (now - delivery.created_at).total_seconds()))
        return TriedDelivery(delivery.after(answer, verdict, now, due_at, self._kept), answer, verdict)
