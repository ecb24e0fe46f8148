from __future__ import annotations

from pathlib import Path

from deploy.embedded.stack import Stack
from services import SERVICES


def test_addresses_name_every_service_and_no_port_twice(tmp_path: Path) -> None:
    addresses = Stack(tmp_path, broker="kafka", brokers=3).addresses

    assert set(addresses) == {"kafka", "mongo", "smtp", *SERVICES}
    ports = [part.rpartition(":")[2] for address in addresses.values() for part in address.split(",")]
    assert len(set(ports)) == len(ports) == 3 + 2 + len(SERVICES)


def test_tansu_is_one_broker_without_idempotent_producers(tmp_path: Path) -> None:
    environment = Stack(tmp_path, broker="tansu", brokers=3).environment

    assert "," not in environment["TERTULIA_KAFKA_BOOTSTRAP"]
    assert environment["TERTULIA_KAFKA_IDEMPOTENCE"] == "false"


def test_settings_of_the_caller_win(tmp_path: Path) -> None:
    stack = Stack(tmp_path, broker="kafka", settings={"TERTULIA_LOG_LEVEL": "debug", "TERTULIA_SMTP_PORT": "1"})

    assert stack.environment["TERTULIA_KAFKA_IDEMPOTENCE"] == "true"
    assert stack.environment["TERTULIA_LOG_LEVEL"] == "debug"
    assert stack.environment["TERTULIA_SMTP_PORT"] == "1"


def test_two_runs_share_no_folder(tmp_path: Path) -> None:
    assert Stack(tmp_path).folder != Stack(tmp_path).folder
