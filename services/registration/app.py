"""Wiring of registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.registration.affinity_versions import BuiltInVersions, MatchingVersions
from services.registration.amendment_store import MongoAmendmentStore
from services.registration.api import (
    addresses,
    affinities,
    agenda,
    amendments,
    consents,
    day,
    document,
    editions,
    erasures,
    events,
    exports,
    external_ids,
    history,
    import_progress,
    imports,
    keys,
    match_requests,
    me,
    members,
    merges,
    observatory,
    organisations,
    own_facts,
    own_requests,
    participants,
    personal_data,
    problems,
    profile_help,
    proposals,
    retention,
    search,
    sign_in,
    staff,
    templates,
    webhooks,
)
from services.registration.api.access import ApiContext
from services.registration.api.addresses import add_address_page
from services.registration.api.early_refusals import EarlyRefusals
from services.registration.api.middleware import RequestMiddleware
from services.registration.api.oidc import add_oidc_pages
from services.registration.api.reference_page import add_pages
from services.registration.api.sign_in import add_sign_in_page
from services.registration.authenticator import Authenticator
from services.registration.credentials import Credentials
from services.registration.erasure_store import MongoErasureStore
from services.registration.erasures import ErasureStores
from services.registration.import_capacity import ImportCapacity
from services.registration.internal_clients import InternalClients, clients_of
from services.registration.mapping_store import MongoMappingStore
from services.registration.memory_store import InMemoryOperators, InMemoryStore
from services.registration.operator_store import MongoOperators
from services.registration.outbox_publisher import OutboxPublisher
from services.registration.participant_links import ParticipantLinks
from services.registration.retention_store import MongoRetentionStore
from services.registration.service import expire_overdue, move_editions_by_clock, serve_lines
from services.registration.settings import Settings
from services.registration.staff.mailer import NotifyLinkMailer
from services.registration.staff.oidc import OidcProvider
from services.registration.staff.store import MongoStaff
from services.registration.staff.use_cases import SignIn
from services.registration.store import KINDS, MongoStore, collection_of
from services.registration.use_cases.erasure import repeat_due_erasures
from services.registration.use_cases.retention import anonymise_editions
from shared.app import Infrastructure, Runtime, operational_routes
from shared.messaging.broker import KafkaPublisher
from shared.runtime.clock import Clock, utc_now
from shared.runtime.http.measured import MeasuredRequests
from shared.storage.outbox import OutboxRelay

#: Interval at which the times of the last uses of keys are written.
_USES_SECONDS = 60.0
_SESSIONS_SECONDS = 3600.0


def make_api(context: ApiContext, lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """Return the HTTP API over a context, of production or of a test."""
    app = FastAPI(
        title="Tertulia registration",
        version="1",
        description=document.ABOUT,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.RESPONSES,
    )
    app.state.context = context
    # Routes are tried in this order: the busiest come first.
    for module in (
        match_requests,
        editions,
        organisations,
        participants,
        own_requests,
        own_facts,
        members,
        merges,
        amendments,
        erasures,
        retention,
        personal_data,
        consents,
        addresses,
        imports,
        import_progress,
        exports,
        templates,
        day,
        events,
        agenda,
        profile_help,
        observatory,
        affinities,
        proposals,
        external_ids,
        search,
        me,
        keys,
        history,
        staff,
        sign_in,
        webhooks,
    ):
        app.include_router(module.router, prefix="/v1")
    problems.install(app)
    app.add_middleware(EarlyRefusals, context=context)
    app.add_middleware(RequestMiddleware)
    app.add_middleware(MeasuredRequests)
    document.describe(app)
    if context.settings.openapi:
        document.serve(app)
    add_sign_in_page(app)
    add_address_page(app)
    add_oidc_pages(app)
    add_pages(app, has_reference=context.settings.openapi)
    return app


def document_of_api() -> dict[str, Any]:
    """Return the OpenAPI document, without a server."""
    context = ApiContext(InMemoryStore(), Authenticator(InMemoryOperators({}), 0), Settings(), utc_now)
    return make_api(context).openapi()


@dataclass(frozen=True)
class WiredRegistration:
    """The parts that `assemble` has wired: the runtime, the context of the HTTP API, and the sender of the outboxes."""

    runtime: Runtime
    context: ApiContext
    publisher: OutboxPublisher

    def app(self) -> FastAPI:
        """Return the ASGI application: the HTTP API and the operational routes."""
        app = make_api(self.context, lambda _: self.runtime.lifespan())
        app.router.routes.extend(operational_routes(self.runtime.health))
        return app


def make(settings: Settings) -> FastAPI:
    """Make the service with the drivers of production; it starts with its lifespan."""
    return assemble(settings, Infrastructure.connect_to(settings), clients_of(settings)).app()


def assemble(settings: Settings, infrastructure: Infrastructure, clients: InternalClients) -> WiredRegistration:
    """Wire the service. The runtime closes the `clients`."""
    runtime = Runtime(settings, infrastructure)
    clock, database = infrastructure.mongo.now, infrastructure.mongo.database(settings.database)
    kafka = KafkaPublisher(infrastructure.broker)
    publisher = OutboxPublisher({kind: OutboxRelay(database[collection_of(kind)], kafka, clock) for kind in KINDS})
    store = MongoStore(database, publisher.begin, infrastructure.monotonic)

    async def expire() -> None:
        await expire_overdue(store, clock)

    runtime.background.every(settings.sweep_seconds, publisher.sweep, "outbox sweep")
    runtime.background.every(settings.sweep_seconds, publisher.measure, "unsent")

    async def move_editions() -> None:
        await move_editions_by_clock(store, clock)

    runtime.background.every(settings.expiry_seconds, expire, "request expiry")
    runtime.background.every(settings.expiry_seconds, move_editions, "edition phases")

    async def move_lines() -> None:
        await serve_lines(store, clock)

    runtime.background.every(settings.expiry_seconds, move_lines, "session lines")
    amendment_store, erasure_store = MongoAmendmentStore(database), MongoErasureStore(database)

    retention_store = MongoRetentionStore(database)
    stores = ErasureStores(store, erasure_store, amendment_store)

    async def erase_again() -> None:
        await repeat_due_erasures(stores, clock)

    async def anonymise() -> None:
        await anonymise_editions(stores, retention_store, clock)

    runtime.background.every(settings.expiry_seconds, erase_again, "erasures")
    runtime.background.every(settings.expiry_seconds, anonymise, "retention")
    runtime.prepare += [store.prepare, publisher.prepare, amendment_store.prepare, erasure_store.prepare]
    runtime.drain.append(publisher.drain)
    runtime.close.append(clients.close)
    operators = MongoOperators(database)
    authenticator = Authenticator(operators, settings.key_cache_seconds, clock=clock)
    staff_store = MongoStaff(database)
    runtime.prepare.append(staff_store.prepare)
    links = ParticipantLinks(store, settings.link_secret.get_secret_value(), timedelta(days=settings.link_days), clock)

    async def forget_ended_sessions() -> None:
        await staff_store.forget_ended(clock())

    runtime.background.every(_SESSIONS_SECONDS, forget_ended_sessions, "ended sessions")
    link_mailer = NotifyLinkMailer(clients.notify, settings.sign_in_url) if settings.sign_in_url else None
    runtime.background.every(_USES_SECONDS, authenticator.write_uses, "key uses")
    versions = MatchingVersions(clients.matching, infrastructure.monotonic) if clients.matching.has_address else None
    context = ApiContext(
        store,
        Credentials(authenticator, staff_store, links, clock, infrastructure.monotonic),
        settings,
        clock,
        clients,
        versions or BuiltInVersions(),
        ImportCapacity(settings.imports_at_once),
        operators,
        infrastructure.monotonic,
        amendment_store,
        MongoMappingStore(database),
        operators,
        staff_store,
        SignIn(staff_store, link_mailer, clock) if link_mailer else None,
        _oidc_of(settings, runtime, clock),
        erasure_store,
        retention_store,
        link_mailer,
    )
    return WiredRegistration(runtime, context, publisher)


def _oidc_of(settings: Settings, runtime: Runtime, clock: Clock) -> OidcProvider | None:
    """Return the provider by which staff may sign in; None if the installation names none."""
    if not settings.oidc_issuer or not settings.sign_in_url:
        return None
    http = httpx.AsyncClient(timeout=settings.peer_seconds)
    runtime.close.append(http.aclose)
    return OidcProvider(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        f"{settings.sign_in_url.rstrip('/')}/sign-in/oidc/callback",
        http,
        clock,
    )
