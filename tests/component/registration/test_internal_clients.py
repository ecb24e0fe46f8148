"""Clients of the internal API: the token, the answers, and every way in which a service may not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.registration.api import problems
from services.registration.internal_clients import (
    InternalClient,
    ServiceDeclined,
    ServiceUnavailable,
    clients_of,
    no_clients,
)
from services.registration.settings import Settings
from shared.internal_api.server import LARGEST_BODY, Declined, body_of, internal_routes
from shared.runtime.settings import ServiceSettings


class Question(BaseModel):
    text: str


class Asked(ServiceSettings):
    service = "asked"


async def echo(request: Request) -> Response:
    return JSONResponse({"heard": (await body_of(request, Question)).text})


async def read(request: Request) -> Response:
    return JSONResponse(dict(request.query_params))


async def stale(_: Request) -> Response:
    raise Declined(409, "stale", "it has changed meanwhile", version=7)


async def prose(_: Request) -> Response:
    return PlainTextResponse("not JSON")


async def broken(_: Request) -> Response:
    return JSONResponse({"detail": "a trace nobody should see"}, 500)


ROUTES = [
    Route("/echo", echo, methods=["POST"]),
    Route("/read", read),
    Route("/stale", stale),
    Route("/prose", prose),
    Route("/broken", broken),
]


def asked(token: str) -> Starlette:
    return Starlette(routes=internal_routes(Asked(internal_token=token), ROUTES))


def peer(token: str = "t0ken", presented: str = "t0ken") -> InternalClient:  # noqa: S107 - made up
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(asked(token)),
        base_url="http://asked",
        headers={"Authorization": f"Bearer {presented}"},
    )
    return InternalClient("matching", client)


@pytest.fixture
async def matching() -> AsyncIterator[InternalClient]:
    matching = peer()
    yield matching
    await matching.close()


async def test_answers_are_returned(matching: InternalClient) -> None:
    assert await matching.post("/echo", {"text": "mecanizado"}) == {"heard": "mecanizado"}
    assert await matching.get("/read", {"after": "x"}) == {"after": "x"}


async def test_a_declined_request_is_passed_on_with_its_fields(matching: InternalClient) -> None:
    with pytest.raises(ServiceDeclined, match="changed meanwhile") as caught:
        await matching.get("/stale")
    assert (caught.value.status, caught.value.slug, caught.value.more) == (409, "stale", {"version": 7})


@pytest.mark.parametrize(
    ("body", "status"), [({"word": 1}, 422), ({"text": "x" * LARGEST_BODY}, 413)], ids=["invalid", "too large"]
)
async def test_an_invalid_request_is_declined(matching: InternalClient, body: dict[str, object], status: int) -> None:
    with pytest.raises(ServiceDeclined) as caught:
        await matching.post("/echo", body)
    assert caught.value.status == status


@pytest.mark.parametrize("path", ["/prose", "/broken"])
async def test_a_defect_of_the_service_is_no_fault_of_the_operator(matching: InternalClient, path: str) -> None:
    with pytest.raises(ServiceUnavailable) as caught:
        await matching.get(path)
    assert "trace" not in str(caught.value)


@pytest.mark.parametrize(("token", "presented"), [("t0ken", "other"), ("t0ken", ""), ("", ""), ("", "t0ken")])
async def test_nothing_is_served_without_the_token(token: str, presented: str) -> None:
    stranger = peer(token, presented)
    with pytest.raises((ServiceUnavailable, ServiceDeclined)) as caught:
        await stranger.get("/read")
    assert "read" not in str(caught.value)
    await stranger.close()


async def test_a_service_without_address_or_listener_is_unavailable() -> None:
    with pytest.raises(ServiceUnavailable, match="does not say where matching is"):
        await no_clients().matching.get("/read")
    clients = clients_of(Settings(internal_token="t", matching_url="http://127.0.0.1:9", scheduler_url=""))
    with pytest.raises(ServiceUnavailable, match="does not answer"):
        await clients.matching.get("/read")
    with pytest.raises(ServiceUnavailable, match="scheduler"):
        await clients.scheduler.get("/read")
    await clients.close()


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (ServiceUnavailable("matching does not answer"), 503, "away"),
        (ServiceDeclined(409, "stale", "changed meanwhile", {}), 409, "stale"),
    ],
)
async def test_the_operator_gets_problem_details(error: Exception, status: int, slug: str) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/asks")
    async def asks() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://registration") as client:
        response = await client.get("/asks")
    assert (response.status_code, response.json()["type"]) == (status, f"urn:tertulia:problem:{slug}")
    assert response.headers.get("retry-after") == ("2" if status == 503 else None)
