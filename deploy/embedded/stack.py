"""Tertulia on a single machine: broker, database, mail sink and the four services."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from deploy.embedded import programs
from deploy.embedded.probes import HOST, free_ports
from deploy.embedded.process import Program
from deploy.embedded.supervisor import Supervisor
from deploy.kafka.cluster import broker_programs
from services import SERVICES
from shared.messaging import topic_admin
from shared.runtime.settings import ConnectionSettings

#: A single process per service needs no more partitions, and a partition costs time in every fetch.
_PARTITIONS = 2


class Stack(Supervisor):
    """The embedded stack, in a new folder under `root`: `logs/`, `mails/`, and `data/` until it stops.

    The broker is Tansu (starts faster, in memory) or Apache Kafka with `brokers` brokers, 1 or 3. `settings` are
    further environment variables for every service. `start` does not wait for the `latecomers`.
    """

    def __init__(
        self,
        root: Path,
        broker: Literal["tansu", "kafka"] = "tansu",
        brokers: int = 1,
        settings: Mapping[str, str] | None = None,
        latecomers: Collection[str] = (),
    ) -> None:
        super().__init__(root)
        self.mails = self.folder / "mails"
        self._broker = broker
        self._settings = settings or {}
        self._latecomers = latecomers
        self._token, self._link_secret = secrets.token_urlsafe(), secrets.token_urlsafe()
        self._mongo_port, self._smtp_port, *ports = free_ports(2 + len(SERVICES) + brokers)
        self._http_ports = dict(zip(SERVICES, ports, strict=False))
        self._kafka_ports = ports[len(SERVICES) :] if broker == "kafka" else ports[-1:]

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses by name: `kafka` (bootstrap servers), `mongo`, `smtp`, and the services (HTTP)."""
        return {
            "kafka": ",".join(f"{HOST}:{port}" for port in self._kafka_ports),
            "mongo": programs.secantus_url(self._mongo_port),
            "smtp": f"{HOST}:{self._smtp_port}",
            **{name: f"http://{HOST}:{port}" for name, port in self._http_ports.items()},
        }

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with the settings of the stack, for its services and for commands that join it."""
        connections = programs.connections(
            kafka=self.addresses["kafka"],
            partitions=_PARTITIONS,
            mongo=self.addresses["mongo"],
            smtp_port=self._smtp_port,
            addresses=self.addresses,
            token=self._token,
        )
        idempotence = {"TERTULIA_KAFKA_IDEMPOTENCE": "true" if self._broker == "kafka" else "false"}
        links = {"TERTULIA_PUBLIC_URL": self.addresses["notify"], "TERTULIA_LINK_SECRET": self._link_secret}
        return {**connections, **idempotence, **links, **self._settings}

    def environment_of(self, service: str) -> Mapping[str, str]:
        """Return the environment of a service: that of the stack."""
        del service
        return self.environment

    async def start(self) -> None:
        """Start the servers, create the topics, start the services, and wait for all but the latecomers.

        Raises:
            ProcessFailed: a program did not start.
            KafkaUnavailable: Apache Kafka was asked for and is not available.
        """
        self.begin(programs.secantus(self._mongo_port, self.data / "mongo"))
        await self.launch(*await self._broker_programs(), programs.smtp_sink(self._smtp_port, self.mails))
        await topic_admin.apply(
            ConnectionSettings(kafka_bootstrap=self.addresses["kafka"], kafka_partitions=_PARTITIONS)
        )
        self.begin(
            *(programs.service(name, port, self.environment_of(name)) for name, port in self._http_ports.items())
        )
        await self.ready(but=self._latecomers)

    async def _broker_programs(self) -> list[Program]:
        if self._broker == "kafka":
            return await broker_programs(self.data, self._kafka_ports)
        return [programs.tansu(self._kafka_ports[0])]
