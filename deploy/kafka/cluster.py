"""A cluster of 1 or 3 Apache Kafka brokers on this machine (KRaft: every broker is a controller, too)."""

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
from deploy.kafka.security import BrokerSecurity

#: A small heap, and options for a fast start of the JVM rather than a fast long run.
_JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
)
_FORMAT_SECONDS = 60


class ProxyListener(NamedTuple):
    """A second listener of a broker, for clients that connect through a proxy.

    The broker listens on `port`, and advertises the proxy's port `advertised` to these clients.
    """

    port: int
    advertised: int


class KafkaCluster(Supervisor):
    """Brokers `kafka-1`, `kafka-2`, ... in a new folder under `root`."""

    def __init__(self, root: Path, brokers: int = 1) -> None:
        super().__init__(root)
        self._ports = free_ports(brokers)

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers, `host:port` separated by commas."""
        return ",".join(f"{HOST}:{port}" for port in self._ports)

    async def start(self) -> None:
        """Fetch Kafka if it is not cached, format new storage, start the brokers, and wait until they form a cluster.

        Raises:
            KafkaUnavailable: Apache Kafka is not available on this machine.
            ProcessFailed: a broker did not start.
        """
        await self.launch(*await broker_programs(self.data, self._ports))


async def broker_programs(
    folder: Path, ports: Sequence[int], proxy_listeners: Sequence[ProxyListener] = ()
) -> list[Program]:
    """Format storage under `folder`, unless it is formatted, and return a broker program per port.

    `proxy_listeners` holds a second listener per broker, or none at all.

    Raises:
        KafkaUnavailable: Apache Kafka is not available on this machine.
    """
    java()  # first, since the jars are of no use without it
    jars = await asyncio.to_thread(fetch)
    controllers = free_ports(len(ports))
    configured = [
        _write_properties(folder / f"kafka-{node}", _properties(node, port, controllers, listener))
        for node, (port, listener) in enumerate(zip_longest(ports, proxy_listeners), start=1)
    ]
    format_command = _format_command(jars)
    new = [path for path in configured if not (path.parent / "data" / "meta.properties").exists()]
    await asyncio.gather(*(asyncio.to_thread(run, [*format_command, str(p)], _FORMAT_SECONDS) for p in new))
    return [
        Program(
            name=properties.parent.name,
            command=_java(jars, "kafka.Kafka", str(properties)),
            ready=kafka_answers(port, brokers=len(ports)),
            is_disposable=True,
        )
        for port, properties in zip(ports, configured, strict=True)
    ]


async def secured_broker(folder: Path, port: int, security: BrokerSecurity) -> Program:
    """Format storage under `folder`, and return a broker whose clients connect by SASL over TLS and are authorized.

    Raises:
        KafkaUnavailable: Apache Kafka is not available on this machine.
    """
    java()
    jars = await asyncio.to_thread(fetch)
    own, [controller] = folder / "kafka-1", free_ports(1)
    properties = _properties(1, port, [controller], None) | security.properties(own, port, controller)
    path = _write_properties(own, properties)
    format_command = [*_format_command(jars), str(path), *security.format_options]
    await asyncio.to_thread(run, format_command, _FORMAT_SECONDS)
    return Program(
        name=own.name,
        command=_java(jars, "kafka.Kafka", str(path)),
        ready=security.answers(port),
        is_disposable=True,
    )


def acl_command() -> list[str]:
    """Return the command of Kafka's `kafka-acls`. Raises `KafkaUnavailable`."""
    return _java(fetch(), "org.apache.kafka.tools.AclCommand")


def _format_command(jars: Path) -> list[str]:
    cluster_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # A single argument, since an id in 64 begins with a dash and would be read as an option.
    return _java(jars, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "--config")


def _java(jars: Path, *arguments: str) -> list[str]:
    return [java(), *_JVM, *_LOGGING, "-cp", f"{jars}/*", *arguments]


def _write_properties(folder: Path, properties: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "server.properties"
    properties = {**properties, "log.dirs": folder / "data"}
    path.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
    return path


def _properties(node: int, port: int, controllers: Sequence[int], listener: ProxyListener | None) -> dict[str, object]:
    replicas = len(controllers)
    in_sync = min(2, replicas)
    own = f"PLAINTEXT://{HOST}:{port}"
    return {
        "process.roles": "broker,controller",
        "node.id": node,
        "listeners": f"{own},CONTROLLER://{HOST}:{controllers[node - 1]}"
        + (_proxy_listener(listener.port) if listener else ""),
        "advertised.listeners": own + (_proxy_listener(listener.advertised) if listener else ""),
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,FRONT:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{n}@{HOST}:{at}" for n, at in enumerate(controllers, start=1)),
        # As in production: no automatic topics, and no acknowledged write is lost with a single broker.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        # Unlike production: small, with short time-outs, since tests wait for them.
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


def _proxy_listener(port: int) -> str:
    return f",FRONT://{HOST}:{port}"
