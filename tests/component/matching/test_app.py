from __future__ import annotations

import httpx
import pytest

from services.matching.app import Models, assemble
from services.matching.settings import Settings
from shared.app import Infrastructure, make_app


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/readyz", 503), ("/metrics", 200)])
async def test_before_its_start_the_service_is_live_and_not_ready(path: str, status: int) -> None:
    settings = Settings(kafka_bootstrap="127.0.0.1:1", mongo_url="mongodb://127.0.0.1:1", mongo_timeout_seconds=0.2)
    infrastructure = Infrastructure.connect_to(settings)
    transport = httpx.ASGITransport(make_app(assemble(settings, infrastructure, Models.of(settings)).runtime))
    async with httpx.AsyncClient(transport=transport, base_url="http://matching") as client:
        response = await client.get(path)
    await infrastructure.mongo.close()
    assert response.status_code == status


def test_settings_name_the_service_and_its_database() -> None:
    assert Settings().database == "tertulia_matching"
