"""Wiring of the portal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from services.portal.handlers import listen
from services.portal.pages import failures, live, signing_in
from services.portal.pages.context import PortalContext
from services.portal.pages.person import agenda, facts, people, requests
from services.portal.pages.staff import desk, edition, encounters, printing, views
from services.portal.pages.staff import people as directory
from services.portal.pages.writer import TemplateWriter
from services.portal.registration import RegistrationProxy
from services.portal.service import ReadModel
from services.portal.settings import Settings
from services.portal.store import MongoThings
from services.portal.stream import Nudges
from services.portal.visitors import Visitors
from shared.app import Infrastructure, Runtime, operational_routes
from shared.runtime.http.measured import MeasuredRequests


@dataclass(frozen=True)
class WiredPortal:
    """The parts that `assemble` has wired. Production runs `runtime`; component tests read the model as well."""

    runtime: Runtime
    read_model: ReadModel
    context: PortalContext

    def app(self) -> FastAPI:
        """Return the ASGI application: the pages and the operational routes."""
        app = make_pages(self.context, lambda _: self.runtime.lifespan())
        app.router.routes.extend(operational_routes(self.runtime.health))
        return app


def make_pages(context: PortalContext, lifespan: Callable[[FastAPI], Any] | None = None) -> FastAPI:
    """Return the pages over a context, of production or of a test."""
    app = FastAPI(title="Tertulia", lifespan=lifespan, openapi_url=None, redirect_slashes=False)
    app.state.context = context
    for module in (
        agenda,
        requests,
        people,
        facts,
        live,
        views,
        encounters,
        desk,
        directory,
        edition,
        printing,
        signing_in,
    ):
        app.include_router(module.router)
    app.mount("/static", StaticFiles(directory=str(files("services.portal") / "static")))
    failures.install(app)
    app.add_middleware(MeasuredRequests)
    return app


def make(settings: Settings) -> FastAPI:
    """Make the service with the drivers of production; it starts with its lifespan."""
    return assemble(settings, Infrastructure.connect_to(settings), RegistrationProxy.of(settings)).app()


def assemble(settings: Settings, infrastructure: Infrastructure, registration: RegistrationProxy) -> WiredPortal:
    """Wire the service. The runtime closes the client of registration."""
    runtime = Runtime(settings, infrastructure)
    store = MongoThings(infrastructure.mongo.database(settings.database))
    read_model = ReadModel(store, settings.editions_in_memory)
    nudges = Nudges(store, settings.streams)
    visitors = Visitors(registration, settings.rights_seconds, infrastructure.monotonic)
    clock = infrastructure.mongo.now
    context = PortalContext(settings, read_model, nudges, registration, visitors, TemplateWriter(), clock)
    listen(runtime.add_consumer(), read_model)
    runtime.background.every(settings.nudge_seconds, nudges.look, "nudges")
    runtime.prepare.append(store.prepare)
    runtime.close.append(registration.close)
    return WiredPortal(runtime, read_model, context)
