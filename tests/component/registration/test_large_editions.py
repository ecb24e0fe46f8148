"""An edition that would not fit a Kafka record is refused: stored, it would block its outbox."""

from __future__ import annotations

import json

import httpx
import pytest

from services.registration.settings import Settings
from tests.support.registration_api import ANY_REVISION, NO_RATES, EditionHarness, edition_body


@pytest.fixture
def settings() -> Settings:
    return Settings(**NO_RATES)


async def test_a_patch_that_makes_an_edition_too_large_is_refused(
    api: httpx.AsyncClient, edition: EditionHarness
) -> None:
    labels = [f"{number:03}{'x' * 190}" for number in range(2500)]
    zone = {"zone_id": "z0", "kind": "workspace", "name": "Big", "tables": labels}
    assert (
        await api.patch(edition.path, json={"zones": [zone], "sessions": []}, headers=ANY_REVISION)
    ).status_code == 200
    times = {"starts_at": "2026-11-26T09:00:00Z", "ends_at": "2026-11-26T10:00:00Z"}
    sessions = [
        {"session_id": f"s{number}", "kind": "panel", "title": "🔩" * 200, "zone_id": "z0", **times}
        for number in range(500)
    ]
    body = json.dumps({"sessions": sessions}, ensure_ascii=False).encode()
    assert len(body) < Settings().max_body_bytes
    refused = await api.patch(edition.path, content=body, headers=ANY_REVISION | {"content-type": "application/json"})
    assert refused.status_code == 422, refused.text
    assert "bytes" in refused.text
    assert (await api.get(edition.path)).json()["sessions"] != sessions


async def test_an_edition_that_grows_by_normalisation_is_refused_when_it_is_created(api: httpx.AsyncClient) -> None:
    """Registration stored it, and its outbox could never be sent: each letter takes three times the bytes in NFC."""
    tables = ["\U0001d160" * 60 + str(number) for number in range(1400)]
    zones = [*edition_body()["zones"], {"zone_id": "big", "kind": "workspace", "name": "Big", "tables": tables}]
    body = json.dumps(edition_body(zones=zones), ensure_ascii=False).encode()
    assert len(body) < Settings().max_body_bytes
    refused = await api.post("/editions", content=body, headers={"content-type": "application/json"})
    assert refused.status_code == 422
    assert "900000 are the most" in refused.text
