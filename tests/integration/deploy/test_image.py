"""The images of the services, built by the steps of the Dockerfile: they start, and hold a single service."""

from __future__ import annotations

import asyncio
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.embedded.probes import free_ports, http_answers
from deploy.embedded.process import Program
from deploy.embedded.supervisor import Supervisor
from services import SERVICES
from shared.messaging import topic_admin
from shared.runtime.settings import ConnectionSettings
from tests.support.image_build import Image, base_image

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[3]
#: A program that runs the search, and prints the number of functions compiled anew and of functions from the cache.
SEARCH = """
from services.scheduler.solver import kempe, polish
polish.warm_up()
print(sum(kempe.anneal.stats.cache_misses.values()), sum(kempe.anneal.stats.cache_hits.values()))
"""


@pytest.fixture(scope="session")
def base(servers_folder: Path) -> Path:
    return base_image(servers_folder / "base")


@pytest.fixture(params=SERVICES)
def image(request: pytest.FixtureRequest, tmp_path: Path, base: Path) -> Iterator[Image]:
    image = Image(tmp_path, base, ROOT, {"SERVICE": request.param})
    image.build((ROOT / "deploy/Dockerfile").read_text())
    image.seal()
    yield image
    image.unseal()


@pytest.fixture
def launch_here(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Start programs that run until the end of the test: a service that goes on would take records of later tests."""
    supervisor = Supervisor(tmp_path / "runs")
    yield lambda *programs: asyncio.run(supervisor.launch(*programs))
    asyncio.run(supervisor.stop())


def files_of(image: Image) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_mtime_ns) for path in image.root.rglob("*")}


def test_an_image_starts_read_only_and_holds_its_service_alone(
    image: Image,
    request: pytest.FixtureRequest,
    kafka_bootstrap: str,
    kafka_idempotence: bool,
    mongo_url: str,
    mongo_database: str,
    launch_here: Callable[..., None],
) -> None:
    service = request.node.callspec.params["image"]
    connection = ConnectionSettings(kafka_bootstrap=kafka_bootstrap, kafka_idempotence=kafka_idempotence)
    asyncio.run(topic_admin.apply(connection))
    [port] = free_ports(1)
    environment = image.environment | {
        "PYTHONPATH": "",
        "HOME": "/",
        "TERTULIA_HTTP_HOST": "127.0.0.1",
        "TERTULIA_HTTP_PORT": str(port),
        "TERTULIA_INTERNAL_TOKEN": "t0ken",
        "TERTULIA_KAFKA_BOOTSTRAP": kafka_bootstrap,
        "TERTULIA_KAFKA_IDEMPOTENCE": str(kafka_idempotence).lower(),
        "TERTULIA_MATCHING_URL": "http://127.0.0.1:9",
        "TERTULIA_MONGO_DATABASE": mongo_database,
        "TERTULIA_MONGO_URL": mongo_url,
        "TERTULIA_REGISTRATION_URL": "http://127.0.0.1:9",
        "TERTULIA_SCHEDULER_URL": "http://127.0.0.1:9",
    }
    before = files_of(image)

    def answer(*words: str) -> str:
        process = subprocess.run(
            image.command(*words), env=os.environ | environment, cwd=image.root.parent, check=False,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert process.returncode == 0, process.stderr
        return process.stdout

    launch_here(
        Program(
            name=f"{service}-image",
            command=image.command(*image.entrypoint),
            ready=http_answers(port, "/readyz"),
            environment=environment,
        )
    )
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as metrics:
        assert "tertulia_records_total" in metrics.read().decode()
    answer(*image.health_check)
    assert "create" in answer("/app/bin/tertulia", "topics", "--help").lower()
    if service == "scheduler":
        misses, hits = answer("/app/bin/python", "-c", SEARCH).split()
        assert (int(misses), int(hits) > 0) == (0, True)

    [packages] = image.root.glob("app/lib/python*/site-packages")
    assert {path.name for path in (packages / "services").iterdir() if path.is_dir()} - {"__pycache__"} == {service}
    assert not {"bench", "demo", "deploy", "tests"} & {path.name for path in packages.iterdir()}
    assert [path.name for path in image.root.iterdir() if path.name != "tmp"] == ["app"]
    assert files_of(image) == before
