"""A cluster of one or three Apache Kafka brokers (KRaft, each also a controller) on this machine."""

from __future__ import annotations

import asyncio
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from deploy.embedded.probes import HOST, free_ports, kafka_answers
from deploy.embedded.process import Program
from deploy.embedded.supervisor import Supervisor
from deploy.kafka.jars import fetch, java, run

#: A small heap, and a JVM that starts fast rather than runs fast for long.
_JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)
_FORMAT_SECONDS = 60


class Front(NamedTuple):
    """One more listener of a broker, for clients that are to reach it through a proxy.

    The broker listens on `port`, and tells the clients that come this way to find it at `advertised`.
    """

    port: int
    advertised: int


class KafkaCluster(Supervisor):
    """The brokers `kafka-1`..., in a new folder under `root`."""

    def __init__(self, root: Path, brokers: int = 1) -> None:
        super().__init__(root)
        self._ports = free_ports(brokers)

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers, `host:port` separated by commas."""
        return ",".join(f"{HOST}:{port}" for port in self._ports)

    async def start(self) -> None:
        """Fetch Kafka if need be, format new storage, start the brokers, return when all know of each other.

        Raises:
            KafkaUnavailable: it cannot be had here.
            ProcessFailed: a broker did not start.
        """
        await self.launch(*await broker_programs(self.data, self._ports))


async def broker_programs(folder: Path, ports: Sequence[int], fronts: Sequence[Front] = ()) -> list[Program]:
    """One program a port, its storage under `folder` formatted and ready to start; with a front each, if any are given.

    Raises:
        KafkaUnavailable: Kafka cannot be had here.
    """
    jars = await asyncio.to_thread(fetch)
    controllers = free_ports(len(ports))
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    configured = [
        _write_properties(folder / f"kafka-{node}", _properties(node, port, controllers, front))
        for node, (port, front) in enumerate(zip_longest(ports, fronts), start=1)
    ]
    # One argument, since one id in 64 begins with a dash and would be read as an option.
    storage_tool = _java(jars, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config")
    await asyncio.gather(*(asyncio.to_thread(run, [*storage_tool, str(p)], _FORMAT_SECONDS) for p in configured))
    return [
        Program(
            name=properties.parent.name,
            command=_java(jars, "kafka.Kafka", str(properties)),
            ready=kafka_answers(port, brokers=len(ports)),
            is_disposable=True,
        )
        for port, properties in zip(ports, configured, strict=True)
    ]


def _java(jars: Path, *arguments: str) -> list[str]:
    return [java(), *_JVM, *_LOGGING, "-cp", f"{jars}/*", *arguments]


def _write_properties(folder: Path, properties: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.properties"
    properties = {**properties, "log.dirs": folder / "data"}
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    return path


def _properties(node: int, port: int, controllers: Sequence[int], front: Front | None) -> dict[str, object]:
    replicas = len(controllers)
    in_sync = min(2, replicas)
    own = f"PLAINTEXT://{HOST}:{port}"
    return {
        "process.roles": "broker,controller",
        "node.id": node,
        "listeners": f"{own},CONTROLLER://{HOST}:{controllers[node - 1]}" + (_front(front.port) if front else ""),
        "advertised.listeners": own + (_front(front.advertised) if front else ""),
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{n}@{HOST}:{at}" for n, at in enumerate(controllers, start=1)),
        # As in production: no topic by accident, and no acknowledged write that one broker's loss undoes.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        # Unlike production: small, and quick to notice and to answer, since tests wait for it.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 16_777_216,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3000,
    }


def _front(port: int) -> str:
    return f",FRONT://{HOST}:{port}"
