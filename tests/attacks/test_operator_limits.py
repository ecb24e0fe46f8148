"""An operator cannot take registration from its neighbours: floods, dear calls, full queues and ceilings."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from starlette.routing import Router

from services.registration import api
from services.registration.api.access import ApiContext
from services.registration.api.admission import PRICES, Admission
from services.registration.app import make_api
from services.registration.keys import OperatorKey, digest_of
from services.registration.memory_store import InMemoryRepository, InMemoryStore
from services.registration.operator_store import MongoOperators
from services.registration.settings import Settings
from shared.runtime.metrics import OPERATOR_CALLS, OPERATOR_SECONDS
from tests.support.metrics import MetricDelta
from tests.support.registration_api import (
    OPERATORS,
    Clock,
    RegistrationHarness,
    client_of,
    edition_body,
    organisation_body,
)

SETTINGS = Settings(
    operator_requests_per_second=2,
    operator_request_burst=20,
    operator_dear_per_minute=6,
    operator_dear_burst=2,
    operator_calls_at_once=3,
    operator_calls_waiting=4,
    refusals_per_second=1_000_000,
    operator_editions=3,
    operator_organisations=5,
    key_cache_seconds=0,
)


class Time:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def harness() -> RegistrationHarness:
    harness = RegistrationHarness(Clock(), SETTINGS)
    await harness.set_up_database()
    return harness


@pytest.fixture
def operators(harness: RegistrationHarness) -> MongoOperators:
    return MongoOperators(harness.servers.mongo.database(SETTINGS.database))


@pytest.fixture
def context(harness: RegistrationHarness, time: Time) -> ApiContext:
    return replace(harness.context, monotonic=time)


@pytest.fixture
async def flooder(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "itecam") as client:
        yield client


@pytest.fixture
async def neighbour(context: ApiContext) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(context, "rival") as client:
        yield client


@pytest.fixture
async def large_buckets(operators: MongoOperators) -> None:
    for operator_id in OPERATORS:
        await operators.set_limits(operator_id, {"request_burst": 100})


async def statuses(call: Callable[[], Any], times: int) -> Counter[int]:
    """Make a call so many times, one after another, and count the statuses."""
    return Counter([(await call()).status_code for _ in range(times)])


async def test_a_flood_of_one_key_leaves_the_key_of_a_neighbour_untouched(
    flooder: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    assert await statuses(lambda: flooder.get("/editions"), 500) == {200: 20, 429: 480}
    assert await statuses(lambda: neighbour.get("/editions"), 20) == {200: 20}


async def test_several_keys_of_an_operator_share_its_limits(
    context: ApiContext, operators: MongoOperators, flooder: httpx.AsyncClient
) -> None:
    await operators.change_keys("itecam", lambda keys: [*keys, OperatorKey(digest_of("second"))])
    async with client_of(context, "itecam") as second:
        second.headers["Authorization"] = "Bearer itecam.second"
        assert await statuses(lambda: flooder.get("/editions"), 20) == {200: 20}
        assert await statuses(lambda: second.get("/editions"), 5) == {429: 5}


async def test_a_refused_call_succeeds_after_the_time_of_retry_after(flooder: httpx.AsyncClient, time: Time) -> None:
    await statuses(lambda: flooder.get("/editions?limit=500"), 10)
    for _ in range(5):
        refused = await flooder.get("/editions?limit=500")
        assert refused.status_code == 429
        problem = refused.json()
        assert (problem["type"], problem["status"]) == ("urn:tertulia:problem:too-many-requests", 429)
        assert "2 tokens a second" in problem["detail"]
        assert refused.headers["content-type"] == "application/problem+json"
        time.now += int(refused.headers["Retry-After"])
        assert (await flooder.get("/editions?limit=500")).status_code == 200


async def test_dear_calls_have_a_bucket_of_their_own(flooder: httpx.AsyncClient, time: Time) -> None:
    path = "/editions/unknown/proposals"
    assert await statuses(lambda: flooder.post(path, json={"encounters": 3}), 5) == {404: 2, 429: 3}
    refused = await flooder.post(path, json={"encounters": 3})
    assert "6 dear calls a minute" in refused.json()["detail"]
    assert (await flooder.get("/editions")).status_code == 200
    time.now += int(refused.headers["Retry-After"])
    assert (await flooder.post(path, json={"encounters": 3})).status_code == 404


async def test_a_refused_call_changes_nothing(
    flooder: httpx.AsyncClient, neighbour: httpx.AsyncClient, time: Time
) -> None:
    await statuses(lambda: flooder.get("/editions"), 20)
    headers = {"Idempotency-Key": "1"}
    refused = await flooder.post("/editions", json=edition_body(), headers=headers)
    time.now += int(refused.headers["Retry-After"])
    assert (await flooder.post("/editions", json=edition_body(), headers=headers)).status_code == 201
    time.now += 10
    assert len((await flooder.get("/editions")).json()["items"]) == 1


class HangingStore(InMemoryStore):
    """A store whose pages hang for one operator, until they are released."""

    def __init__(self, operator_id: str) -> None:
        super().__init__()
        self.hanging, self.released = asyncio.Event(), asyncio.Event()
        self._operator_id = operator_id

    def of(self, operator_id: str) -> InMemoryRepository:
        return HangingRepository(self, operator_id) if operator_id == self._operator_id else super().of(operator_id)


class HangingRepository(InMemoryRepository):
    async def page(self, *arguments: Any, **more: Any) -> Any:
        store = self._store
        assert isinstance(store, HangingStore)
        store.hanging.set()
        await store.released.wait()
        return await super().page(*arguments, **more)


async def test_three_calls_are_under_way_four_wait_and_the_rest_is_refused(context: ApiContext) -> None:
    store = HangingStore("itecam")
    context = replace(context, store=store)
    async with client_of(context, "itecam") as flooder, client_of(context, "rival") as neighbour:
        calls = [asyncio.create_task(flooder.get("/editions/edn_1/participants")) for _ in range(12)]
        await store.hanging.wait()
        refused, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        while len(refused) < 5:
            refused = {call for call in calls if call.done()}
            await asyncio.sleep(0)
        answers = [call.result() for call in refused]
        assert {answer.status_code for answer in answers} == {429}
        assert {answer.json()["type"] for answer in answers} == {"urn:tertulia:problem:too-many-at-once"}
        assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
        assert (await neighbour.get("/editions")).status_code == 200
        store.released.set()
        assert Counter([(await call).status_code for call in calls]) == {404: 7, 429: 5}


@pytest.mark.usefixtures("large_buckets")
async def test_two_creations_at_the_ceiling_race_for_the_last_place(flooder: httpx.AsyncClient) -> None:
    for _ in range(2):
        await flooder.post("/editions", json=edition_body())
    answers = await asyncio.gather(*(flooder.post("/editions", json=edition_body()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    problem = next(answer.json() for answer in answers if answer.status_code == 409)
    assert problem["type"] == "urn:tertulia:problem:ceiling-reached"
    assert "3 editions" in problem["detail"]


@pytest.mark.usefixtures("large_buckets")
async def test_a_repeated_creation_is_answered_at_the_ceiling(flooder: httpx.AsyncClient) -> None:
    async def create(key: str) -> httpx.Response:
        return await flooder.post("/editions", json=edition_body(), headers={"Idempotency-Key": key})

    first = [await create(str(number)) for number in range(3)]
    assert (await create("3")).status_code == 409
    assert [(await create(str(number))).json() for number in range(3)] == [answer.json() for answer in first]


async def test_an_import_stops_at_the_ceiling_row_by_row(flooder: httpx.AsyncClient) -> None:
    edition_id = (await flooder.post("/editions", json=edition_body())).json()["edition_id"]
    rows = "\n".join(["name;kind;country", *(f"Empresa {number};sme;ES" for number in range(9))])
    answer = await flooder.post(
        f"/editions/{edition_id}/imports/organisations", content=rows, headers={"Content-Type": "text/csv"}
    )
    assert answer.json()["created"] == 5
    assert len(answer.json()["rejected"]) == 4
    assert "5 organisations" in answer.json()["rejected"][0]["reason"]


@pytest.mark.usefixtures("large_buckets")
async def test_the_ceiling_of_an_operator_leaves_its_neighbour_all_places(
    flooder: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    assert await statuses(lambda: flooder.post("/editions", json=edition_body()), 5) == {201: 3, 409: 2}
    assert await statuses(lambda: neighbour.post("/editions", json=edition_body()), 4) == {201: 3, 409: 1}


async def test_an_operator_has_limits_of_its_own(
    operators: MongoOperators, flooder: httpx.AsyncClient, neighbour: httpx.AsyncClient
) -> None:
    await operators.set_limits("itecam", {"request_burst": 60, "editions": 5})
    assert await statuses(lambda: flooder.post("/editions", json=edition_body()), 6) == {201: 5, 409: 1}
    assert await statuses(lambda: flooder.get("/editions"), 36) == {200: 30, 429: 6}
    assert await statuses(lambda: neighbour.get("/editions"), 30) == {200: 20, 429: 10}


@pytest.mark.parametrize(("named", "operator"), [(0, "other"), (20, "itecam")])
async def test_metrics_name_the_operator_if_they_are_asked_to(
    harness: RegistrationHarness, time: Time, named: int, operator: str
) -> None:
    settings = SETTINGS.model_copy(update={"operators_in_metrics": named})
    context = replace(harness.context, monotonic=time, settings=settings)
    refused = MetricDelta(OPERATOR_CALLS, operator=operator, outcome="too_many_requests")
    spent = MetricDelta(OPERATOR_SECONDS, operator=operator)
    async with client_of(context, "itecam") as flooder:
        await statuses(lambda: flooder.get("/editions"), 25)
    assert refused.value == 5
    assert spent.value == 0


def test_every_route_with_a_price_exists(context: ApiContext) -> None:
    paths = make_api(context).openapi()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert {(method, "/v1" + path.replace(":path}", "}")) for method, path in PRICES} <= routes


async def test_a_change_pays_five_times_the_price_of_a_read(flooder: httpx.AsyncClient) -> None:
    body = organisation_body()
    assert await statuses(lambda: flooder.post("/editions/unknown/organisations", json=body), 5) == {404: 4, 429: 1}


class CachedHarness(RegistrationHarness):
    """A process of registration that caches keys and limits, as in production."""

    def __init__(self) -> None:
        super().__init__(Clock(), SETTINGS.model_copy(update={"key_cache_seconds": 5.0}))


async def test_a_refusal_reaches_neither_the_framework_nor_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = CachedHarness()
    await harness.set_up_database()
    async with client_of(harness.context, "itecam") as flooder:
        assert await statuses(lambda: flooder.get("/editions?limit=500"), 5) == {200: 4, 429: 1}

        def fail(*_: object, **__: object) -> None:
            raise AssertionError("a refused call was routed")

        monkeypatch.setattr(Router, "__call__", fail)
        refused = await flooder.post("/editions", content="{" * 1000)
        assert refused.status_code == 429
        assert refused.json()["type"] == "urn:tertulia:problem:too-many-requests"
        assert refused.headers["X-Request-Id"]


async def test_answers_to_refused_calls_come_at_a_steady_rate(
    monkeypatch: pytest.MonkeyPatch, context: ApiContext
) -> None:
    settings = SETTINGS.model_copy(update={"refusals_per_second": 20.0})
    admission = Admission(settings, context.overrides, lambda: 0.0)
    delays: list[float] = []

    async def sleep(seconds: float) -> None:
        delays.append(round(seconds, 3))

    monkeypatch.setattr("services.registration.api.admission.asyncio.sleep", sleep)
    for operator_id in ("itecam", "itecam", "itecam", "rival"):
        await admission.slow_down(operator_id)
    assert delays == [0.0, 0.05, 0.1, 0.0]


def test_all_dependencies_run_in_the_loop() -> None:
    """A plain function would run in a thread, which a busy loop keeps waiting."""

    def below(dependant: Dependant) -> Iterator[Dependant]:
        for dependency in dependant.dependencies:
            yield dependency
            yield from below(dependency)

    modules = [import_module(f"{api.__name__}.{module.name}") for module in iter_modules(api.__path__)]
    routes = [route for module in modules if hasattr(module, "router") for route in module.router.routes]
    calls = {dependency.call for route in routes for dependency in below(route.dependant)}
    assert len(calls) > 5
    assert [
        call for call in calls if not inspect.iscoroutinefunction(call) and not inspect.isasyncgenfunction(call)
    ] == []
