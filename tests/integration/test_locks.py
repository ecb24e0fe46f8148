"""A service starts with the packages of its own lock: its extra names all its imports."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.embedded.probes import free_ports, http_answers
from deploy.embedded.process import Program
from services import SERVICES
from shared.messaging import topic_admin
from shared.runtime.settings import ConnectionSettings

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"


def environment_of(service: str, folder: Path) -> Path:
    """Make a virtual environment with the packages of the service's lock; return the path of its Python."""
    for command in (
        [UV, "venv", "--quiet", "--python", sys.executable, folder],
        [
            *(UV, "pip", "sync", "--quiet", "--require-hashes", "--python", folder / "bin" / "python"),
            ROOT / "requirements" / f"{service}.lock",
        ],
    ):
        subprocess.run([str(part) for part in command], check=True, cwd=ROOT, timeout=300)
    return folder / "bin" / "python"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_with_its_own_lock_alone(
    service: str,
    tmp_path: Path,
    kafka_bootstrap: str,
    kafka_idempotence: bool,
    mongo_url: str,
    mongo_database: str,
    launch: Callable[..., None],
) -> None:
    connection = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
    asyncio.run(topic_admin.apply(connection))
    (port,) = free_ports(1)
    launch(
        Program(
            name=f"{service}-alone",
            command=(str(environment_of(service, tmp_path / "venv")), "-m", f"services.{service}"),
            ready=http_answers(port, "/readyz"),
            environment={
                "PYTHONPATH": str(ROOT),
                "TERTULIA_KAFKA_BOOTSTRAP": kafka_bootstrap,
                "TERTULIA_KAFKA_IDEMPOTENCE": str(kafka_idempotence).lower(),
                "TERTULIA_MONGO_URL": mongo_url,
                "TERTULIA_MONGO_DATABASE": mongo_database,
                "TERTULIA_HTTP_PORT": str(port),
                "TERTULIA_INTERNAL_TOKEN": "t0ken",
                "TERTULIA_MATCHING_URL": "http://127.0.0.1:9",
                "TERTULIA_SCHEDULER_URL": "http://127.0.0.1:9",
            },
        )
    )
    for path, shown in (("/livez", "live"), ("/metrics", "tertulia_records_total")):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            assert shown in answer.read().decode()
