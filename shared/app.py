"""How a service runs: one process, its consumer, its background work, and `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.asgi.types import ASGIApp, Scope
from faststream.kafka import KafkaBroker
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.background import Background
from shared.consumer import Consumer
from shared.health import Health
from shared.log import configure, get_logger
from shared.mongo import Mongo
from shared.settings import ServiceSettings

_log = get_logger(__name__)

Hook = Callable[[], Awaitable[Any]]


@dataclass
class Runtime:
    """What every service is made of, and the order it starts and stops in."""

    settings: ServiceSettings
    broker: KafkaBroker
    mongo: Mongo
    health: Health
    background: Background
    consumer: Consumer | None = None
    #: Run before anything is consumed: indexes, warm-up.
    prepare: list[Hook] = field(default_factory=list)
    #: Run last, once nothing is in hand.
    close: list[Hook] = field(default_factory=list)

    async def start(self) -> None:
        """Before the broker: what consuming needs."""
        self.health.require("mongo", self.mongo.ping)
        for hook in self.prepare:
            await hook()

    async def started(self) -> None:
        """After the broker is connected: what may publish."""
        await self.background.start()
        _log.info("started", database=self.settings.database)

    async def stop(self) -> None:
        """Before the broker: finish what is in hand."""
        if self.consumer:
            await self.consumer.stop()
        await self.background.stop()

    async def stopped(self) -> None:
        """After the broker is gone."""
        for hook in self.close:
            await hook()
        await self.mongo.close()
        _log.info("stopped")

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """The same order for an application that has its own framework (registration's HTTP API)."""
        await self.start()
        await self.broker.start()
        await self.started()
        try:
            yield
        finally:
            await self.stop()
            await self.broker.stop()
            await self.stopped()


def make_app(runtime: Runtime) -> AsgiFastStream:
    """The application of a service that is fed by Kafka alone."""
    return AsgiFastStream(
        runtime.broker,
        asgi_routes=operational_routes(runtime.health),
        on_startup=[runtime.start],
        after_startup=[runtime.started],
        on_shutdown=[runtime.stop],
        after_shutdown=[runtime.stopped],
        logger=None,
    )


def operational_routes(health: Health) -> Sequence[tuple[str, ASGIApp]]:
    """`/livez`, `/readyz` and `/metrics`, each an ASGI application."""

    @get(include_in_schema=False)
    async def livez(scope: Scope) -> AsgiResponse:  # noqa: ARG001 - FastStream hands it over
        stalled = health.stalled()
        return _json({"status": "stalled" if stalled else "live", "stalled": stalled}, failed=bool(stalled))

    @get(include_in_schema=False)
    async def readyz(scope: Scope) -> AsgiResponse:  # noqa: ARG001
        missing = await health.missing()
        return _json({"status": "not ready" if missing else "ready", "missing": missing}, failed=bool(missing))

    @get(include_in_schema=False)
    async def metrics(scope: Scope) -> AsgiResponse:  # noqa: ARG001
        return AsgiResponse(generate_latest(), 200, {"content-type": CONTENT_TYPE_LATEST})

    return [("/livez", livez), ("/readyz", readyz), ("/metrics", metrics)]


def _json(body: dict[str, Any], *, failed: bool) -> AsgiResponse:
    return AsgiResponse(orjson.dumps(body), 503 if failed else 200, {"content-type": "application/json"})


def serve(settings: ServiceSettings, make: Callable[[], Any]) -> None:
    """Configure the logs, make the application and serve it until SIGTERM or SIGINT."""
    configure(settings, settings.service)
    uvicorn.run(
        make(),
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )
