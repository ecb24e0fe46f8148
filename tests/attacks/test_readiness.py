"""A stranger asks `/readyz` while servers are away or frozen: it names the parts, and neither addresses nor errors."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from services.notify.app import make
from services.notify.settings import Settings
from services.registration.settings import Settings as RegistrationSettings
from shared.app import make_app
from shared.messaging.broker import make_broker
from tests.support.notify_stage import Stage, agenda, encounter, everybody
from tests.support.registration_api import assembled
from tests.support.servers import Servers
from tests.support.waiting import wait_until

#: Addresses, ports, names of exceptions and their texts.
_LEAKS = re.compile(r"127\.0\.0\.1|localhost|\d{4,}|Error|Exception|Traceback|s3cret|nobody answers")
#: A port on which nothing listens.
_DEAD = 1


@asynccontextmanager
async def frozen_server() -> AsyncIterator[int]:
    """A server that takes connections and bytes, and never answers; its port."""

    async def never_answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    released = asyncio.Event()
    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            released.set()


@asynccontextmanager
async def missing_of(app: Starlette, *expected: str) -> AsyncIterator[None]:
    """Run a service until `/readyz` names the expected parts, and look at each answer for leaks."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
    ):
        yield

        async def names_them() -> bool:
            answer = await client.get("/readyz")
            assert not _LEAKS.search(answer.text), answer.text
            return set(answer.json()["missing"]) == set(expected)

        await wait_until(names_them)


@pytest.mark.parametrize("is_frozen", [False, True], ids=["away", "frozen"])
async def test_a_lost_database_is_named_without_its_address(is_frozen: bool) -> None:
    async with frozen_server() as frozen:
        settings = Settings(
            kafka_bootstrap=f"127.0.0.1:{_DEAD}",
            mongo_url=f"mongodb://tertulia:s3cret@127.0.0.1:{frozen if is_frozen else _DEAD}",
            mongo_timeout_seconds=0.2,
            shutdown_seconds=1,
        )
        async with missing_of(make(settings), "start", "mongo"):
            pass


@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_lost_broker_is_named_by_a_service_without_a_consumer() -> None:
    peer = f"http://127.0.0.1:{_DEAD}"
    settings = RegistrationSettings(
        kafka_bootstrap=f"127.0.0.1:{_DEAD}", internal_token="t0ken", matching_url=peer, scheduler_url=peer
    )
    infrastructure = replace(Servers().infrastructure(), broker=make_broker(settings))
    async with missing_of(assembled(infrastructure, settings=settings).app(), "start", "kafka"):
        pass
    gc.collect()  # FastStream drops a producer that could not start: its warning belongs to this test


async def test_a_lost_mail_server_is_named_without_its_address() -> None:
    stage = Stage(deliver_every_seconds=0.02)
    stage.mailer.away = True
    async with missing_of(make_app(stage.runtime), "smtp"):
        stage.servers.publish(*everybody(), agenda(1, encounter(0, 1)))
        await wait_until(lambda: stage.is_owed("prt_0"))
        stage.time.advance(60)
