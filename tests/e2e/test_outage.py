"""Signals of the running product while a server is frozen: each moves within its time, and returns afterwards."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from deploy.embedded.stack import Stack
from services import SERVICES
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tests.support.registration_api import coming_edition_body
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
#: Bounds of the promise, in seconds of silence and after the return.
NOT_READY_SECONDS, READY_SECONDS = 30, 20


class Signals:
    """What probes and Prometheus see of the services."""

    def __init__(self, client: httpx.AsyncClient, addresses: Mapping[str, str]) -> None:
        self._client, self._addresses = client, addresses

    async def missing(self, part: str) -> set[str]:
        """Return the services whose `/readyz` names a part; each answers within two seconds."""
        names = set()
        for name in SERVICES:
            began = time.monotonic()
            answer = await self._client.get(f"{self._addresses[name]}/readyz")
            assert time.monotonic() - began < 2
            if part in answer.json()["missing"]:
                names.add(name)
        return names

    async def alive(self) -> set[str]:
        answers = {name: await self._client.get(f"{self._addresses[name]}/livez") for name in SERVICES}
        return {name for name, answer in answers.items() if answer.status_code == 200}

    async def is_missing(self, part: str, *names: str) -> bool:
        """Return whether exactly these services name a part."""
        return await self.missing(part) == set(names)

    async def is_zero(self, service: str, series: str) -> bool:
        return await self.value(service, series) == 0

    async def value(self, service: str, series: str) -> float:
        page = (await self._client.get(f"{self._addresses[service]}/metrics")).text
        return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(series))


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with Stack(tmp_path) as stack:
        yield stack


async def test_signals_move_while_the_broker_or_the_database_is_frozen_and_return_afterwards(stack: Stack) -> None:
    key = await add_operator(Settings(mongo_url=stack.addresses["mongo"]), "outage", "Outage")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(timeout=10, headers=headers) as client:
        signals, editions = Signals(client, stack.addresses), f"{stack.addresses['registration']}/v1/editions"

        stack.signal("tansu", signal.SIGSTOP)
        assert (await client.post(editions, json=coming_edition_body())).status_code == 201
        await wait_until(lambda: signals.is_missing("kafka", *SERVICES), NOT_READY_SECONDS)
        assert await signals.alive() == set(SERVICES)
        balanced = await client.get(f"{stack.addresses['registration']}/readyz", params={"exclude": "kafka"})
        assert balanced.status_code == 200
        assert await signals.value("matching", "tertulia_broker_silent_seconds") > 15
        assert await signals.value("registration", 'tertulia_unsent{store="editions"}') == 1
        assert await signals.value("registration", 'tertulia_oldest_unsent_seconds{store="editions"}') > 5
        stack.signal("tansu", signal.SIGCONT)
        await wait_until(lambda: signals.is_missing("kafka"), READY_SECONDS)
        await wait_until(lambda: signals.is_zero("registration", "tertulia_unsent{"), 60)

        stack.signal("secantus", signal.SIGSTOP)
        await wait_until(lambda: signals.is_missing("mongo", *SERVICES), NOT_READY_SECONDS)
        assert await signals.alive() == set(SERVICES)
        stack.signal("secantus", signal.SIGCONT)
        await wait_until(lambda: signals.is_missing("mongo"), READY_SECONDS)
        await wait_until(lambda: signals.is_zero("matching", "tertulia_unhandled_seconds{"), 60)
        assert await signals.value("matching", "tertulia_consumer_lag_records{") == 0
