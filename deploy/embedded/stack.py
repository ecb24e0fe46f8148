"""Tertulia on a single machine: broker, database, mail sink and the six services."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from deploy.embedded import programs
from deploy.embedded.kept import Identity, identity_of
from deploy.embedded.probes import HOST
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
    further environment variables for every service. `start` does not wait for the `latecomers`. With `keeps`, the
    folder is `root` itself, and data, secrets and ports outlast the stack.
    """

    def __init__(
        self,
        root: Path,
        broker: Literal["tansu", "kafka"] = "tansu",
        brokers: int = 1,
        settings: Mapping[str, str] | None = None,
        latecomers: Collection[str] = (),
        *,
        keeps: bool = False,
    ) -> None:
        super().__init__(root, keeps=keeps)
        self.mails = self.folder / "mails"
        self._broker = broker
        self._settings = settings or {}
        self._latecomers = latecomers
        self._brokers = [f"kafka-{number}" for number in range(1, (brokers if broker == "kafka" else 1) + 1)]
        names = ["mongo", "smtp", *SERVICES, *self._brokers]
        self._identity = identity_of(self.folder, names) if keeps else Identity.new(names)
        self._ports = self._identity.ports

    @property
    def addresses(self) -> dict[str, str]:
        """Addresses by name: `kafka` (bootstrap servers), `mongo`, `smtp`, and the services (HTTP)."""
        return {
            "kafka": ",".join(f"{HOST}:{self._ports[name]}" for name in self._brokers),
            "mongo": programs.secantus_url(self._ports["mongo"]),
            "smtp": f"{HOST}:{self._ports['smtp']}",
            **{name: f"http://{HOST}:{self._ports[name]}" for name in SERVICES},
        }

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with the settings of the stack, for its services and for commands that join it."""
        connections = programs.connections(
            kafka=self.addresses["kafka"],
            partitions=_PARTITIONS,
            mongo=self.addresses["mongo"],
            smtp_port=self._ports["smtp"],
            addresses=self.addresses,
            token=self._identity.token,
        )
        idempotence = {"TERTULIA_KAFKA_IDEMPOTENCE": "true" if self._broker == "kafka" else "false"}
        address = self.addresses["registration"]
        registration = {"TERTULIA_REGISTRATION_URL": address, "TERTULIA_SIGN_IN_URL": address}
        portal = {"TERTULIA_PORTAL_URL": self.addresses["portal"]}
        links = {"TERTULIA_PUBLIC_URL": self.addresses["notify"], "TERTULIA_LINK_SECRET": self._identity.link_secret}
        return {**connections, **registration, **idempotence, **links, **portal, **self._settings}

    @property
    def connections(self) -> ConnectionSettings:
        """The settings for a connection from this process to broker and database."""
        return ConnectionSettings(
            kafka_bootstrap=self.addresses["kafka"],
            kafka_partitions=_PARTITIONS,
            kafka_idempotence=self._broker == "kafka",
            mongo_url=SecretStr(self.addresses["mongo"]),
        )

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
        self.begin(programs.secantus(self._ports["mongo"], self.data / "mongo"))
        smtp_sink = programs.smtp_sink(self._ports["smtp"], self.mails)
        await self.launch(*await self._broker_programs(), smtp_sink)
        if await topic_admin.apply(self.connections):
            await self.topics_created()
        self.begin(*(programs.service(name, self._ports[name], self.environment_of(name)) for name in SERVICES))
        await self.ready(but=self._latecomers)

    async def topics_created(self) -> None:
        """Do what must be done between the creation of topics and the start of the services: nothing here."""

    async def _broker_programs(self) -> list[Program]:
        if self._broker == "kafka":
            folder = self.data / f"brokers-{len(self._brokers)}"
            return await broker_programs(folder, [self._ports[name] for name in self._brokers])
        return [programs.tansu(self._ports[self._brokers[0]])]
