from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.runtime.settings import ConnectionSettings
from shared.storage import mongo as mongo_module
from shared.storage.mongo import Mongo

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
AN_HOUR = timedelta(hours=1)


class ClockServer:
    """A server that answers with its clock after `seconds`, and its driver's client."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time, self.ours, self.seconds = NOON, NOON, 0.0
        monkeypatch.setattr(mongo_module, "utc_now", lambda: self.ours)

    @property
    def admin(self) -> ClockServer:
        return self

    async def command(self, name: str) -> dict[str, Any]:
        assert name == "hello"
        half = timedelta(seconds=self.seconds / 2)
        told = self.time = self.time + half
        self.time, self.ours = self.time + half, self.ours + 2 * half
        return {"localTime": told.replace(tzinfo=None)}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> ClockServer:
    return ClockServer(monkeypatch)


@pytest.fixture
def mongo(server: ClockServer, monkeypatch: pytest.MonkeyPatch) -> Mongo:
    monkeypatch.setattr(mongo_module, "_client_class", lambda _: lambda *_, **__: server)
    return Mongo(ConnectionSettings())


@pytest.mark.parametrize("wrong", [AN_HOUR, -AN_HOUR])
async def test_a_process_with_a_wrong_clock_uses_the_server_s_clock(
    mongo: Mongo, server: ClockServer, wrong: timedelta
) -> None:
    server.ours, server.seconds = NOON + wrong, 1.0
    assert mongo.now() == server.ours
    await mongo.ping()
    assert mongo.now() == server.time
    server.ours += AN_HOUR
    assert mongo.now() == server.time + AN_HOUR


async def test_a_slow_answer_does_not_set_the_clock(mongo: Mongo, server: ClockServer) -> None:
    await mongo.ping()
    server.seconds, server.time = 20.0, server.time + AN_HOUR
    await mongo.ping()
    assert mongo.now() == server.ours
