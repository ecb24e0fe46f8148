"""The internal API of every service opens to the internal token, and to no key of an operator."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from services.matching.api import observatory_routes, pair_routes, profile_help_routes, version_routes
from services.notify.internal_api import routes_of as routes_of_notify
from services.scheduler.api import routes_of as routes_of_scheduler
from shared.internal_api.server import internal_routes
from shared.runtime.settings import ServiceSettings
from tests.support.registration_api import OPERATORS

#: Handlers behind the token: a refused request does not reach them.
NOTHING = cast("Any", None)
ROUTES: dict[str, list[BaseRoute]] = {
    "scheduler": routes_of_scheduler(NOTHING),
    "notify": routes_of_notify(NOTHING, NOTHING, NOTHING),
    "matching": [
        *observatory_routes(NOTHING),
        *pair_routes(NOTHING, NOTHING),
        *profile_help_routes(NOTHING),
        *version_routes(NOTHING),
    ],
}
CREDENTIALS = ["", "Bearer ", "Bearer wrong", f"Bearer itecam.{OPERATORS['itecam']}", "Basic t0ken", "t0ken"]


class Guarded(ServiceSettings):
    service = "guarded"


@pytest.mark.parametrize("service", sorted(ROUTES))
async def test_every_internal_route_asks_for_the_token(service: str) -> None:
    mounted = internal_routes(Guarded(internal_token=SecretStr("t0ken")), ROUTES[service])
    assert [type(route) for route in mounted] == [Mount]
    transport = httpx.ASGITransport(Starlette(routes=mounted))
    async with httpx.AsyncClient(transport=transport, base_url="http://service/internal") as client:
        for route in ROUTES[service]:
            assert isinstance(route, Route)
            path = re.sub(r"\{\w+\}", "edn_1", route.path)
            for method in route.methods or ():
                for credential in CREDENTIALS:
                    answer = await client.request(method, path, headers={"Authorization": credential})
                    assert answer.status_code == 401, (method, path, credential)


@pytest.mark.parametrize("service", sorted(ROUTES))
def test_without_a_token_there_is_no_internal_route(service: str) -> None:
    assert internal_routes(Guarded(internal_token=SecretStr("")), ROUTES[service]) == []
