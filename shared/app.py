"""Life of a service process: its drivers, its consumer, its background work, `/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from faststream.kafka import KafkaBroker
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from shared.messaging.broker import make_broker
from shared.messaging.broker_watch import ASK_EVERY_SECONDS, BrokerQuestion, BrokerWatch
from shared.messaging.consumer import Consumer
from shared.messaging.progress import LOOK_EVERY_SECONDS
from shared.runtime.background import Background, measure_loop
from shared.runtime.health import Health, NotReady
from shared.runtime.http.measured import MeasuredRequests
from shared.runtime.http.server import run
from shared.runtime.log import configure, get_logger
from shared.runtime.retry import waits
from shared.runtime.settings import ServiceSettings
from shared.storage.mongo import Mongo, MongoDatabase

_log = get_logger(__name__)

Hook = Callable[[], Awaitable[Any]]
#: Interval at which the database is asked for the time.
_TIME_EVERY_SECONDS = 30.0
_LOOP_EVERY_SECONDS = 2.0
#: Interval of the gauge of missing parts, also while the process waits for its servers to start.
_PARTS_EVERY_SECONDS = 5.0


class DatabaseServer(Protocol):
    """A connection to the database server, and its clock: see `Mongo`."""

    def database(self, name: str) -> MongoDatabase:
        """Return a database by name."""
        ...

    def now(self) -> datetime:
        """Return the server's time, UTC, to the millisecond."""
        ...

    async def ping(self) -> None:
        """Raise unless the server answers."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


@dataclass(frozen=True)
class Infrastructure:
    """Drivers and clocks of one process.

    Production connects to servers (`connect_to`); the simulation and the component tests pass stand-ins in memory.
    Everything else about a service is the same: its `assemble` wires it.
    """

    broker: KafkaBroker
    mongo: DatabaseServer
    #: Seconds that only ever grow, for pauses and time-outs within the process.
    monotonic: Callable[[], float] = time.monotonic
    #: Asks the broker for an answer; None for a stand-in, which always answers.
    ask_broker: BrokerQuestion | None = None

    @classmethod
    def connect_to(cls, settings: ServiceSettings) -> Infrastructure:
        """Make the drivers of the servers in the settings. The first connection is opened by `Runtime.lifespan`."""
        return cls(make_broker(settings), Mongo(settings), ask_broker=BrokerQuestion(settings))


@dataclass
class Runtime:
    """Parts of a service process, and the order in which they start and stop."""

    settings: ServiceSettings
    infrastructure: Infrastructure
    #: Routes of the service besides the operational ones.
    routes: list[BaseRoute] = field(default_factory=list)
    #: Run before anything is consumed: indexes.
    prepare: list[Hook] = field(default_factory=list)
    #: Run while the process joins its consumer group, which takes seconds: models that load slowly.
    warm_up: list[Hook] = field(default_factory=list)
    #: Run once nothing is consumed any more, while Kafka is still connected: messages that wait to be sent.
    drain: list[Hook] = field(default_factory=list)
    #: Run last, once nothing is in hand.
    close: list[Hook] = field(default_factory=list)
    health: Health = field(init=False)
    background: Background = field(init=False)
    watch: BrokerWatch = field(init=False)
    consumer: Consumer | None = field(init=False, default=None)
    _is_started: bool = field(init=False, default=False)
    _is_kafka_away: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.health = Health(self.settings.stall_seconds, self.infrastructure.monotonic)
        self.background = Background(self.health)
        self.watch = BrokerWatch(self.infrastructure.ask_broker, self.infrastructure.monotonic)
        self.background.every(ASK_EVERY_SECONDS, self.watch.look, "broker")
        self.background.every(_LOOP_EVERY_SECONDS, measure_loop, "event loop")
        self.health.require("start", self._check_start)
        self.health.require("kafka", self._check_kafka)
        self.health.require("mongo", self.infrastructure.mongo.ping)
        if self.settings.unset:
            self.health.require("settings", self._check_settings)

    def add_consumer(self) -> Consumer:
        """Make the consumer of a service that is fed by Kafka. Registration has none."""
        infrastructure = self.infrastructure
        self.consumer = Consumer(
            infrastructure.broker, self.settings, self.health, infrastructure.monotonic, self.watch
        )
        self.background.every(LOOK_EVERY_SECONDS, self.consumer.look, "consumer progress")
        return self.consumer

    @contextlib.asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Serve HTTP at once and start the rest beside it: without Kafka or Mongo the service is alive, not ready."""
        mongo = self.infrastructure.mongo
        self.background.every(_TIME_EVERY_SECONDS, mongo.ping, "time")
        tasks = [asyncio.create_task(self._come_up()), asyncio.create_task(self._measure_parts())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
            await self._go_down()

    async def _measure_parts(self) -> None:
        while True:
            await self.health.measure()
            await asyncio.sleep(_PARTS_EVERY_SECONDS)

    async def _come_up(self) -> None:
        for pause in waits():
            try:
                await self.infrastructure.mongo.ping()
                for hook in self.prepare:
                    await hook()
                await self._begin()
            except Exception as error:  # noqa: BLE001 - an unreachable server or wrong credentials: an operator can mend both
                _log.warning("not_up_yet", error=error)
                await self.infrastructure.broker.stop()
                await asyncio.sleep(pause)
            else:
                break
        await self.background.start()
        self._is_started = True
        _log.info("started", database=self.settings.database)

    async def _begin(self) -> None:
        """Join the consumer group and warm up at the same time. An error is raised once both have ended."""
        begun = (self.infrastructure.broker.start(), *(hook() for hook in self.warm_up))
        outcomes = await asyncio.gather(*begun, return_exceptions=True)
        self._is_kafka_away = isinstance(outcomes[0], BaseException)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _go_down(self) -> None:
        if self.consumer:
            await self.consumer.stop()
        await self.background.stop()
        for hook in self.drain:
            await hook()
        await self.infrastructure.broker.stop()
        if self.infrastructure.ask_broker is not None:
            await self.infrastructure.ask_broker.close()
        for hook in self.close:
            await hook()
        await self.infrastructure.mongo.close()
        _log.info("stopped")

    async def _check_start(self) -> None:
        if not self._is_started:
            raise NotReady("the process has not started yet: it waits for the parts named here, or loads its models")

    async def _check_kafka(self) -> None:
        """Check the assignment of a started consumer. Until the first connection is tried, only `start` is missing."""
        if self._is_kafka_away:
            raise NotReady("no connection yet")
        if self._is_started:
            self.watch.check()
            if self.consumer is not None:
                await self.consumer.check()

    async def _check_settings(self) -> None:
        unset = self.settings.unset
        raise NotReady("; ".join(f"{variable} is not set, and {part} need it" for variable, part in unset.items()))


def make_app(runtime: Runtime) -> Starlette:
    """Return the ASGI application of a service that is fed by Kafka."""
    routes = [*operational_routes(runtime.health), *runtime.routes]
    middleware = [Middleware(MeasuredRequests)]
    return Starlette(routes=routes, middleware=middleware, lifespan=lambda _: runtime.lifespan())


def operational_routes(health: Health) -> list[Route]:
    """Return the routes `/livez`, `/readyz` and `/metrics`.

    `/readyz?exclude=kafka` names a missing broker and is ready all the same: registration takes writes without it.
    """

    async def livez(_: Request) -> Response:
        stalled = health.stalled()
        body = {"status": "stalled" if stalled else "live", "stalled": stalled}
        return JSONResponse(body, 503 if stalled else 200)

    async def readyz(request: Request) -> Response:
        missing = await health.missing()
        is_ready = missing.keys() <= set(request.query_params.getlist("exclude"))
        body = {"status": "ready" if is_ready else "not ready", "missing": missing, **health.notes()}
        return JSONResponse(body, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def serve(settings: ServiceSettings, make: Callable[[], Any]) -> None:
    """Configure the logs, make the application and serve it until SIGTERM or SIGINT."""
    configure(settings, settings.service)
    # Events and documents have no reference cycles. Collecting after every 700 new objects took 4 % of the time.
    gc.set_threshold(20_000, 20, 20)
    run(settings, make())
