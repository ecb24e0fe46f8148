from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from shared.runtime.http.bounds import Bounds
from shared.runtime.http.server import PortSplit, RequestLimit
from shared.runtime.metrics import HTTP_REFUSED
from tests.support.metrics import MetricDelta


@dataclass(eq=False)
class Connection:
    is_cut: bool = False

    def cut(self) -> None:
        self.is_cut = True


def bounds(connections: int) -> Bounds:
    return Bounds(connections, head_seconds=1, body_seconds=1)


def test_at_the_limit_the_connection_that_has_waited_longest_makes_room() -> None:
    port, (first, second, third) = bounds(2), (Connection(), Connection(), Connection())
    assert [port.admit(connection) for connection in (first, second, third)] == [True, True, True]
    assert (first.is_cut, second.is_cut, third.is_cut) == (True, False, False)


def test_a_request_in_hand_makes_no_room() -> None:
    port, (first, second, third) = bounds(2), (Connection(), Connection(), Connection())
    port.admit(first)
    port.work(first)
    port.admit(second)
    assert port.admit(third)
    assert (first.is_cut, second.is_cut) == (False, True)


def test_a_connection_beyond_requests_in_hand_is_refused() -> None:
    port, (first, second) = bounds(1), (Connection(), Connection())
    port.admit(first)
    port.work(first)
    assert not port.admit(second)
    port.wait(first)
    assert port.admit(second)
    assert first.is_cut


def test_a_closed_connection_is_forgotten() -> None:
    port, (first, second) = bounds(1), (Connection(), Connection())
    port.admit(first)
    port.leave(first)
    port.wait(first)
    assert port.admit(second)
    assert not first.is_cut


@dataclass
class Caller:
    """Calls an ASGI application; its endpoint waits until it is released."""

    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def endpoint(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await self.released.wait()
        if scope["path"] == "/gone":
            raise ClientDisconnect
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def get(self, app: RequestLimit | PortSplit, path: str, port: int = 8000) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        await app({"type": "http", "path": path, "server": ("127.0.0.1", port)}, receive, send)
        return sent


async def test_one_request_too_many_is_answered_with_503_and_operations_never() -> None:
    caller = Caller()
    app = RequestLimit(caller.endpoint, 2)
    slow = [asyncio.create_task(caller.get(app, "/slow")) for _ in range(2)]
    await asyncio.sleep(0)
    counted = MetricDelta(HTTP_REFUSED, reason="busy")
    refused, body = await caller.get(app, "/v1/editions")
    assert counted.value == 1
    assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"1")
    assert json.loads(body["body"])["type"] == "urn:tertulia:problem:busy"
    for path in ("/livez", "/readyz", "/metrics"):
        assert (await caller.get(app, path))[0]["status"] == 200
    caller.released.set()
    assert [answer[0]["status"] for answer in await asyncio.gather(*slow)] == [200, 200]
    assert (await caller.get(app, "/v1/editions"))[0]["status"] == 200


async def test_a_client_that_leaves_is_no_failure() -> None:
    caller = Caller()
    app = RequestLimit(caller.endpoint, 1)
    assert await caller.get(app, "/gone") == []
    assert (await caller.get(app, "/v1/editions"))[0]["status"] == 200


async def test_each_port_serves_its_own_paths_alone() -> None:
    caller = Caller()
    app = PortSplit(caller.endpoint, metrics_port=9000)
    answers = {
        (path, port): (await caller.get(app, path, port))[0]["status"]
        for path in ("/livez", "/metrics", "/v1/editions", "/internal/x")
        for port in (8000, 9000)
    }
    assert {place for place, status in answers.items() if status == 200} == {
        ("/livez", 9000),
        ("/metrics", 9000),
        ("/v1/editions", 8000),
        ("/internal/x", 8000),
    }
