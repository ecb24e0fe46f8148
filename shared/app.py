"""How a service runs: one process, its consumer, its background work, and `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from faststream.kafka import KafkaBroker
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.messaging.consumer import Consumer
from shared.runtime.background import Background
from shared.runtime.health import Health, NotReady
from shared.runtime.log import configure, get_logger
from shared.runtime.retry import waits
from shared.runtime.settings import ServiceSettings
from shared.storage.mongo import Mongo

_log = get_logger(__name__)

Hook = Callable[[], Awaitable[Any]]
#: How often the database is asked for the time.
_TIME_EVERY_SECONDS = 30.0


@dataclass
class Runtime:
    """What every service is made of, and the order in which it comes up and goes down."""

    settings: ServiceSettings
    broker: KafkaBroker
    mongo: Mongo
    health: Health
    background: Background
    consumer: Consumer | None = None
    #: Run before anything is consumed: indexes.
    prepare: list[Hook] = field(default_factory=list)
    #: Run while Kafka lets us into the group, which takes seconds: what is slow to load.
    warm_up: list[Hook] = field(default_factory=list)
    #: Run when nothing comes in any more: what is to be sent before Kafka is let go.
    drain: list[Hook] = field(default_factory=list)
    #: Run last, once nothing is in hand.
    close: list[Hook] = field(default_factory=list)
    _why_not_up: str = "starting"

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Serve at once, come up beside it: while Kafka or Mongo is away the service is alive and not ready."""
        self.health.require("start", self._is_up)
        self.health.require("mongo", self.mongo.ping)
        self.background.every(_TIME_EVERY_SECONDS, self.mongo.ping, "time")
        coming_up = asyncio.create_task(self._come_up())
        try:
            yield
        finally:
            coming_up.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await coming_up
            await self._go_down()

    async def _come_up(self) -> None:
        for pause in waits():
            try:
                await self.mongo.ping()
                for hook in self.prepare:
                    await hook()
                await self._begin()
            except Exception as error:  # noqa: BLE001 - a server that is away, or credentials that are wrong: both can be mended
                self._why_not_up = repr(error)
                _log.warning("not_up_yet", error=self._why_not_up)
                await self.broker.stop()
                await asyncio.sleep(pause)
            else:
                break
        await self.background.start()
        self._why_not_up = ""
        _log.info("started", database=self.settings.database)

    async def _begin(self) -> None:
        """Join the group and warm up side by side; both have ended before either's failure is told."""
        begun = (self.broker.start(), *(hook() for hook in self.warm_up))
        for outcome in await asyncio.gather(*begun, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _go_down(self) -> None:
        if self.consumer:
            await self.consumer.stop()
        await self.background.stop()
        for hook in self.drain:
            await hook()
        await self.broker.stop()
        for hook in self.close:
            await hook()
        await self.mongo.close()
        _log.info("stopped")

    async def _is_up(self) -> None:
        if self._why_not_up:
            raise NotReady(self._why_not_up)


def make_app(runtime: Runtime, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The application of a service that is fed by Kafka, with the `routes` at which it can be asked besides."""
    return Starlette(routes=[*operational_routes(runtime.health), *routes], lifespan=lambda _: runtime.lifespan())


def operational_routes(health: Health) -> list[Route]:
    """`/livez`, `/readyz` and `/metrics`."""

    async def livez(_: Request) -> Response:
        stalled = health.stalled()
        body = {"status": "stalled" if stalled else "live", "stalled": stalled}
        return JSONResponse(body, 503 if stalled else 200)

    async def readyz(_: Request) -> Response:
        missing = await health.missing()
        body = {"status": "not ready" if missing else "ready", "missing": missing}
        return JSONResponse(body, 503 if missing else 200)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def serve(settings: ServiceSettings, make: Callable[[], Any]) -> None:
    """Configure the logs, make the application and serve it until SIGTERM or SIGINT."""
    configure(settings, settings.service)
    # Events and documents hold no cycles: looking for some after every 700 new objects took 4 % of a service's time.
    gc.set_threshold(20_000, 20, 20)
    uvicorn.run(
        make(),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
