from __future__ import annotations

from shared.runtime.health import Health, NotReady


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


async def test_readiness_names_each_failed_check_with_its_reason() -> None:
    health = Health(stall_seconds=10)

    async def away() -> None:
        raise NotReady("no partitions assigned yet")

    async def there() -> None:
        return None

    health.require("kafka", away)
    health.require("mongo", there)
    assert await health.missing() == {"kafka": "NotReady: no partitions assigned yet"}
