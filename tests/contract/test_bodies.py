"""Every body that registration accepts is accepted by the services behind it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.bodies import EDITIONS, ORGANISATIONS, PARTICIPANTS, PROPOSALS, REQUESTS, changes
from tests.support.product import Product
from tests.support.registration_api import edition_body, organisation_body, participant_body


class Visitor:
    """Sends bodies to a product; refused bodies must be refused with a clear answer."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api
        self.accepted = 0

    async def send(self, method: str, path: str, body: Any) -> dict[str, Any] | None:
        """Send a body; return the answer, or None if the body was refused."""
        headers = {"content-type": "application/json", "If-Match": "*"}
        answer = await self._api.request(method, path, content=json.dumps(body), headers=headers)
        assert answer.status_code in (200, 201, 400, 404, 409, 422, 428), (method, path, body, answer.text)
        if answer.is_success:
            self.accepted += 1
            created: dict[str, Any] = answer.json()
            return created
        assert answer.json()["detail"], answer.text
        return None

    async def create(self, path: str, fitting: dict[str, Any], drawn: dict[str, Any]) -> dict[str, Any]:
        """Send a body with drawn fields; if it is refused, a body that fits."""
        created = await self.send("POST", path, fitting | drawn) or await self.send("POST", path, fitting)
        assert created, (path, fitting)
        return created


@pytest.fixture
async def product() -> Product:
    product = Product()
    await product.set_up()
    return product


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edition=changes(EDITIONS),
    amended=changes(EDITIONS),
    organisation=changes(ORGANISATIONS),
    participants=st.tuples(changes(PARTICIPANTS), changes(PARTICIPANTS)),
    successor=changes(PARTICIPANTS),
    request=changes(REQUESTS),
    wanted=changes(PROPOSALS),
)
async def test_every_accepted_body_passes_all_consumers(
    product: Product,
    edition: dict[str, Any],
    amended: dict[str, Any],
    organisation: dict[str, Any],
    participants: tuple[dict[str, Any], dict[str, Any]],
    successor: dict[str, Any],
    request: dict[str, Any],
    wanted: dict[str, Any],
) -> None:
    async with product.client() as api:
        visitor = Visitor(api)
        path = f"/editions/{(await visitor.create('/editions', edition_body(), edition))['edition_id']}"
        if edition.get("phase") == "closed":
            return
        first = await visitor.create(f"{path}/organisations", organisation_body(), organisation)
        second = await visitor.create(f"{path}/organisations", organisation_body(name="Second"), {})
        ids = []
        for number, (party, drawn) in enumerate(zip((first, second), participants, strict=True)):
            fitting = participant_body(party["organisation_id"], email=f"p{number}@x.example")
            ids.append((await visitor.create(f"{path}/participants", fitting, drawn))["participant_id"])
        pair = {"requester_id": ids[0], "target_id": ids[1]}
        asked = await visitor.create(f"{path}/match-requests", pair, request)
        await visitor.send("POST", f"{path}/match-requests/{asked['request_id']}/acceptance", {})
        await visitor.send("POST", f"{path}/proposals", {"encounters": 3} | wanted)
        await product.drain()
        await visitor.send("PATCH", path, {"phase": "published"} | amended)
        await visitor.send("PATCH", f"{path}/participants/{ids[0]}", successor)
        await visitor.send("PATCH", f"{path}/participants/{ids[1]}", {"name": "Any name"})
        await product.drain()
        await product.announce()
