"""Registration's HTTP API over a store in memory, and bodies to send to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.registration.api.access import ApiContext
from services.registration.app import WiredRegistration, assemble, make_api
from services.registration.internal_clients import InternalClients, no_clients
from services.registration.keys import OperatorKey, digest_of
from services.registration.operator_store import MongoOperators
from services.registration.settings import Settings
from shared.app import Infrastructure
from shared.contract.events import Event
from shared.runtime.clock import utc_now
from tests.support.servers import Servers

#: Secrets of the operators' keys.
OPERATORS = {"itecam": "s3cret", "rival": "other"}
#: Settings under which a test may call as often as it likes.
NO_RATES: dict[str, Any] = {
    "operator_requests_per_second": 1e6,
    "operator_request_burst": 1_000_000,
    "refusals_per_second": 1e6,
    "operator_dear_per_minute": 1e6,
    "operator_dear_burst": 1_000_000,
    "operator_calls_waiting": 1_000_000,
    "operator_dear_calls_at_once": 1_000,
}

#: A PATCH with this header is made at any revision.
ANY_REVISION = {"If-Match": "*"}


def assembled(
    infrastructure: Infrastructure, clients: InternalClients | None = None, settings: Settings | None = None
) -> WiredRegistration:
    """Return registration on servers in memory; its outboxes are sent without a pause."""
    wired = assemble(settings or Settings(**NO_RATES), infrastructure, clients or no_clients())
    for relay in wired.publisher.relays.values():
        relay.gather_seconds = 0
    return wired


async def set_up_database(wired: WiredRegistration, servers: Servers) -> None:
    """Create the indexes; store the operators and their keys."""
    for hook in wired.runtime.prepare:
        await hook()
    operators = MongoOperators(servers.mongo.database(Settings().database))
    for operator_id, secret in OPERATORS.items():
        await operators.add(operator_id, operator_id, OperatorKey(digest_of(secret)))


async def api_over(clients: InternalClients, operator: str | None = "itecam") -> httpx.AsyncClient:
    """Return a client of registration's API, which asks further services through `clients`."""
    servers = Servers()
    wired = assembled(servers.infrastructure(Clock()), clients)
    await set_up_database(wired, servers)
    return client_of(wired.context, operator)


class Clock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class RegistrationHarness:
    """A process of registration on servers of its own."""

    def __init__(self, clock: Clock, settings: Settings | None = None) -> None:
        self.servers = Servers()
        self._wired = assembled(self.servers.infrastructure(clock), settings=settings)
        self.context = self._wired.context

    async def set_up_database(self) -> None:
        """Create the indexes; store the operators and their keys."""
        await set_up_database(self._wired, self.servers)

    async def published(self) -> list[Event]:
        """Return the published events, once all outboxes are empty."""
        await self._wired.publisher.drain()
        return list(self.servers.published)


def client_of(context: ApiContext, operator: str | None) -> httpx.AsyncClient:
    """Return a client of the API with the key of an operator, or without a key."""
    headers = {"Authorization": f"Bearer {operator}.{OPERATORS[operator]}"} if operator else {}
    transport = httpx.ASGITransport(make_api(context), raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://registration/v1", headers=headers)


def edition_body(**changes: Any) -> dict[str, Any]:
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


def coming_edition_body(**changes: Any) -> dict[str, Any]:
    """Return the edition on the same day of a coming year: real clocks give no slot of a day that has passed."""
    body = json.dumps(edition_body(**changes))
    loaded: dict[str, Any] = json.loads(body.replace("2026-", f"{utc_now().year + 1}-"))
    return loaded


def organisation_body(**changes: Any) -> dict[str, Any]:
    return {"name": "Calderería Ñandú", "kind": "sme", "country": "ES", "codes": ["nace:25.62"]} | changes


def participant_body(organisation_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "organisation_id": organisation_id,
        "name": "Ana Ruiz",
        "email": "ana@nandu.example",
        "languages": ["es"],
        "profile": {"offers": ["Soldadura robotizada"], "needs": ["Ensayos\nno destructivos"]},
    } | changes


class EditionHarness:
    """An edition with two organisations of two participants each, registered over the API."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api
        self.edition_id = ""
        self.path = ""
        self.organisations: list[str] = []
        self.participants: list[str] = []

    async def post(self, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._api.post(path, json=body)
        assert answer.is_success, answer.text
        created: dict[str, Any] = answer.json()
        return created

    async def patch(self, body: dict[str, Any]) -> None:
        """Change the edition at any revision."""
        answer = await self._api.patch(self.path, json=body, headers=ANY_REVISION)
        assert answer.is_success, answer.text

    async def set_up(self, body: dict[str, Any] | None = None) -> EditionHarness:
        self.edition_id = (await self.post("/editions", body or edition_body()))["edition_id"]
        self.path = f"/editions/{self.edition_id}"
        for number in (1, 2):
            created = await self.post(f"{self.path}/organisations", organisation_body(name=f"Empresa {number}"))
            organisation_id = created["organisation_id"]
            self.organisations.append(organisation_id)
            for letter in "ab":
                body = participant_body(
                    organisation_id, name=f"P {number}{letter}", email=f"{letter}{number}@x.example"
                )
                self.participants.append((await self.post(f"{self.path}/participants", body))["participant_id"])
        return self

    async def request(self, requester: int, target: int | None, **fields: Any) -> dict[str, Any]:
        """Make a match request; participants are given by their number, from 0."""
        body = {"requester_id": self.participants[requester], **fields}
        if target is not None:
            body["target_id"] = self.participants[target]
        return await self.post(f"{self.path}/match-requests", body)
