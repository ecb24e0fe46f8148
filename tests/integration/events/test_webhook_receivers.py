"""The receivers of the docs, in Python and Node, get webhooks over HTTP and rebuild every agenda."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from deploy.embedded.probes import free_ports
from services.events.item import item_of
from services.events.webhooks.addresses import TargetRules
from services.events.webhooks.client import WebhookClient
from services.events.webhooks.delivery import WebhookDelivery
from services.events.webhooks.signing import SigningSecret, signed_headers
from shared.contract.events import AgendaChanged
from shared.internal_api.webhooks import ChangedWebhook, SecretRotation, WebhookAlgorithm
from shared.runtime.clock import utc_now
from tests.support.documents import ROOT
from tests.support.notify_stage import agenda, edition, encounter
from tests.support.waiting import wait_until
from tests.support.webhook_stage import WebhookStage

FOLDER = ROOT / "docs" / "integrations"
RECEIVERS = {"python": [sys.executable, str(FOLDER / "receive.py")], "node": ["node", str(FOLDER / "receive.mjs")]}
#: Each revision of each agenda; some agendas change often.
AGENDAS = [
    agenda(revision, encounter(number, number + 1), number=number)
    for revision in range(1, 4)
    for number in range(4)
    if revision <= number + 1
]


@asynccontextmanager
async def receiver(language: str, secret: str) -> AsyncIterator[str]:
    """Run a receiver, and yield its address."""
    command = RECEIVERS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    [port] = free_ports(1)
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/"
    try:
        await wait_until(lambda: answers(address), seconds=30)
        yield address
    finally:
        process.kill()
        await process.wait()


async def answers(address: str) -> bool:
    try:
        await kept(address)
    except httpx.TransportError:
        return False
    return True


async def kept(address: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        answer: dict[str, Any] = (await client.get(address)).json()
        return answer


def stage_with_network() -> WebhookStage:
    """Return a stage whose messages go over the network of this machine."""
    stage = WebhookStage(webhook_private_networks=True)
    stage.time.now = utc_now()
    rules = TargetRules(private_networks=True)
    stage.receivers = WebhookClient(rules, connect_seconds=5, answer_seconds=5)  # type: ignore[assignment]
    stage.wired = stage.process()
    return stage


def newest() -> dict[str, Any]:
    return {event.participant_id: event.to_json() for event in AGENDAS}


@pytest.mark.parametrize("algorithm", WebhookAlgorithm)
@pytest.mark.parametrize("language", RECEIVERS)
async def test_a_receiver_written_from_the_docs_rebuilds_every_agenda(
    language: str, algorithm: WebhookAlgorithm
) -> None:
    stage = stage_with_network()
    made = await stage.add("http://127.0.0.1:1/", algorithm=algorithm, is_disabled=True)
    async with receiver(language, made.secret) as address:
        await move(stage, made.webhook_id, address)
        await stage.tell(edition(), *AGENDAS)
        await stage.work(5)
        found = await kept(address)
        assert found["agendas"] == newest()
        assert found["messages"] == len(AGENDAS) + 1


@pytest.mark.parametrize("language", RECEIVERS)
async def test_a_receiver_survives_repeats_other_orders_and_a_rotation(language: str) -> None:
    stage = stage_with_network()
    made = await stage.add("http://127.0.0.1:1/", is_disabled=True)
    rotated = await stage.webhooks.rotate(
        "op_1", made.webhook_id, SecretRotation(overlap_hours=1, algorithm=WebhookAlgorithm.ED25519)
    )
    for secret in (made.secret, rotated.secret):
        async with receiver(language, secret) as address:
            await move(stage, made.webhook_id, address)
            await post_all(address, stage, made.webhook_id, [*AGENDAS, *reversed(AGENDAS), *AGENDAS])
            assert (await kept(address))["agendas"] == newest()


@pytest.mark.parametrize("language", RECEIVERS)
async def test_a_receiver_refuses_forged_old_and_changed_messages(language: str) -> None:
    secret, other = SigningSecret.new(WebhookAlgorithm.HMAC), SigningSecret.new(WebhookAlgorithm.HMAC)
    pair, strange = SigningSecret.new(WebhookAlgorithm.ED25519), SigningSecret.new(WebhookAlgorithm.ED25519)
    body = json.dumps({"type": "org.tertulia.agenda.changed.v1", "data": {"participant_id": "p", "revision": 1}})
    now = utc_now()
    async with receiver(language, f"{secret.text} {pair.receivers_part}") as address, httpx.AsyncClient() as client:
        for genuine, forged in ((secret, other), (pair, strange)):
            right = signed_headers([genuine], "msg_1", now, body)
            for headers, sent in (
                (signed_headers([forged], "msg_1", now, body), body),
                (signed_headers([genuine], "msg_1", now.replace(year=now.year - 1), body), body),
                (right, body.replace("1", "2")),
                (right | {"webhook-id": "msg_2"}, body),
                (right | {"webhook-timestamp": str(int(now.timestamp()) + 1)}, body),
                (right | {"webhook-signature": ""}, body),
                ({}, body),
            ):
                answer = await client.post(address, content=sent, headers=headers)
                assert answer.status_code == 401, headers
            assert (await client.post(address, content=body, headers=right)).status_code == 204
        assert (await kept(address))["messages"] == 1


async def move(stage: WebhookStage, webhook_id: str, address: str) -> None:
    """Set the address of a webhook, and enable it."""
    view = await stage.webhooks.get("op_1", webhook_id)
    await stage.webhooks.change(
        "op_1", webhook_id, ChangedWebhook(url=address, label="receiver", revision=view.revision)
    )


async def post_all(address: str, stage: WebhookStage, webhook_id: str, events: list[AgendaChanged]) -> None:
    """Send events in this order, signed as the webhook signs."""
    endpoint = await stage.wired.webhooks.endpoints.find("op_1", webhook_id)
    assert endpoint is not None
    async with httpx.AsyncClient() as client:
        for event in events:
            item = item_of(event, 1)
            assert item is not None
            delivery = WebhookDelivery.of_item(endpoint, item, 1, utc_now())
            headers = signed_headers(endpoint.secrets, delivery.message_id, utc_now(), delivery.body)
            answer = await client.post(address, content=delivery.body, headers=headers)
            assert answer.status_code == 204
