from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services import SERVICES
from shared.runtime import clock
from tests.chaos.skewed import skew
from tests.chaos.stack import ALL_INSTANCES, KAFKA, PROXIES, ChaosStack


def test_services_use_the_proxies_and_the_harness_the_servers(tmp_path: Path) -> None:
    stack = ChaosStack(tmp_path)
    told = stack.environment
    proxied = {f"127.0.0.1:{stack.proxies[name].port}" for name in KAFKA}
    assert set(told["TERTULIA_KAFKA_BOOTSTRAP"].split(",")) == proxied
    assert not proxied & set(stack.kafka.split(","))
    assert str(stack.proxies["mongo"].port) in told["TERTULIA_MONGO_URL"]
    assert str(stack.proxies["mongo"].port) not in stack.mongo
    assert told["TERTULIA_SMTP_PORT"] == str(stack.proxies["smtp"].port)
    assert set(stack.proxies) == set(PROXIES)


def test_each_service_has_two_instances_on_ports_of_their_own(tmp_path: Path) -> None:
    stack = ChaosStack(tmp_path)
    assert sorted(ALL_INSTANCES) == sorted(f"{service}-{number}" for service in SERVICES for number in (1, 2))
    assert len({stack.http(name) for name in ALL_INSTANCES}) == len(ALL_INSTANCES)
    assert stack.registrations == [stack.http("registration-1"), stack.http("registration-2")]


@pytest.fixture
def right_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], datetime]:
    right = clock.utc_now
    monkeypatch.setattr(clock, "utc_now", right)  # put back at the end
    return right


@pytest.mark.parametrize("offset", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_skewed_clock_is_off_by_its_offset(right_clock: Callable[[], datetime], offset: timedelta) -> None:
    skew(offset)
    assert abs(clock.utc_now() - right_clock() - offset) < timedelta(seconds=5)


def test_a_module_run_with_a_skewed_clock_has_it_by_any_import(tmp_path: Path) -> None:
    (tmp_path / "tells.py").write_text(
        "from shared.runtime.clock import utc_now\nprint(utc_now().timestamp() if __name__ == '__main__' else '')"
    )
    path = f"{tmp_path}:{Path(clock.__file__).parents[1]}"
    command = [sys.executable, "-m", "tests.chaos.skewed", "3600", "tells"]
    said = subprocess.run(command, check=True, capture_output=True, env={"PYTHONPATH": path}).stdout
    assert abs(json.loads(said) - datetime.now(UTC).timestamp() - 3600) < 60
