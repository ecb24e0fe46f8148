"""A service whose servers are away: it is alive, not ready, and stops on request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import httpx
import pytest

from deploy.embedded.probes import free_ports
from shared.app import Infrastructure, Runtime, make_app
from shared.runtime.metrics import PART_MISSING
from shared.runtime.settings import ServiceSettings
from tests.support.metrics import metric_value
from tests.support.servers import Servers
from tests.support.waiting import wait_until


class Settings(ServiceSettings):
    service: ClassVar[str] = "lonely"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    kafka, mongo_port = free_ports(2)
    settings = Settings(
        kafka_bootstrap=f"127.0.0.1:{kafka}",
        mongo_url=f"mongodb://127.0.0.1:{mongo_port}",
        mongo_timeout_seconds=0.2,
        shutdown_seconds=1,
    )
    runtime = Runtime(settings, Infrastructure.connect_to(settings))
    runtime.add_consumer()
    runtime.prepare.append(runtime.infrastructure.mongo.ping)
    app = make_app(runtime)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        yield client


async def test_a_service_without_its_servers_is_alive_and_not_ready(client: httpx.AsyncClient) -> None:
    live, ready = await client.get("/livez"), await client.get("/readyz")
    assert (live.status_code, live.json()["status"]) == (200, "live")
    assert (ready.status_code, set(ready.json()["missing"])) == (503, {"start", "mongo"})


async def test_a_metric_tells_the_missing_parts(client: httpx.AsyncClient) -> None:
    await wait_until(lambda: metric_value(PART_MISSING, part="mongo") == 1)
    assert 'tertulia_part_missing{part="mongo"} 1.0' in (await client.get("/metrics")).text
    assert metric_value(PART_MISSING, part="kafka") == 0


async def test_parts_that_a_balancer_excludes_are_named_and_do_not_count(client: httpx.AsyncClient) -> None:
    some = await client.get("/readyz", params={"exclude": ["start"]})
    assert (some.status_code, some.json()["status"]) == (503, "not ready")
    all_of_them = await client.get("/readyz", params={"exclude": ["start", "mongo"]})
    assert (all_of_them.status_code, all_of_them.json()["status"]) == (200, "ready")
    assert set(all_of_them.json()["missing"]) == {"start", "mongo"}


async def test_metrics_are_served_without_the_servers(client: httpx.AsyncClient) -> None:
    metrics = await client.get("/metrics")
    assert metrics.status_code == 200
    assert "# HELP tertulia_records_total" in metrics.text


async def test_readiness_names_the_settings_that_are_not_set() -> None:
    class Needing(Settings):
        needed: ClassVar[dict[str, str]] = {"internal_token": "goals"}

    servers = Servers()
    app = make_app(Runtime(Needing(), servers.infrastructure()))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["missing"]["settings"] == "TERTULIA_INTERNAL_TOKEN is not set, and goals need it"
