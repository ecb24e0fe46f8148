"""A cluster of one or three Apache Kafka brokers (KRaft, each also a controller) on this machine."""

from __future__ import annotations

import asyncio
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path

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


async def broker_programs(folder: Path, ports: Sequence[int]) -> list[Program]:
    """One program a port, its storage under `folder` formatted and ready to start.

    Raises:
        KafkaUnavailable: Kafka cannot be had here.
    """
    jars = await asyncio.to_thread(fetch)
    controllers = free_ports(len(ports))
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    configured = [
        _write_properties(folder / f"kafka-{node}", node, port, controllers) for node, port in enumerate(ports, start=1)
    ]
    storage_tool = _java(jars, "kafka.tools.StorageTool", "format", "-t", cluster_id, "-c")
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


def _write_properties(folder: Path, node: int, port: int, controllers: Sequence[int]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.properties"
    path.write_text("".join(f"{key}={value}\n" for key, value in _properties(folder, node, port, controllers).items()))
    return path


def _properties(folder: Path, node: int, port: int, controllers: Sequence[int]) -> dict[str, object]:
    replicas = len(controllers)
    in_sync = min(2, replicas)
    return {
        "process.roles": "broker,controller",
        "node.id": node,
        "log.dirs": folder / "data",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controllers[node - 1]}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
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
