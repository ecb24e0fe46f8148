"""Registration's HTTP API with the scheduler behind its internal API, both in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.registration.app import WiredRegistration
from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler.app import WiredScheduler, assemble
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverBusy
from shared.app import Infrastructure, make_app
from shared.contract.events import (
    AffinityScored,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import pair_id, pair_of
from shared.messaging.inputs import Input, Position
from tests.support.registration_api import assembled, set_up_database
from tests.support.servers import Servers

OF_REGISTRATION = (EditionChanged, OrganisationChanged, ParticipantChanged, MatchRequestChanged)
SETTINGS = Settings(
    internal_token="t",
    announce_seconds=10,
    change_budget=3,
    improve_rounds=1,
    improve_round_effort=0.01,
    improve_steps=100,
)
NINE = datetime(2026, 11, 26, 8, tzinfo=UTC)  # 09:00 in Madrid
EDITION: dict[str, Any] = {
    "name": "B2B",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}],
    "zones": [{"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["1", "2"]}],
    "freeze_minutes": 30,
}


class SolverOnTheSpot:
    """A solver that is always free and runs in this process."""

    @asynccontextmanager
    async def turn(self, operator_id: str, within: float) -> AsyncIterator[None]:
        yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        return improve(problem, effort)


class BusySolver(SolverOnTheSpot):
    """A solver without a free worker."""

    @asynccontextmanager
    async def turn(self, operator_id: str, within: float) -> AsyncIterator[None]:
        raise SolverBusy(f"no worker was free within {within:.1f} s")
        yield


class ApiHarness:
    """Registration and the scheduler, with the events that pass between the two."""

    def __init__(self) -> None:
        self.moment = NINE - timedelta(days=9)
        self.seconds = 0.0
        self.servers = Servers()
        self.wired = self.instance()
        self.scheduler = self.wired.scheduler
        self.delivered = 0
        self.registrations: list[WiredRegistration] = []

    def now(self) -> datetime:
        return self.moment

    @property
    def sent(self) -> list[Event]:
        """The events that the scheduler has published, in order."""
        return [event for event in self.servers.published if not isinstance(event, OF_REGISTRATION)]

    def infrastructure(self) -> Infrastructure:
        return self.servers.infrastructure(self.now, lambda: self.seconds)

    def instance(self) -> WiredScheduler:
        """Return a process of the scheduler; several may share the servers."""
        return assemble(SETTINGS, self.infrastructure(), SolverOnTheSpot())

    def client(self, key: str = "itecam.s3cret", scheduler: WiredScheduler | None = None) -> httpx.AsyncClient:
        """Return a client of registration in front of a process of the scheduler."""
        clients = InternalClients(no_clients().matching, self.internal_client(scheduler))
        return self.client_with(clients, key)

    def internal_client(self, scheduler: WiredScheduler | None = None) -> InternalClient:
        """Return a client of the internal API of a process of the scheduler."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app((scheduler or self.wired).runtime)),
            base_url="http://scheduler",
            headers={"Authorization": "Bearer t"},
        )
        return InternalClient("scheduler", client)

    def client_with(
        self,
        clients: InternalClients,
        key: str = "itecam.s3cret",
        settings: RegistrationSettings | None = None,
    ) -> httpx.AsyncClient:
        """Return a client of registration that asks these services."""
        registration = assembled(self.infrastructure(), clients, settings)
        self.registrations.append(registration)
        transport = httpx.ASGITransport(registration.app())
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(transport=transport, base_url="http://registration/v1", headers=headers)

    async def deliver(self, *more: Event) -> None:
        """Hand the new events of registration to the scheduler, then more events."""
        for registration in self.registrations:
            await registration.publisher.drain()
        registered = [event for event in self.servers.published if isinstance(event, OF_REGISTRATION)]
        events = [*registered[self.delivered :], *more]
        self.delivered = len(registered)
        taken = [Input(event, Position("registration.v1", 0, number)) for number, event in enumerate(events)]
        if taken:
            await self.scheduler.consume(self.edition, taken)

    def taken(self, event: Event) -> Input:
        """Return an event as the scheduler takes it."""
        return Input(event, Position("affinity.v1", 0, self.delivered))

    async def deliver_one_by_one(self) -> None:
        """Hand the new events of registration to the scheduler, event by event."""
        for registration in self.registrations:
            await registration.publisher.drain()
        registered = [event for event in self.servers.published if isinstance(event, OF_REGISTRATION)]
        for number, event in enumerate(registered[self.delivered :]):
            await self.scheduler.consume(self.edition, [Input(event, Position("registration.v1", 1, number))])
        self.delivered = len(registered)

    async def settle(self) -> None:
        """Improve and announce all editions."""
        for _ in range(3):
            self.seconds += 20
            await self.scheduler.improver.improve_quiet_editions()

    async def set_up(self, api: httpx.AsyncClient, names: str) -> None:
        await set_up_database(self.registrations[0], self.servers)
        self.edition = await self.make(api, "/editions", EDITION, "edition_id")
        self.path = f"/editions/{self.edition}"
        self.people: dict[str, str] = {}
        for name in names.split():
            self.people[name] = await self.register(api, name)

    async def register(self, api: httpx.AsyncClient, name: str, organisation: str | None = None) -> str:
        if organisation is None:
            body = {"name": f"Org {name}", "kind": "sme", "country": "ES"}
            organisation = await self.make(api, f"{self.path}/organisations", body, "organisation_id")
        person = {"organisation_id": organisation, "name": name, "email": f"{name}@x.example", "languages": ["es"]}
        return await self.make(api, f"{self.path}/participants", person, "participant_id")

    async def make(self, api: httpx.AsyncClient, path: str, body: dict[str, Any], field: str) -> str:
        answer = await api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()[field])

    def pair(self, one: str, other: str, **fields: Any) -> AffinityScored:
        sides = pair_of(self.people[one], self.people[other])
        return AffinityScored(
            **{
                "operator_id": "itecam",
                "edition_id": self.edition,
                "occurred_at": self.moment,
                "revision": 1,
                "pair_id": pair_id(self.edition, *sides),
                "participant_ids": sides,
                "request_ids": ("req",),
                "origin": "requested",
                "consent": "granted",
                "score": 0.5,
                "priority": 2,
                **fields,
            }
        )

    async def meeting(self, api: httpx.AsyncClient, one: str, other: str) -> dict[str, Any]:
        both = {self.people[one], self.people[other]}
        listed = (await api.get(f"{self.path}/encounters", params={"participant_id": self.people[one]})).json()
        found: dict[str, Any] = next(each for each in listed["items"] if set(each["participant_ids"]) == both)
        return found

    def told(self, encounter_id: str) -> EncounterChanged:
        events = [each for each in self.sent if isinstance(each, EncounterChanged)]
        return next(each for each in reversed(events) if each.encounter_id == encounter_id)
