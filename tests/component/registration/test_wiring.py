"""Registration as it is assembled and run: a request in, its record out, expiry, readiness and metrics."""

from __future__ import annotations

from services.registration.settings import Settings
from shared.contract.events import EditionChanged, MatchRequestChanged
from shared.runtime.metrics import HTTP_SECONDS
from tests.support.metrics import MetricDelta
from tests.support.registration_api import (
    ANY_REVISION,
    NO_RATES,
    OPERATORS,
    Clock,
    EditionHarness,
    assembled,
    set_up_database,
)
from tests.support.running import running
from tests.support.servers import Servers
from tests.support.waiting import wait_until


async def test_requests_are_published_and_expire_and_editions_become_live_by_themselves() -> None:
    servers, clock = Servers(), Clock()
    settings = Settings(
        **NO_RATES,
        expiry_seconds=0.02,
        internal_token="t0ken",
        matching_url="http://matching",
        scheduler_url="http://scheduler",
    )
    wired = assembled(servers.infrastructure(clock), settings=settings)
    await set_up_database(wired, servers)
    timed = MetricDelta(HTTP_SECONDS, route="/v1/editions", method="POST", status="201")
    async with running(wired.app(), f"itecam.{OPERATORS['itecam']}") as client:
        client.base_url = "http://registration/v1"
        edition = await EditionHarness(client).set_up()
        await client.patch(edition.path, json={"answer_within_hours": 48}, headers=ANY_REVISION)
        await edition.request(0, 2)

        def states() -> list[str]:
            return [event.state for event in servers.published if isinstance(event, MatchRequestChanged)]

        def phases() -> list[str]:
            return [event.phase for event in servers.published if isinstance(event, EditionChanged)]

        await wait_until(lambda: states() == ["requested"])
        clock.advance(hours=48)
        await wait_until(lambda: states() == ["requested", "expired"])
        await client.patch(edition.path, json={"phase": "published"}, headers=ANY_REVISION)
        clock.advance(days=22, hours=22)  # 08:00 in Madrid, an hour before the first slot
        await wait_until(lambda: phases()[-2:] == ["published", "live"])
        client.base_url = "http://registration"
        assert (await client.get("/readyz")).json() == {"status": "ready", "missing": {}}
        assert "tertulia_http_request_seconds" in (await client.get("/metrics")).text
    assert timed.value == 1
