"""The portal, assembled on servers in memory, with a registration that knows a participant and two members of staff."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from services.portal.app import assemble, make_pages
from services.portal.pages.context import PERSON_COOKIE, STAFF_COOKIE
from services.portal.registration import RegistrationProxy
from services.portal.settings import Settings
from shared.access import Principal, PrincipalKind, StaffRole
from shared.contract.events import Event
from tests.support.notify_stage import OPENING, QUARTER, Time
from tests.support.running import running
from tests.support.servers import Servers
from tests.support.waiting import wait_until

PERSON, DESK, ORGANISER = "L1.person", "op_1.s.desk", "op_1.s.organiser"
PEOPLE = {
    PERSON: Principal(PrincipalKind.PARTICIPANT, "prt_0", "op_1", editions=frozenset({"edn_1"})),
    DESK: Principal(PrincipalKind.STAFF, "stf_1", "op_1", role=StaffRole.DESK, editions=frozenset({"edn_1"})),
    ORGANISER: Principal(PrincipalKind.STAFF, "stf_2", "op_1", role=StaffRole.ORGANISER),
    "op_2.s.stranger": Principal(PrincipalKind.STAFF, "stf_3", "op_2", role=StaffRole.OWNER),
}


def preview(**counts: int) -> dict[str, Any]:
    """Return the body of a dry run that moves the encounter `enc_1` of participants 0 and 1 by a slot."""
    place = {"slot": 0, "zone_id": "zn_work", "table": "1"}
    times = [(OPENING + n * QUARTER).isoformat() for n in range(3)]
    people = ["prt_0", "prt_1"]
    moved = {
        "encounter_id": "enc_1",
        "before": {**place, "starts_at": times[0], "ends_at": times[1]},
        "after": {**place, "slot": 1, "starts_at": times[1], "ends_at": times[2]},
        "participant_ids_before": people,
        "participant_ids_after": people,
    }
    whole = {"moved": 1, "placed": 0, "waiting": 0, "cancelled": 0, "mailed": 2, "encounters": 3, "people": 2} | counts
    return {"token": "tok", "preview": {"counts": whole, "moved": [moved] if whole["moved"] else []}}


class FakeRegistration:
    """Tells rights as registration does, and keeps all further requests."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: list[Any] = []
        #: Answers by method and end of the path, of dry runs by `DRY` instead of the method; status and body.
        self.answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self.is_away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of the portal."""
        if self.is_away:
            raise httpx.ConnectError("nobody listens")
        credential = request.headers.get("authorization", "").removeprefix("Bearer ")
        if request.url.path == "/v1/me":
            return httpx.Response(200, json=rights_of(PEOPLE[credential])) if credential in PEOPLE else _refusal()
        self.bodies.append(json.loads(request.content) if request.content else None)
        dry = request.url.params.get("dry_run") == "true"
        if not dry and request.method != "GET":
            self.asked.append((request.method, request.url.path, credential))
        for (method, end), (status, body) in self.answers.items():
            if method == ("DRY" if dry else request.method) and request.url.path.endswith(end):
                return httpx.Response(status, json=body)
        if request.url.path == "/v1/sessions":
            link = json.loads(request.content)["link"]
            return httpx.Response(201, json={"session": link}) if link in PEOPLE else _refusal()
        return httpx.Response(200, json={"items": [], "request_id": "req"})


def rights_of(principal: Principal) -> dict[str, Any]:
    """Return the body of `GET /v1/me`."""
    return {
        "kind": principal.kind,
        "id": principal.id,
        "operator_id": principal.operator_id,
        "role": principal.role,
        "editions": None if principal.editions is None else sorted(principal.editions),
        "actions": sorted(principal.actions),
    }


def _refusal() -> httpx.Response:
    return httpx.Response(401, json={"type": "urn:tertulia:problem:unauthorised", "detail": "no such key"})


class PortalStage:
    """A portal that runs in the test, with its clock, its servers and its registration."""

    def __init__(self, **settings: Any) -> None:
        self.time, self.servers, self.registration = Time(), Servers(), FakeRegistration()
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(self.registration.answer), base_url="http://registration"
        )
        options: dict[str, Any] = {
            "registration_url": "http://registration",
            "nudge_seconds": 0.02,
            "rights_seconds": 0.01,
            "portal_url": "http://service",
        } | settings
        self.wired = assemble(Settings(**options), self.servers.infrastructure(self.time), RegistrationProxy(http))

    def pages(self) -> FastAPI:
        """Return the pages for a server of their own, beside the running portal."""
        return make_pages(self.wired.context)

    @asynccontextmanager
    async def open(self, *events: Event) -> AsyncIterator[httpx.AsyncClient]:
        """Run the portal until it has read these events. The client is nobody yet: see `as_person`, `as_staff`."""
        self.servers.publish(*events)
        async with running(self.wired.app()) as client:

            async def has_read() -> bool:
                picture = await self.wired.read_model.picture("edn_1")
                known = (*picture.participants, *picture.organisations, *picture.agendas, *picture.encounters)
                return len(known) + len(picture.requests) + bool(picture.edition) >= len(
                    {e.key + e.TYPE for e in events}
                )

            await wait_until(has_read)
            yield client


def as_person(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """Sign the client in as participant 0."""
    client.cookies.set(PERSON_COOKIE, PERSON)
    return client


def as_staff(client: httpx.AsyncClient, credential: str = ORGANISER) -> httpx.AsyncClient:
    """Sign the client in as a member of staff."""
    client.cookies.set(STAFF_COOKIE, credential)
    return client


def token_in(page: str) -> str:
    """Return the token of the first form of a page."""
    return page.split('name="token" value="', 1)[1].split('"', 1)[0]
