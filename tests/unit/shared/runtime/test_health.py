from __future__ import annotations

from shared.runtime.health import Health, NotReady


async def test_a_worker_that_gets_nowhere_is_stalled_until_it_does() -> None:
    now = 0.0
    health = Health(stall_seconds=10, now=lambda: now)
    health.progress("consumer")
    now = 10.0
    assert health.stalled() == []
    now = 10.1
    assert health.stalled() == ["consumer"]
    health.progress("consumer")
    assert health.stalled() == []


async def test_a_worker_with_nothing_in_hand_is_never_stalled() -> None:
    now = 0.0
    health = Health(stall_seconds=10, now=lambda: now)
    health.progress("consumer")
    health.idle("consumer")
    now = 1000.0
    assert health.stalled() == []


async def test_readiness_names_what_is_missing_and_why() -> None:
    health = Health(stall_seconds=10)

    async def away() -> None:
        raise NotReady("no partitions assigned yet")

    async def there() -> None:
        return None

    health.require("kafka", away)
    health.require("mongo", there)
    assert await health.missing() == {"kafka": "NotReady: no partitions assigned yet"}
