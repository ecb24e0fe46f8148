"""The whole API over a store in memory, and bodies to send it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator, digest_of
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.ports import OperatorKey
from services.registration.settings import Settings

OPERATORS = {"itecam": "s3cret", "rival": "other"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **much: float) -> None:
        self.now += timedelta(**much)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store() -> InMemoryStore:
    return InMemoryStore()


@pytest.fixture
def settings() -> Settings:
    return Settings(max_body_bytes=64 * 1024, max_import_bytes=256 * 1024, max_import_rows=300)


@pytest.fixture
def context(store: InMemoryStore, clock: Clock, settings: Settings) -> ApiContext:
    keys = {operator: [OperatorKey(digest_of(secret))] for operator, secret in OPERATORS.items()}
    return ApiContext(store, Authenticator(InMemoryOperators(keys), 5), settings, clock)


def client_of(context: ApiContext, operator: str | None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {operator}.{OPERATORS[operator]}"} if operator else {}
    transport = httpx.ASGITransport(make_api(context), raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://registration/v1", headers=headers)


@pytest.fixture
async def api(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "itecam") as client:
        yield client


@pytest.fixture
async def rival(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "rival") as client:
        yield client


@pytest.fixture
async def stranger(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, None) as client:
        yield client


def edition(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Encuentro B2B 2026",
        "timezone": "Europe/Madrid",
        "days": [
            {
                "date": "2026-11-26",
                "starts": "09:00",
                "ends": "12:00",
                "breaks": [{"starts": "10:30", "ends": "11:00"}],
            }
        ],
        "zones": [
            {"zone_id": "workspace", "kind": "workspace", "name": "Workspace", "tables": ["1", "2"]},
            {"zone_id": "hall", "kind": "conference", "name": "Sala"},
        ],
        "sessions": [
            {
                "session_id": "opening",
                "kind": "keynote",
                "title": "Apertura",
                "zone_id": "hall",
                "starts_at": "2026-11-26T09:00",
                "ends_at": "2026-11-26T09:30",
            }
        ],
    } | changes


def organisation(**changes: Any) -> dict[str, Any]:
    return {"name": "Calderería Ñandú", "kind": "sme", "country": "ES", "codes": ["nace:25.62"]} | changes


def participant(organisation_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "name": "Ana Ruiz",
        "email": "ana@nandu.example",
        "languages": ["es"],
        "profile": {"offers": ["Soldadura robotizada"], "needs": ["Ensayos\nno destructivos"]},
    } | changes


class Fair:
    """An edition with two organisations of two participants each, as the API made it."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api

    async def post(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = await self._api.post(path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def set_up(self, **changes: Any) -> Fair:
        self.edition_id = (await self.post("/editions", edition(**changes)))["edition_id"]
        self.path = f"/editions/{self.edition_id}"
        self.organisations: list[str] = []
        self.participants: list[str] = []
        for number in (1, 2):
            made = await self.post(f"{self.path}/organisations", organisation(name=f"Empresa {number}"))
            self.organisations.append(made["organisation_id"])
            for letter in "ab":
                body = participant(
                    made["organisation_id"], name=f"P {number}{letter}", email=f"{letter}{number}@x.example"
                )
                self.participants.append((await self.post(f"{self.path}/participants", body))["participant_id"])
        return self

    async def ask(self, requester: int, target: int | None, **more: Any) -> dict[str, Any]:
        body = {"requester_id": self.participants[requester]} | more
        if target is not None:
            body["target_id"] = self.participants[target]
        return await self.post(f"{self.path}/match-requests", body)


@pytest.fixture
async def fair(api: httpx.AsyncClient) -> Fair:
    return await Fair(api).set_up()


class Bodies:
    edition = staticmethod(edition)
    organisation = staticmethod(organisation)
    participant = staticmethod(participant)


@pytest.fixture
def bodies() -> type[Bodies]:
    return Bodies
