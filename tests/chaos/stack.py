"""The stack of a chaos run: two processes of each service; Kafka brokers, database and mail server behind proxies."""

from __future__ import annotations

import contextlib
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from deploy.embedded import programs
from deploy.embedded.probes import HOST, free_ports
from deploy.embedded.process import Program
from deploy.embedded.supervisor import Supervisor
from deploy.kafka.cluster import ProxyListener, broker_programs
from services import SERVICES
from shared.messaging import topic_admin
from shared.runtime.settings import ConnectionSettings
from tests.chaos.proxy import Proxy

BROKERS = 3
INSTANCES = 2
PARTITIONS = 4
SESSION_SECONDS = 6.0
#: Names of the proxies, by the server behind them.
KAFKA = tuple(f"kafka-{node}" for node in range(1, BROKERS + 1))
MONGO, SMTP = "mongo", "smtp"
PROXIES = (*KAFKA, MONGO, SMTP)
#: Intervals and time-outs are shorter than in production, so that ten minutes have room for hundreds of faults.
SETTINGS = {
    "TERTULIA_SESSION_TIMEOUT_MS": str(int(SESSION_SECONDS * 1000)),
    "TERTULIA_BATCH_EVERY_MS": "100",
    "TERTULIA_MONGO_TIMEOUT_SECONDS": "4",
    "TERTULIA_SNAPSHOT_EVERY": "50",
    "TERTULIA_SWEEP_SECONDS": "2",
    "TERTULIA_QUIET_SECONDS": "2",
    "TERTULIA_ANNOUNCE_SECONDS": "10",
    "TERTULIA_IMPROVE_STEPS": "1000",
    "TERTULIA_IMPROVE_ROUNDS": "2",
    "TERTULIA_WINDOW_SECONDS": "1",
    "TERTULIA_WINDOW_LONGEST_SECONDS": "5",
    "TERTULIA_SMTP_TIMEOUT_SECONDS": "2",
    "TERTULIA_SMTP_DATA_SECONDS": "14",
    "TERTULIA_SMTP_RETRY_SECONDS": "0.5",
    "TERTULIA_LEASE_SECONDS": "16",
    "TERTULIA_SHUTDOWN_SECONDS": "10",
    "TERTULIA_OPERATOR_REQUESTS_PER_SECOND": "10000",
    "TERTULIA_OPERATOR_REQUEST_BURST": "10000",
    "TERTULIA_OPERATOR_CALLS_AT_ONCE": "64",
}
#: Readiness waits for servers that are made to fail.
_READY_SECONDS = 300.0


def instance(service: str, number: int) -> str:
    """Return the name of a process of a service, such as `matching-1`."""
    return f"{service}-{number}"


ALL_INSTANCES = tuple(instance(service, number) for service in SERVICES for number in range(1, INSTANCES + 1))


class ChaosStack(Supervisor):
    """All servers and services, in a new folder under `root`. Only the services connect through the `proxies`."""

    def __init__(self, root: Path, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(root)
        self.mails = self.folder / "mails"
        self._settings = {**SETTINGS, **(settings or {})}
        #: Shared by the services; it may be in no log.
        self.token = secrets.token_urlsafe()
        ports = iter(free_ports(3 * BROKERS + 4 + len(ALL_INSTANCES)))
        self._kafka = [next(ports) for _ in KAFKA]
        self._proxy_listeners = [ProxyListener(next(ports), advertised=next(ports)) for _ in KAFKA]
        self._mongo, self._smtp = next(ports), next(ports)
        self._http = dict(zip(ALL_INSTANCES, ports, strict=False))
        listeners = zip(KAFKA, self._proxy_listeners, strict=True)
        self.proxies = {name: Proxy(listener.advertised, listener.port) for name, listener in listeners} | {
            MONGO: Proxy(next(ports), self._mongo),
            SMTP: Proxy(next(ports), self._smtp),
        }
        self._standing = contextlib.AsyncExitStack()

    @property
    def kafka(self) -> str:
        """Addresses of the brokers, without the proxies."""
        return ",".join(f"{HOST}:{port}" for port in self._kafka)

    @property
    def mongo(self) -> str:
        """Address of the database, without the proxy."""
        return programs.secantus_url(self._mongo)

    def http(self, name: str) -> str:
        """Return the HTTP address of an instance of a service."""
        return f"http://{HOST}:{self._http[name]}"

    @property
    def registrations(self) -> list[str]:
        """HTTP addresses of registration's instances."""
        return [self.http(name) for name in ALL_INSTANCES if name.startswith("registration-")]

    @property
    def environment(self) -> dict[str, str]:
        """Settings of all services."""
        connections = programs.connections(
            kafka=",".join(f"{HOST}:{self.proxies[name].port}" for name in KAFKA),
            partitions=PARTITIONS,
            mongo=programs.secantus_url(self.proxies[MONGO].port),
            smtp_port=self.proxies[SMTP].port,
            addresses={service: self.http(instance(service, 1)) for service in SERVICES},
            token=self.token,
        )
        registration = {"TERTULIA_REGISTRATION_URL": self.http(instance("registration", 1))}
        return {**connections, **registration, **self._settings}

    async def start(self) -> None:
        """Start the servers and the proxies, create the topics, then start the services; return when all are ready.

        Raises:
            ProcessFailed: a process did not start; the message says why.
            KafkaUnavailable: Apache Kafka cannot be had here.
        """
        for proxy in self.proxies.values():
            await self._standing.enter_async_context(proxy)
        self.begin(programs.secantus(self._mongo, self.data / "mongo"), programs.smtp_sink(self._smtp, self.mails))
        await self.launch(*await broker_programs(self.data, self._kafka, self._proxy_listeners))
        await self.ready()
        await topic_admin.apply(ConnectionSettings(kafka_bootstrap=self.kafka, kafka_partitions=PARTITIONS))
        self.begin(*self._services())
        await self.ready()

    async def stop(self) -> None:
        """Stop everything, also frozen processes and proxies with toxics."""
        for proxy in self.proxies.values():
            proxy.cure()
        for name in ALL_INSTANCES:
            with contextlib.suppress(StopIteration):
                self.signal(name, signal.SIGCONT)
        await super().stop()
        await self._standing.aclose()

    async def unready(self) -> list[str]:
        """Return the names of the programs that do not answer or are not ready."""
        return [process.program.name for process in self._processes() if not await process.program.ready()]

    def skew(self, name: str, offset: timedelta) -> None:
        """Give an instance a clock that is `offset` fast, from its next start on."""
        process = self._named(name)
        module = f"services.{name.rpartition('-')[0]}"
        wrong = ("-m", "tests.chaos.skewed", str(offset.total_seconds()), module)
        arguments = wrong if offset else ("-m", module)
        process.program = replace(process.program, command=(sys.executable, *arguments))

    def _services(self) -> Iterator[Program]:
        for name, port in self._http.items():
            program = programs.service(name.rpartition("-")[0], port, self.environment)
            yield replace(program, name=name, ready_seconds=_READY_SECONDS)
