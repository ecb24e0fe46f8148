"""The files for containers, checked as far as a machine without containers can."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kafka.jars import version
from deploy.release import objections
from services import SERVICES
from shared.runtime.settings import ENV_PREFIX, ConnectionSettings, variables
from tests.support.outside import checked

ROOT = Path(importlib.import_module("deploy").__path__[0]).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/monitoring/prometheus.yml").read_text())
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ").splitlines()
_PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+[a-z0-9.-]*(@sha256:[0-9a-f]{64})?")


def instructions(name: str) -> list[str]:
    return [line.removeprefix(name).strip() for line in DOCKERFILE if line.startswith(name + " ")]


def settings_of(service: str) -> set[str]:
    fields = importlib.import_module(f"services.{service}.settings").Settings.model_fields
    return {ENV_PREFIX + field.upper() for field in fields}


def of_tertulia(environment: dict[str, Any]) -> set[str]:
    return {name for name in environment if name.startswith(ENV_PREFIX)}


@pytest.mark.parametrize("service", SERVICES)
def test_compose_runs_every_service_with_settings_it_has(service: str) -> None:
    definition = COMPOSE["services"][service]

    assert definition["build"]["args"] == {"SERVICE": service}
    assert of_tertulia(definition["environment"]) <= settings_of(service)
    assert definition["read_only"] is True
    assert "/readyz" in definition["healthcheck"]["test"][-1]


def test_topics_are_applied_before_any_service_starts() -> None:
    topics = COMPOSE["services"]["topics"]

    assert topics["entrypoint"] == ["tertulia", "topics", "apply"]
    assert of_tertulia(topics["environment"]) <= {ENV_PREFIX + name.upper() for name in ConnectionSettings.model_fields}
    for service in SERVICES:
        waits_for = COMPOSE["services"][service]["depends_on"]
        assert waits_for["topics"] == {"condition": "service_completed_successfully"}


def test_every_image_is_pinned_or_ours() -> None:
    images = [definition["image"] for definition in COMPOSE["services"].values()]
    ours = {f"tertulia-{service}" for service in SERVICES}

    assert [image for image in images if image not in ours and not _PINNED.fullmatch(image)] == []


def test_compose_runs_the_kafka_that_the_tests_run() -> None:
    assert COMPOSE["services"]["kafka"]["image"] == f"apache/kafka:{version()}"


def test_every_port_is_bound_to_this_machine_alone() -> None:
    ports = [port for definition in COMPOSE["services"].values() for port in definition.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_secret_is_written_down() -> None:
    for definition in COMPOSE["services"].values():
        for name, value in definition.get("environment", {}).items():
            assert not re.search(r"PASSWORD|TOKEN|API_KEY", name)
            assert "@" not in str(value) or name in {"KAFKA_CONTROLLER_QUORUM_VOTERS", "TERTULIA_MAIL_FROM"}


@pytest.mark.parametrize("service", SERVICES)
def test_compose_sets_all_that_a_part_of_the_api_needs(service: str) -> None:
    definition = COMPOSE["services"][service]
    needed = importlib.import_module(f"services.{service}.settings").Settings.needed

    given = {*definition["environment"], *definition.get("secrets", ())}
    assert {variables(name) for name in needed} - given == set()
    assert set(definition.get("secrets", ())) <= set(COMPOSE["secrets"]) & settings_of(service)


def test_make_writes_the_secrets_that_compose_reads_and_git_ignores_them() -> None:
    files = [secret["file"] for secret in COMPOSE["secrets"].values()]

    [targets] = re.findall(r"^secrets: (.+?)  ##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets.split() == [file.replace("./", "deploy/") for file in files]
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "!deploy/" not in (ROOT / ".dockerignore").read_text().splitlines()


def test_prometheus_scrapes_every_service_and_nothing_else() -> None:
    [job] = PROMETHEUS["scrape_configs"]
    targets = [target for config in job["static_configs"] for target in config["targets"]]

    assert sorted(targets) == sorted(f"{service}:8000" for service in SERVICES)
    for service in SERVICES:
        assert str(COMPOSE["services"][service]["environment"]["TERTULIA_HTTP_PORT"]) == "8000"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_lock_with_hashes_and_without_addresses(service: str) -> None:
    lock = (ROOT / f"requirements/{service}.lock").read_text()

    pins = re.findall(r"^[a-zA-Z0-9_.-]+(?:\[.+\])?==", lock, re.MULTILINE)
    assert pins
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock


def test_the_image_is_pinned_installed_by_hash_and_runs_without_root_or_shell() -> None:
    arguments = dict(line.split("=", 1) for line in instructions("ARG") if "=" in line)
    assert _PINNED.fullmatch(arguments["BASE_IMAGE"])
    assert list(objections((ROOT / "deploy/Dockerfile").read_text(), "sha256:" + 64 * "0")) == []
    assert instructions("USER") == ["10001:10001"]
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["/app/bin/serve"]
    [health_check] = instructions("HEALTHCHECK")
    assert "/livez" in json.loads(health_check[health_check.index("[") :])[-1]
    installs = [line for line in instructions("RUN") if re.search(r"pip (install|sync)", line)]
    assert [line for line in installs if "--require-hashes" not in line] == []


def test_no_step_of_the_image_installs_a_compiler_or_another_package_of_the_system() -> None:
    assert [line for line in instructions("RUN") if re.search(r"\b(apt|apt-get|apk|dpkg|gcc|curl|wget)\b", line)] == []


def test_the_image_copies_only_what_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = {line.removeprefix("!").rstrip("/") for line in ignored if line.startswith("!")}
    sources = [source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]]

    for source in sources:
        path = source.replace("${SERVICE}", "notify").rstrip("/")
        assert (ROOT / path).exists()
        assert path.split("/")[0] in kept


def test_the_library_of_compose_reads_the_file() -> None:
    resolved = json.loads(checked("compose", str(ROOT / "deploy/compose.yaml")))
    assert sorted(resolved["services"]) == sorted(COMPOSE["services"])


def test_the_parser_and_the_lint_of_docker_build_take_the_dockerfile() -> None:
    checked("dockerfile", str(ROOT / "deploy/Dockerfile"))


def test_hadolint_has_no_objection_to_the_dockerfile() -> None:
    checked("hadolint", str(ROOT / "deploy/Dockerfile"))


def test_promtool_reads_the_configuration_of_prometheus() -> None:
    checked("promtool", "check", "config", str(ROOT / "deploy/monitoring/prometheus.yml"))
