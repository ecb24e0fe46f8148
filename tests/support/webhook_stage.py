"""The events service on servers in memory, with receivers of webhooks that a test plays, and its clock."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from services.events.app import WiredEvents, assemble
from services.events.settings import Settings
from services.events.webhooks.delivery import ReceiverAnswer
from services.events.webhooks.runner import WebhookRunner
from services.events.webhooks.service import Webhooks
from services.registration.internal_clients import InternalClient
from shared.contract.events import Event
from shared.internal_api.webhooks import NewWebhook, NewWebhookView, WebhookDeliveryState, WebhookDeliveryView
from shared.messaging.inputs import Input, Position
from tests.support.notify_stage import Time, participant
from tests.support.servers import Servers
from tests.support.waiting import wait_until

TAKEN = ReceiverAnswer(0.01, 204)
REFUSED = ReceiverAnswer(0.01, 500, b"defect")
SILENT = ReceiverAnswer(8.0, error="no answer within 8 s")
Play = Callable[["Received"], ReceiverAnswer]


@dataclass(frozen=True)
class Received:
    """A request that a receiver has got."""

    url: str
    headers: Mapping[str, str]
    body: str

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def told(self) -> tuple[str, int]:
        """The thing and its revision."""
        return self.event["subject"], self.event["data"]["revision"]


@dataclass
class Receivers:
    """Receivers by URL: each answers as its play says; the requests to a URL in `hanging` get no answer."""

    plays: dict[str, Play] = field(default_factory=dict)
    got: list[Received] = field(default_factory=list)
    hanging: set[str] = field(default_factory=set)
    #: Requests in progress, and the most that were, by URL.
    now: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> ReceiverAnswer:
        """Receive a message."""
        received = Received(url, headers, body)
        self.got.append(received)
        self.now[url] = self.now.get(url, 0) + 1
        self.most[url] = max(self.most.get(url, 0), self.now[url])
        try:
            if url in self.hanging:
                await self.released.wait()
                return SILENT
            await asyncio.sleep(0)
            return self.plays[url](received) if url in self.plays else TAKEN
        finally:
            self.now[url] -= 1

    def at(self, url: str) -> list[Received]:
        """Return the requests to a URL, in order."""
        return [received for received in self.got if received.url == url]


class WebhookStage:
    """Processes of the events service on the same servers; the test lets their work go on step by step."""

    URL = "https://crm.example.org/hook"

    def __init__(self, **settings: Any) -> None:
        self.time, self.servers, self.receivers = Time(), Servers(), Receivers()
        self.settings = Settings(**settings)
        self.wired = self.process()

    def process(self) -> WiredEvents:
        """Return a further process of the service."""
        return assemble(self.settings, self.servers.infrastructure(self.time), self.receivers)

    def client(self) -> InternalClient:
        """Return registration's client of this service; the settings need an internal token."""
        token = self.settings.internal_token.get_secret_value()
        transport = httpx.ASGITransport(Starlette(routes=self.wired.runtime.routes))
        headers = {"Authorization": f"Bearer {token}"}
        return InternalClient("events", httpx.AsyncClient(transport=transport, base_url="http://e", headers=headers))

    @property
    def webhooks(self) -> Webhooks:
        return self.wired.webhooks.webhooks

    @property
    def runner(self) -> WebhookRunner:
        return self.wired.webhooks.runner

    async def restart(self) -> None:
        """End the process as a crash does: its memory is gone, its leases stay."""
        self.wired = self.process()

    async def tell(self, *events: Event) -> None:
        """Append events to the feeds."""
        for event in events:
            await self.wired.feeds.consume(event.edition_id, [Input(event, Position("t", 0, 0))])

    async def add(self, url: str = URL, **fields: Any) -> NewWebhookView:
        """Add a webhook of the operator `op_1`."""
        asked = NewWebhook(**({"url": url, "label": "CRM", "from_start": True} | fields))
        return await self.webhooks.create("op_1", asked, "key:k1")

    async def work(self, rounds: int = 3, seconds: float = 1.1, runner: WebhookRunner | None = None) -> None:
        """Let a process look for work several times, and finish what it sends. Time passes between the rounds."""
        runner = runner or self.runner
        for _ in range(rounds):
            await runner.look()
            await settled(runner)
            self.time.advance(seconds)

    async def wait(self, **by: float) -> None:
        """Let time pass, and let the process work."""
        self.time.advance(timedelta(**by).total_seconds())
        await self.work()

    async def log(self, webhook_id: str, state: WebhookDeliveryState | None = None) -> list[WebhookDeliveryView]:
        """Return the deliveries of a webhook, newest first."""
        return (await self.webhooks.deliveries("op_1", webhook_id, state, "", 500)).items

    def told(self, url: str = URL) -> list[tuple[str, int]]:
        """Return the things and revisions that a receiver was told, in order."""
        return [received.told for received in self.receivers.at(url)]


async def settled(runner: WebhookRunner) -> None:
    """Wait until all requests that no receiver holds have ended."""

    def is_quiet() -> bool:
        return runner.is_idle

    await wait_until(is_quiet, seconds=5)


def changes(things: int, revisions: int) -> list[Event]:
    """Return changes of participants, revision by revision."""
    return [participant(number, revision) for revision in range(1, revisions + 1) for number in range(things)]


def in_order(told: list[tuple[str, int]]) -> bool:
    """Tell whether the revisions of each thing only ever rise, repeats aside."""
    newest: dict[str, int] = defaultdict(int)
    for thing, revision in told:
        if revision < newest[thing]:
            return False
        newest[thing] = revision
    return True
