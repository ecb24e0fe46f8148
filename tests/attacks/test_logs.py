"""Failures of servers and handlers with personal data and secrets in hand: none of these reach a log line."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, NoReturn

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.registration.api.access import ApiContext
from services.registration.app import make_api
from services.registration.authenticator import Authenticator
from services.registration.keys import OperatorKey, digest_of
from services.registration.memory_store import InMemoryOperators, InMemoryRepository, InMemoryStore
from services.registration.settings import Settings as RegistrationSettings
from shared.contract.cloudevents import encode
from shared.contract.events import AgendaChanged, Event
from shared.internal_api.server import internal_routes
from shared.runtime.settings import PARTITIONS, ServiceSettings
from tests.simulation.faults import NoFaults
from tests.simulation.loop import run_virtually
from tests.simulation.services import Environment, RunningService
from tests.simulation.smtp import MailServer, plain
from tests.simulation.world import START
from tests.support import planted
from tests.support.events import EventBuilder
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.mongo import InMemoryMongo
from tests.support.in_memory.process import Process, Result
from tests.support.notify_stage import encounter
from tests.support.planted import ADDRESS, KEY, NAME, SETTINGS, TEXT, TOKEN, captured_logs, found_in

#: Steps that fail, by the beginnings of their names, and a log event that their failure causes.
FAILING = {
    "registration": {"sweep": "background_failed", "read": "not_up_yet"},
    "matching": {"load": "handler_failed", "insert": "handler_failed", "send": "handler_failed"},
    "scheduler": {"load": "handler_failed", "insert": "handler_failed", "send": "handler_failed"},
    "notify": {
        "load": "handler_failed",
        "want": "handler_failed",
        "mail: take": "background_failed",
        "mail: connect": "background_failed",
        "mail: send": "background_failed",
    },
}


class Settings(ServiceSettings):
    service: ClassVar[str] = "attacked"


class FailingProcess(Process):
    """A process with steps that fail with planted exceptions."""

    def __init__(self, service: str, failing: str) -> None:
        super().__init__(service, 1, NoFaults(random.Random(0)), [])  # noqa: S311 - no secret
        self._failing = failing
        self._failures = planted.endless_failures()

    async def step(self, name: str, effect: Callable[[], Result], away: Callable[[str], Exception]) -> Result:
        if name == self._failing:
            # The queue of a producer fails as aiokafka's does; all else fails in every way.
            raise away(planted.SENTENCE) if name == "send" else next(self._failures)
        return await super().step(name, effect, away)


def planted_events() -> list[Event]:
    build = EventBuilder("op_1", "edn_1", START)
    people = [
        build.participant(
            f"p{number}",
            organisation_id="org_1",
            name=NAME,
            email=ADDRESS,
            profile={"offers": (TEXT,), "needs": (TEXT,)},
        )
        for number in range(3)
    ]
    return [
        build.edition(phase="published", name=TEXT),
        build.organisation("org_1", name=NAME),
        *people,
        build.request("req_1", "p0", "p1"),
        build.affinity("p0", "p1"),
        AgendaChanged(**build.common(participant_id="p0", provisional=False, entries=(encounter(0, 1),))),
    ]


def plant(kafka: InMemoryKafka) -> None:
    """Append events with canaries, and records that are no events."""
    for event in planted_events():
        record = encode(event)
        kafka.append(record.topic, record.key, record.headers, record.value)
        broken = json.dumps({"email": ADDRESS, "name": NAME, TEXT: TEXT}).encode()
        kafka.append(record.topic, record.key, record.headers, broken)
        kafka.append(record.topic, ADDRESS.encode(), [("ce_type", TEXT.encode())], TEXT.encode())


@pytest.mark.parametrize(
    ("service", "failing", "event"),
    [(service, failing, event) for service, steps in FAILING.items() for failing, event in steps.items()],
)
def test_a_failing_step_writes_no_personal_data_into_the_log(service: str, failing: str, event: str) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()

        def now() -> datetime:
            return START + timedelta(milliseconds=int(loop.time() * 1000))

        chance = random.Random(1)  # noqa: S311 - no secret
        kafka = InMemoryKafka(PARTITIONS, START.timestamp(), chance)
        plant(kafka)
        outside = Environment(kafka, InMemoryMongo(), MailServer(), now, chance, plain)
        running = RunningService(FailingProcess(service, failing), outside)
        async with running.lifespan():
            await asyncio.sleep(200)

    with captured_logs(Settings(**SETTINGS)) as log:
        run_virtually(run)
    events = {json.loads(line)["event"] for line in log.getvalue().splitlines()}
    assert event in events
    assert found_in(log.getvalue()) == []


class FailingRepository(InMemoryRepository):
    """A repository that fails with the next planted exception."""

    failures = planted.endless_failures()

    async def find_many(self, *_: Any, **__: Any) -> NoReturn:
        raise next(self.failures)


class FailingStore(InMemoryStore):
    def of(self, operator_id: str) -> InMemoryRepository:
        return FailingRepository(self, operator_id)


async def test_a_failing_request_logs_its_id_and_trace_and_no_personal_data() -> None:
    settings = RegistrationSettings(**SETTINGS)
    operator, _, secret = KEY.partition(".")
    authenticator = Authenticator(InMemoryOperators({operator: [OperatorKey(digest_of(secret))]}), 5)
    api = make_api(ApiContext(FailingStore(), authenticator, settings, lambda: START))
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {
        "Authorization": f"Bearer {KEY}",
        "X-Request-ID": "request-7",
        "traceparent": f"00-{trace_id}-b7ad6b7169203331-01",
    }
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://registration/v1", headers=headers)
    with captured_logs(settings) as log:
        async with client:
            body = {"name": NAME, "kind": "sme", "country": "ES"}
            answers = [
                await client.put(f"/editions/edn_1/organisations/org_{number}", json=body) for number in range(3)
            ]
            answers += [await client.get("/editions/edn_1") for _ in planted.failures()]
    assert found_in(log.getvalue()) == []
    failed = [json.loads(line) for line in log.getvalue().splitlines()]
    assert Counter(line["event"] for line in failed)["request_failed"] > 5
    assert {(line["request_id"], line["trace_id"]) for line in failed} == {("request-7", trace_id)}
    assert {answer.headers["x-request-id"] for answer in answers} == {"request-7"}


async def test_a_failing_internal_request_does_not_log_the_internal_token() -> None:
    failures = planted.endless_failures()

    async def fail(request: Request) -> Response:
        body = await request.body()
        assert body
        raise next(failures)

    settings = Settings(**SETTINGS)
    app = Starlette(routes=internal_routes(settings, [Route("/fail", fail, methods=["POST"])]))
    with captured_logs(settings) as log:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Request-ID": "request-8"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
            for _ in planted.failures():
                answer = await client.post("/internal/fail", json={"name": NAME, "email": ADDRESS, "offers": TEXT})
                assert answer.status_code == 500
        server.should_exit = True
        await serving
    assert found_in(log.getvalue()) == []
    failed = [line for line in map(json.loads, log.getvalue().splitlines()) if "exception" in line]
    assert failed
    assert {line["request_id"] for line in failed} == {"request-8"}


def test_messages_of_libraries_carry_no_personal_data() -> None:
    with captured_logs(Settings(**SETTINGS, log_level="debug")) as log:
        for number, error in enumerate(planted.failures()):
            library = logging.getLogger(f"library{number}")
            library.error("cannot send %s to %s: %s", planted.DOCUMENT, ADDRESS, error)
            library.error("cannot send %(email)s of %(name)s", planted.DOCUMENT)
            library.error(f"{type(error).__name__}: {error}", exc_info=error)  # noqa: G004, LOG014, RUF100 - as FastStream does
            library.error(f"Task failed\nfuture: <Task exception={error!r}>")  # noqa: G004, RUF100 - as asyncio does
            library.error(error)
            library.error("Traceback (most recent call last):\n  File x\n%s", error)
            library.error(f"Traceback (most recent call last):\n  File x\nRuntimeError: {error}")  # noqa: G004, RUF100
            library.debug("request headers %r", [(b"authorization", KEY.encode())])
            logging.getLogger("httpx").info("HTTP Request: %s", f"http://example/?email={ADDRESS}")
    assert found_in(log.getvalue()) == []


def test_a_dead_broker_floods_no_log_and_hides_no_event_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with captured_logs(Settings(**SETTINGS)) as log:
        library = logging.getLogger("aiokafka.conn")
        for attempt in range(600):
            now += 0.1
            library.error("Unable connect to node with id %s: %s", attempt % 3, OSError(111, "Connection refused"))
            library.warning(f"Topic x{attempt} is not available")  # noqa: G004, RUF100 - a library's own formatting
            logging.getLogger("shared.app").warning("not_up_yet")
        now += 61
        logging.getLogger("shared.app").info("started")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    written = Counter(line["logger"] for line in lines)
    assert written["aiokafka.conn"] <= 12
    assert written["shared.app"] == 601
    dropped = sum(line["lines"] for line in lines if line["event"] == "library_lines_dropped")
    assert dropped + written["aiokafka.conn"] == 1200
