"""Wiring of registration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.registration import problems
from services.registration.api import (
    affinities,
    agenda,
    day,
    editions,
    imports,
    match_requests,
    observatory,
    organisations,
    participants,
    profile_help,
)
from services.registration.api.access import ApiContext
from services.registration.api.bodies import body_schemas
from services.registration.observing import Observing
from services.registration.operators import Authenticator
from services.registration.peers import Peers, peers_of
from services.registration.publishing import Publishing
from services.registration.service import expire_overdue
from services.registration.settings import Settings
from services.registration.store import KINDS, MongoOperators, MongoStore, collection_of
from shared.app import Infrastructure, Runtime, operational_routes
from shared.messaging.broker import KafkaPublisher
from shared.storage.outbox import OutboxRelay

_ABOUT = """Organisations, participants, profiles, editions and match requests of business-matchmaking editions.

Every request carries an operator's key: `Authorization: Bearer <operator id>.<secret>`. Whatever is wrong is told as
problem details (RFC 9457). Every `POST` that creates takes an `Idempotency-Key`; every other one is idempotent by
nature. `ETag` is the revision; `If-Match` guards a change against another's."""


def make_api(office: ApiContext, lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """The HTTP API over an office: Mongo's, or a test's."""
    app = FastAPI(
        title="Tertulia registration",
        version="1",
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.RESPONSES,
    )
    app.state.office = office
    # Routes are tried in this order: the busiest come first.
    for part in (
        match_requests,
        editions,
        organisations,
        participants,
        imports,
        day,
        agenda,
        profile_help,
        observatory,
        affinities,
    ):
        app.include_router(part.router, prefix="/v1")
    problems.install(app)
    app.add_middleware(Observing)
    _document(app)
    return app


def make(settings: Settings) -> FastAPI:
    """Make the service with the drivers of production; it starts with its lifespan."""
    runtime, context = assemble(settings, Infrastructure.connect_to(settings), peers_of(settings))
    app = make_api(context, lambda _: runtime.lifespan())
    app.router.routes.extend(operational_routes(runtime.health))
    return app


def assemble(settings: Settings, infrastructure: Infrastructure, peers: Peers) -> tuple[Runtime, ApiContext]:
    """Wire the service: its runtime, and the context of its HTTP API. The runtime closes the `peers`."""
    runtime = Runtime(settings, infrastructure)
    clock, database = infrastructure.mongo.now, infrastructure.mongo.database(settings.database)
    publisher = KafkaPublisher(infrastructure.broker)
    publishing = Publishing({kind: OutboxRelay(database[collection_of(kind)], publisher, clock) for kind in KINDS})
    store = MongoStore(database, publishing.soon, infrastructure.monotonic)

    async def expire() -> None:
        await expire_overdue(store, clock)

    runtime.background.every(settings.sweep_seconds, publishing.sweep, "outbox sweep")
    runtime.background.every(settings.expiry_seconds, expire, "request expiry")
    runtime.prepare += [store.prepare, publishing.prepare]
    runtime.drain.append(publishing.drain)
    runtime.close.append(peers.close)
    authenticator = Authenticator(MongoOperators(database), settings.key_cache_seconds)
    return runtime, ApiContext(store, authenticator, settings, clock, peers)


def _document(app: FastAPI) -> None:
    """Put the bodies, which are read by our own hand, and the key into the OpenAPI document."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(body_schemas())
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"key": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's guide says
