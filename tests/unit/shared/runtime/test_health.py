from __future__ import annotations

import asyncio
import json
from typing import ClassVar

import pytest

from shared.runtime.health import Health, NotReady
from shared.runtime.settings import ServiceSettings
from tests.support.planted import captured_logs


class Settings(ServiceSettings):
    service: ClassVar[str] = "unwell"


async def test_a_busy_worker_without_progress_is_stalled() -> None:
    now = 0.0
    health = Health(stall_seconds=10, now=lambda: now)
    health.progress("consumer")
    now = 10.0
    assert health.stalled() == []
    now = 10.1
    assert health.stalled() == ["consumer"]
    health.progress("consumer")
    assert health.stalled() == []


async def test_an_idle_worker_is_never_stalled() -> None:
    now = 0.0
    health = Health(stall_seconds=10, now=lambda: now)
    health.progress("consumer")
    health.idle("consumer")
    now = 1000.0
    assert health.stalled() == []


async def there() -> None:
    return None


async def test_readiness_names_each_missing_part_with_its_reason() -> None:
    health = Health(stall_seconds=10)

    async def away() -> None:
        raise NotReady("no partitions assigned yet")

    health.require("kafka", away)
    health.require("mongo", there)
    assert await health.missing() == {"kafka": "no partitions assigned yet"}


async def test_an_unexpected_error_is_logged_once_and_never_shown() -> None:
    health = Health(stall_seconds=10)
    error: Exception | None = OSError(111, "Connect call failed ('10.1.2.3', 27017)")

    async def ping() -> None:
        if error is not None:
            raise error

    health.require("mongo", ping)
    with captured_logs(Settings()) as log:
        for _ in range(3):
            assert "10.1.2.3" not in str(await health.missing())
        error = None
        assert await health.missing() == {}
        error = ValueError("again")
        assert set(await health.missing()) == {"mongo"}
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(line["event"], line["part"]) for line in lines] == [("part_missing", "mongo")] * 2


async def test_a_check_without_an_answer_ends_and_delays_no_other_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.health._CHECK_SECONDS", 0.01)
    health = Health(stall_seconds=10)
    asked = asyncio.Event()

    async def frozen() -> None:
        await asked.wait()
        await asyncio.Event().wait()

    async def other() -> None:
        asked.set()

    health.require("mongo", frozen)
    health.require("smtp", other)
    assert set(await health.missing()) == {"mongo"}
