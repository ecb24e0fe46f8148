"""The server of a process: its ports, TLS, the limit of requests in progress, and the split of the paths."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
import sys
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime.http.admission import BoundedConfig
from shared.runtime.http.bounds import BUSY, Bounds
from shared.runtime.http.connection import BoundedConnection
from shared.runtime.http.refusals import Refusal
from shared.runtime.log import get_logger
from shared.runtime.metrics import HTTP_REFUSED
from shared.runtime.settings import ServiceSettings, variables

#: Paths for the people and programs that run the service.
OPERATIONAL_PATHS = frozenset({"/livez", "/readyz", "/metrics"})
#: Most connections of a metrics port of its own.
_METRICS_CONNECTIONS = 100
#: Files that connections, drivers and models may have open; the hard limit of the system may be lower.
_OPEN_FILES = 8192
_BACKLOG = 2048
_log = get_logger(__name__)
_NOT_HERE = Refusal(HTTPStatus.NOT_FOUND, "not-found", "this port does not serve this path")


def run(settings: ServiceSettings, app: ASGIApp) -> None:
    """Serve an application until SIGTERM or SIGINT.

    Raises:
        SystemExit: a port or a file of the settings cannot be used; the message names the setting.
    """
    _allow_open_files()
    tls = tls_context(settings.http_tls_certificate_file, settings.http_tls_key_file)
    http = _listen("http_port", settings.http_host, settings.http_port)
    metrics = None
    if settings.metrics_port:
        metrics = _listen("metrics_port", settings.metrics_host or settings.http_host, settings.metrics_port)
    leaving = Leaving(app, settings.leave_seconds)
    server = _Server(_config(settings, leaving, tls, http, metrics), leaving)
    with contextlib.suppress(KeyboardInterrupt):
        server.run([http, metrics] if metrics else [http])
    if not server.started:
        sys.exit(1)


def tls_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return the TLS context of the server, or None without a certificate.

    Raises:
        SystemExit: a file is missing, unreadable, or no certificate or key; or the key is another certificate's.
    """
    if certificate is None or key is None:
        return None
    for setting, file in (("http_tls_certificate_file", certificate), ("http_tls_key_file", key)):
        try:
            file.read_bytes()
        except OSError as error:
            raise SystemExit(f"{variables(setting)}: {file}: {error.strerror}") from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a terminal to ask for it, a passphrase is an error.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as error:
        names = variables("http_tls_certificate_file", "http_tls_key_file")
        raise SystemExit(
            f"{names}: {certificate} and {key} do not hold a certificate chain and its key in PEM, unencrypted: {error}"
        ) from error
    return context


def _config(
    settings: ServiceSettings,
    app: ASGIApp,
    tls: ssl.SSLContext | None,
    http: socket.socket,
    metrics: socket.socket | None,
) -> BoundedConfig:
    times = (settings.http_head_seconds, settings.http_body_seconds)
    bounds = {_port_of(http): Bounds(settings.http_connections, *times)}
    app = RequestLimit(app, settings.http_requests)
    if metrics is not None:
        bounds[_port_of(metrics)] = Bounds(_METRICS_CONNECTIONS, *times)
        app = PortSplit(app, _port_of(metrics))
    return BoundedConfig(
        app,
        http=BoundedConnection,
        bounds=bounds,
        tls=tls,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
        timeout_keep_alive=settings.http_idle_seconds,  # uvicorn takes fractions
        timeout_graceful_shutdown=int(settings.shutdown_seconds),
    )


class Leaving:
    """ASGI middleware that answers `/readyz` with 503 between SIGTERM and the stop, while all else is served.

    A balancer needs some seconds to see that it must send no more requests.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.seconds = seconds
        self.has_begun = False
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.has_begun and scope["type"] == "http" and scope["path"] == "/readyz":
            body = {"status": "not ready", "missing": {"start": "the process is about to stop"}}
            await JSONResponse(body, HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Server(uvicorn.Server):
    """uvicorn's server, which stops some seconds after the first signal, and at once after a second signal."""

    def __init__(self, config: BoundedConfig, leaving: Leaving) -> None:
        super().__init__(config)
        self._leaving = leaving
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._leaving.has_begun or not self._leaving.seconds or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._leaving.has_begun = True
        stop = partial(super().handle_exit, sig, frame)
        # A signal interrupts the loop anywhere; its timers may be set only in its turn.
        self._loop.call_soon_threadsafe(self._loop.call_later, self._leaving.seconds, stop)


class RequestLimit:
    """ASGI middleware that answers 503 while too many requests are in progress, but never to operational paths.

    A client that leaves before its answer is no failure of the service.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPERATIONAL_PATHS:
            await self._app(scope, receive, send)
            return
        if self._in_progress >= self._most:
            HTTP_REFUSED.labels(reason=BUSY.slug).inc()
            await _answer(BUSY, send)
            return
        self._in_progress += 1
        try:
            with contextlib.suppress(ClientDisconnect):
                await self._app(scope, receive, send)
        finally:
            self._in_progress -= 1


class PortSplit:
    """ASGI middleware that serves the operational paths on the metrics port alone, and all further paths elsewhere."""

    def __init__(self, app: ASGIApp, metrics_port: int) -> None:
        self._app = app
        self._metrics_port = metrics_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_here = scope["type"] != "http" or (
            (scope["path"] in OPERATIONAL_PATHS) == (scope["server"][1] == self._metrics_port)
        )
        await (self._app(scope, receive, send) if is_here else _answer(_NOT_HERE, send))


async def _answer(refusal: Refusal, send: Send) -> None:
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": refusal.headers})
    await send({"type": "http.response.body", "body": refusal.body})


def _listen(setting: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SystemExit(f"{variables(setting)}: {host}:{port}: {error.strerror or error}") from error
    _log.info("listening", host=host, port=_port_of(listener))
    return listener


def _port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def _allow_open_files() -> None:
    """Raise the limit of open files, so that it is not the first bound that a flood of connections meets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
