"""The manifests for Kubernetes: judged by kubeconform, and by the rules that no schema holds."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from deploy.kubernetes.manifests import FOLDER
from deploy.monitoring.rules import rules_of
from services import SERVICES
from shared.contract.topics import group_of, topics_of
from shared.messaging import access_rules, topic_admin
from shared.runtime.settings import ENV_PREFIX, PARTITIONS, ConnectionSettings
from tests.support.outside import checked

ROOT = Path(__file__).parents[4]
#: Strimzi publishes no schema in a package. These are the fields that we use, by its documentation.
_STRIMZI: dict[str, Any] = {
    "KafkaTopic": {
        "type": "object",
        "required": ["topicName", "partitions", "replicas", "config"],
        "additionalProperties": False,
        "properties": {
            "topicName": {"type": "string", "pattern": "^[a-z0-9.-]+$"},
            "partitions": {"type": "integer", "minimum": 1},
            "replicas": {"type": "integer", "minimum": 1, "maximum": 32767},
            "config": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "KafkaUser": {
        "type": "object",
        "required": ["authentication", "authorization"],
        "additionalProperties": False,
        "properties": {
            "authentication": {"const": {"type": "scram-sha-512"}},
            "authorization": {
                "type": "object",
                "required": ["type", "acls"],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "simple"},
                    "acls": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["resource", "operations"],
                            "additionalProperties": False,
                            "properties": {
                                "operations": {"type": "array", "items": {"enum": ["Read", "Write", "Describe"]}},
                                "resource": {
                                    "type": "object",
                                    "required": ["type", "name", "patternType"],
                                    "additionalProperties": False,
                                    "properties": {
                                        "type": {"enum": ["topic", "group", "cluster", "transactionalId"]},
                                        "name": {"type": "string"},
                                        "patternType": {"enum": ["literal", "prefix"]},
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def documents() -> Iterator[dict[str, Any]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load_all(file.read_text())


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [known for known in documents() if known["kind"] == kind and known["metadata"]["name"] == name]
    spec: dict[str, Any] = found["spec"]
    return spec


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {known["metadata"]["name"]: known["spec"] for known in documents() if known["kind"] == kind}


def pod(service: str) -> dict[str, Any]:
    spec: dict[str, Any] = one("Deployment", service)["template"]["spec"]
    return spec


def test_kubeconform_accepts_every_manifest() -> None:
    files = [str(file) for file in sorted(FOLDER.glob("*.yaml")) if file.name != "kustomization.yaml"]
    summary = checked("kubeconform", "-skip", "KafkaTopic,KafkaUser", *files)
    assert "Invalid: 0, Errors: 0" in summary


def test_kubeconform_refuses_a_field_that_does_not_exist(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        (FOLDER / "matching.yaml")
        .read_text()
        .replace("excludePersistentLag", "x")
        .replace("minReplicaCount", "minReplicas")
    )
    assert "minReplicas" in checked("kubeconform", str(broken), allowed=(1,))


@pytest.mark.parametrize("kind", _STRIMZI)
def test_resources_of_strimzi_have_the_fields_of_its_documentation(kind: str) -> None:
    found = of_kind(kind)
    assert found
    for spec in found.values():
        jsonschema.validate(spec, _STRIMZI[kind])


def test_topics_are_those_that_the_command_line_declares() -> None:
    declared = topic_admin.declared(ConnectionSettings.model_construct(kafka_partitions=PARTITIONS))
    found = of_kind("KafkaTopic")
    assert {topic.name: (topic.partitions, topic.config) for topic in declared} == {
        name: (
            spec["partitions"],
            {key: value for key, value in spec["config"].items() if key != "min.insync.replicas"},
        )
        for name, spec in found.items()
    }


@pytest.mark.parametrize("service", SERVICES)
def test_users_have_the_least_rights(service: str) -> None:
    acls = one("KafkaUser", service)["authorization"]["acls"]
    found = {(acl["resource"]["type"], acl["resource"]["name"], *acl["operations"]) for acl in acls}
    rules = access_rules.rules_of_service(service, f"User:{service}")
    assert found == {(str(rule.resource), rule.name, str(rule.operation)) for rule in rules}


@pytest.mark.parametrize("service", SERVICES)
def test_a_deployment_sets_what_a_service_needs_and_nothing_that_it_does_not_know(service: str) -> None:
    settings = importlib.import_module(f"services.{service}.settings").Settings
    known = {ENV_PREFIX + name.upper() for name in settings.model_fields}
    [container], [volume] = pod(service)["containers"], [v for v in pod(service)["volumes"] if v["name"] == "secrets"]
    files = [item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]]
    secrets = {name for name in files if name.startswith(ENV_PREFIX)}
    given = {variable["name"] for variable in container["env"]} | secrets
    assert given <= known
    assert {ENV_PREFIX + name.upper() for name in settings.needed} <= given
    assert not [name for name in given - secrets if "SECRET" in name or "PASSWORD" in name or "TOKEN" in name]


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_is_restricted_spread_and_probed(service: str) -> None:
    spec = pod(service)
    [container] = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert len(spec["topologySpreadConstraints"]) == 2
    paths = [container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")]
    assert paths == ["/livez", "/livez", "/readyz?exclude=kafka" if service == "registration" else "/readyz"]
    assert {"requests", "limits"} <= container["resources"].keys()
    settings = importlib.import_module(f"services.{service}.settings").Settings
    leave = next(int(known["value"]) for known in container["env"] if known["name"] == "TERTULIA_LEAVE_SECONDS")
    assert spec["terminationGracePeriodSeconds"] >= leave + settings.model_fields["shutdown_seconds"].default + 5
    assert one("PodDisruptionBudget", service)["maxUnavailable"] == 1


@pytest.mark.parametrize("service", [name for name in SERVICES if topics_of(name)])
def test_replicas_follow_the_lag_and_never_exceed_the_partitions(service: str) -> None:
    scaled = one("ScaledObject", service)
    assert scaled["maxReplicaCount"] == PARTITIONS
    assert [trigger["metadata"]["topic"] for trigger in scaled["triggers"]] == [t.name for t in topics_of(service)]
    for trigger in scaled["triggers"]:
        assert trigger["metadata"]["consumerGroup"] == group_of(service)
        assert trigger["metadata"]["excludePersistentLag"] == "true"


def test_all_traffic_is_denied_unless_a_policy_allows_it() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["default-deny"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["default-deny"]
    assert set(policies) == {"default-deny", "servers", *SERVICES}
    namespaces = [known for known in documents() if known["kind"] == "Namespace"]
    assert namespaces[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_rules_of_the_operator_are_those_of_prometheus() -> None:
    files = (ROOT / "deploy/monitoring/rules").glob("*.yml")
    groups = one("PrometheusRule", "tertulia")["groups"]
    assert [(group["name"], rule) for group in groups for rule in group["rules"]] == list(rules_of(files))


@pytest.mark.parametrize("folder", ["base", "example"])
def test_a_kustomization_names_resources_that_exist(folder: str) -> None:
    path = FOLDER.parent / folder
    kustomization = yaml.safe_load((path / "kustomization.yaml").read_text())
    assert all((path / resource).exists() for resource in kustomization["resources"])
    images = {image["name"] for image in kustomization.get("images", ())}
    assert images in (set(), {f"tertulia-{service}" for service in SERVICES})
