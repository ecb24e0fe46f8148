"""Registration's HTTP API with the scheduler behind its internal API, both in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator, digest_of
from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.ports import OperatorKey
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.api import routes_of
from services.scheduler.domain.improvement.problem import Solution, SolverProblem
from services.scheduler.improver import Improver, Pace
from services.scheduler.service import Scheduler
from services.scheduler.settings import Settings
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from services.scheduler.solver.pool import SolverBusy
from shared.contract.cloudevents import decode, pack, unpack
from shared.contract.events import AffinityScored, EncounterChanged, Event
from shared.contract.ids import pair_id, pair_of
from shared.internal_api.server import internal_routes
from shared.messaging.inputs import Input, Position
from shared.storage.journal import Journal
from shared.storage.journal_store import InMemoryJournalStore

NINE = datetime(2026, 11, 26, 8, tzinfo=UTC)  # 09:00 in Madrid
EDITION: dict[str, Any] = {
    "name": "B2B",
    "timezone": "Europe/Madrid",
    "days": [{"date": "2026-11-26", "starts": "09:00", "ends": "10:00"}],
    "zones": [{"zone_id": "work", "kind": "workspace", "name": "Workspace", "tables": ["1", "2"]}],
    "freeze_minutes": 30,
}


class Outlet:
    def __init__(self) -> None:
        self.sent: list[Event] = []

    def pack(self, message: Event) -> dict[str, Any]:
        return pack(message)

    async def send(self, packed: Sequence[dict[str, Any]]) -> None:
        records = [unpack(each) for each in packed]
        self.sent += [decode(record.headers, record.value) for record in records]


class SolverOnTheSpot:
    """A solver that is always free and runs in this process."""

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        yield

    async def solve(self, problem: SolverProblem, effort: Effort, within: float) -> Solution:
        return improve(problem, effort)


class BusySolver(SolverOnTheSpot):
    """A solver without a free worker."""

    @asynccontextmanager
    async def turn(self, within: float) -> AsyncIterator[None]:
        raise SolverBusy(f"no worker was free within {within:.1f} s")
        yield


class ApiHarness:
    """Registration and the scheduler, with the events that pass between the two."""

    def __init__(self) -> None:
        self.moment = NINE - timedelta(days=9)
        self.seconds = 0.0
        self.journal_store = InMemoryJournalStore()
        self.outlet = Outlet()
        self.scheduler = self.instance()
        self.store = InMemoryStore()
        self.delivered = 0
        keys = {"itecam": [OperatorKey(digest_of("s3cret"))], "rival": [OperatorKey(digest_of("other"))]}
        self.authenticator = Authenticator(InMemoryOperators(keys), 5)

    def now(self) -> datetime:
        return self.moment

    def instance(self) -> Scheduler:
        """Return a process of the scheduler; several may share the store."""
        journal = Journal(AgendaAggregate(), self.journal_store, self.outlet, self.now)
        pace = Pace(2, 10, 3, Effort(rounds=1, round_effort=0.01, steps=100))
        improver = Improver(journal, SolverOnTheSpot(), pace, self.now, lambda: self.seconds)
        return Scheduler(journal, improver.solver, improver, self.now)

    def client(self, key: str = "itecam.s3cret", scheduler: Scheduler | None = None) -> httpx.AsyncClient:
        clients = no_clients()
        asked = scheduler or self.scheduler
        door = Starlette(routes=internal_routes(Settings(internal_token="t"), routes_of(asked)))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(door), base_url="http://scheduler", headers={"Authorization": "Bearer t"}
        )
        clients = InternalClients(clients.matching, InternalClient("scheduler", client))
        context = ApiContext(self.store, self.authenticator, RegistrationSettings(), self.now, clients)
        headers = {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(make_api(context))
        return httpx.AsyncClient(transport=transport, base_url="http://registration/v1", headers=headers)

    async def deliver(self, *more: Event) -> None:
        """Hand the new events of registration to the scheduler, then more events."""
        events = [*self.store.events[self.delivered :], *more]
        self.delivered = len(self.store.events)
        taken = [Input(event, Position("registration.v1", 0, number)) for number, event in enumerate(events)]
        if taken:
            await self.scheduler.consume(self.edition, taken)

    async def settle(self) -> None:
        """Improve and announce all editions."""
        for _ in range(3):
            self.seconds += 20
            await self.scheduler.improver.improve_quiet_editions()

    async def set_up(self, api: httpx.AsyncClient, names: str) -> None:
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
        events = [each for each in self.outlet.sent if isinstance(each, EncounterChanged)]
        return next(each for each in reversed(events) if each.encounter_id == encounter_id)
