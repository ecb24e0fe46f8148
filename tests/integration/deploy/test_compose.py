"""The services under the settings of `deploy/compose.yaml`: every route of the HTTP API is served.

Compose's own library resolves the file. The services run as processes with exactly its environment and secrets;
the addresses of the servers alone are of this machine.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.stack import Stack
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tests.support.outside import checked
from tests.support.registration_api import EditionHarness, coming_edition_body

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[3]
LOCK = {"edit": {"type": "lock", "encounter_id": "{encounter_id}", "is_locked": True}}
#: The services that registration asks.
PEERS = ("matching", "scheduler", "notify", "events")
#: Operations that matching, the scheduler or notify answers, with their bodies. They have to succeed.
ANSWERED_BY_PEERS: dict[str, Any] = {
    "GET /v1/editions/{edition_id}/affinities/{one}/{other}": None,
    "GET /v1/editions/{edition_id}/below-minimum": None,
    "GET /v1/editions/{edition_id}/encounters": None,
    "GET /v1/editions/{edition_id}/goals": None,
    "GET /v1/editions/{edition_id}/observatory": None,
    "GET /v1/editions/{edition_id}/participants/{participant_id}/data": None,
    "GET /v1/editions/{edition_id}/what-if": None,
    "POST /v1/editions/{edition_id}/agenda/edits": LOCK,
    "POST /v1/editions/{edition_id}/agenda/edits/dry-run": LOCK,
    "POST /v1/editions/{edition_id}/encounters/{encounter_id}/attendance": {"outcome": "held"},
    "POST /v1/profile-help": {"text": "We weld boats. We look for a supplier of aluminium."},
}
#: Operations that the state of the edition forbids, with the status of the refusal.
REFUSED = {
    "POST /v1/editions/{edition_id}/encounters/{encounter_id}/attendance": HTTPStatus.CONFLICT,  # it did not begin
    "GET /v1/editions/{edition_id}/observatory": HTTPStatus.CONFLICT,  # too few organisations to be anonymous
}


class ComposeStack(Stack):
    """The embedded stack, whose services have the environment and the secrets that compose gives them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._project = json.loads(checked("compose", str(ROOT / "deploy/compose.yaml")))
        self._tokens = {name: secrets.token_hex() for name in self._project["secrets"]}

    def environment_of(self, service: str) -> Mapping[str, str]:
        definition = self._project["services"][service]
        environment = {name: self._here(str(value)) for name, value in definition["environment"].items()}
        folder = self.folder / "secrets" / service
        folder.mkdir(parents=True, exist_ok=True)
        for secret in definition.get("secrets") or ():
            (folder / secret["source"]).write_text(self._tokens[secret["source"]])
        # The broker of the embedded stack takes no idempotent producer.
        return environment | {"TERTULIA_SECRETS_DIR": str(folder), "TERTULIA_KAFKA_IDEMPOTENCE": "false"}

    def _here(self, value: str) -> str:
        """Return a value of compose with an address of this machine in place of a server's of compose."""
        smtp_host, _, smtp_port = self.addresses["smtp"].partition(":")
        addresses = {
            "kafka:9092": self.addresses["kafka"],
            "mongodb://mongo:27017/?replicaSet=rs0": self.addresses["mongo"],
            "mail": smtp_host,
            "1025": smtp_port,
            **{f"http://{service}:8000": self.addresses[service] for service in PEERS},
        }
        return addresses.get(value, value)


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[ComposeStack]:
    async with ComposeStack(tmp_path) as stack:
        yield stack


@pytest.fixture
async def api(stack: ComposeStack) -> AsyncIterator[httpx.AsyncClient]:
    key = await add_operator(Settings(mongo_url=stack.addresses["mongo"]), "itecam", "ITECAM")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=stack.addresses["registration"], headers=headers, timeout=60) as client:
        yield client


async def things_of_an_edition(api: httpx.AsyncClient) -> dict[str, str]:
    """Register an edition with an encounter, and return the ids that the routes name."""
    api.base_url = httpx.URL(str(api.base_url) + "/v1")
    edition = await EditionHarness(api).set_up(coming_edition_body())
    accepted = await edition.request(0, 2)
    await edition.post(f"{edition.path}/match-requests/{accepted['request_id']}/acceptance")
    request = await edition.request(1, 3)
    listed: list[dict[str, Any]] = []
    for _ in range(600):
        listed = (await api.get(f"{edition.path}/encounters")).raise_for_status().json()["items"]
        if listed:
            break
        await asyncio.sleep(0.1)
    return defaultdict(lambda: "none") | {
        "edition_id": edition.edition_id, "organisation_id": edition.organisations[0],
        "participant_id": edition.participants[0], "request_id": request["request_id"],
        "encounter_id": listed[0]["encounter_id"], "one": edition.participants[0], "other": edition.participants[2],
    }  # fmt: skip


def filled(body: Any, things: dict[str, str]) -> Any:
    """Return a body with ids in place of their names in braces."""
    text = json.dumps(body)
    for name, value in things.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


async def answer_to(api: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Send a request, again after the time in `Retry-After`: the first what-if starts a worker, slowly.

    A setting that is missing is missing at every try.
    """
    for _ in range(15):
        answer = await api.send(request, stream=True)
        if not request.url.path.endswith("/stream"):  # a stream has no end
            await answer.aread()
        await answer.aclose()
        if not answer.is_server_error:
            break
        await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
    return answer


async def test_no_route_lacks_a_setting_under_compose(stack: ComposeStack, api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).raise_for_status().json()
    ready = {
        service: (await api.get(f"{stack.addresses[service]}/readyz")).json() for service in ("registration", *PEERS)
    }
    things = await things_of_an_edition(api)
    api.base_url = httpx.URL(stack.addresses["registration"])
    operations = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    answers: dict[str, httpx.Response] = {}
    # The routes of matching and the scheduler come first: further ones may cancel what they answer about.
    for operation in [*ANSWERED_BY_PEERS, *(set(operations) - set(ANSWERED_BY_PEERS))]:
        method, path = operation.split()
        body = filled(ANSWERED_BY_PEERS.get(operation), things)
        request = api.build_request(
            method,
            path.format_map(things),
            json=body,
            params={"tables": 1} if path.endswith("/what-if") else {},
            headers={"If-Match": "*"},
        )
        answers[operation] = await answer_to(api, request)

    assert {service for service, body in ready.items() if body["missing"]} == set()
    assert {operation: answer.text for operation, answer in answers.items() if answer.is_server_error} == {}
    failed = {
        operation: answers[operation].text
        for operation in ANSWERED_BY_PEERS
        if not answers[operation].is_success and answers[operation].status_code != REFUSED.get(operation)
    }
    assert failed == {}
