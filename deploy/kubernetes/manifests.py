"""The manifests of `base/`: files of the services, of their shared parts, of Kafka and of the rules.

Installations set images, addresses and secrets in an overlay (`example/`). Custom resources are those of Strimzi
(topics, users), KEDA (replicas by lag) and the Prometheus operator (scrapes, rules).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from deploy.kubernetes.workloads import WORKLOADS, Workload
from deploy.monitoring.rules import FOLDER as RULES
from services import SERVICES
from shared.contract.topics import group_of, topics_of
from shared.messaging import access_rules, topic_admin
from shared.runtime.settings import PARTITIONS, ConnectionSettings, ServiceSettings

FOLDER = Path(__file__).parent / "base"
NAMESPACE = "tertulia"
_HTTP, _METRICS = 8000, 9000
_USER = 10001
#: Readiness is withdrawn for two periods of its probe before a process stops.
_LEAVE_SECONDS = 10
_KAFKA_CLUSTER = "tertulia"
_BOOTSTRAP = f"{_KAFKA_CLUSTER}-kafka-bootstrap.{NAMESPACE}.svc:9093"
#: Records behind at which KEDA adds a replica.
_LAG_OF_A_REPLICA = "200"

Manifest = dict[str, Any]


def manifests() -> dict[Path, str]:
    """Return the texts of the files by path."""
    files = {f"{workload.name}.yaml": _service(workload) for workload in WORKLOADS}
    files |= {"shared.yaml": _shared(), "kafka.yaml": [*_topics(), *_users()], "rules.yaml": [_rules()]}
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": sorted(files),
    }
    return {FOLDER / name: _text(documents) for name, documents in files.items()} | {
        FOLDER / "kustomization.yaml": _text([kustomization])
    }


def _text(documents: Iterable[Manifest]) -> str:
    # Through JSON, so that shared objects are written out instead of as aliases.
    plain = json.loads(json.dumps(list(documents)))
    return "# Made by `python -m deploy` from deploy/kubernetes/manifests.py.\n" + yaml.safe_dump_all(
        plain, sort_keys=False, width=1000, allow_unicode=True
    )


def _manifest(api: str, kind: str, name: str, spec: Manifest, labels: dict[str, str] | None = None) -> Manifest:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": labels or _labels()}, "spec": spec}


def _labels(name: str = "") -> dict[str, str]:
    common = {"app.kubernetes.io/part-of": "tertulia"}
    return {"app.kubernetes.io/name": name, **common} if name else common


def _selector(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _service(workload: Workload) -> list[Manifest]:
    name, labels = workload.name, _labels(workload.name)
    selector: Manifest = {"matchLabels": _selector(name)}
    ports: list[Manifest] = [{"name": "http", "port": _HTTP, "targetPort": "http"}]
    ports.append({"name": "metrics", "port": _METRICS, "targetPort": "metrics"})
    account: Manifest = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "labels": labels}}
    endpoint: Manifest = {"port": "metrics", "path": "/metrics", "interval": "5s", "scrapeTimeout": "4s"}
    endpoint |= {"relabelings": [{"targetLabel": "job", "replacement": "tertulia"}]}
    return [
        account | {"automountServiceAccountToken": False},
        _manifest("apps/v1", "Deployment", name, _deployment(workload), labels),
        _manifest("v1", "Service", name, {"selector": _selector(name), "ports": ports}, labels),
        _manifest("policy/v1", "PodDisruptionBudget", name, {"maxUnavailable": 1, "selector": selector}, labels),
        _manifest("networking.k8s.io/v1", "NetworkPolicy", name, _network(workload), labels),
        _manifest(
            "monitoring.coreos.com/v1", "ServiceMonitor", name, {"selector": selector, "endpoints": [endpoint]}, labels
        ),
        _replicas(workload, labels),
    ]


def _deployment(workload: Workload) -> Manifest:
    name, labels = workload.name, _labels(workload.name)
    spread = [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway"}
        | {"labelSelector": {"matchLabels": _selector(name)}}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
    shutdown = int(ServiceSettings.model_fields["shutdown_seconds"].default)
    pod = {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _LEAVE_SECONDS + shutdown + 10,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": spread,
        "containers": [_container(workload)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}, _secrets(workload)],
    }
    return {
        "replicas": 2,
        "selector": {"matchLabels": _selector(name)},
        # A new process is ready before an old one leaves: the group is never smaller.
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {"metadata": {"labels": labels}, "spec": pod},
    }


def _container(workload: Workload) -> Manifest:
    def probe(path: str, period: int, failures: int) -> Manifest:
        get = {"path": path, "port": "metrics"}
        return {"httpGet": get, "periodSeconds": period, "timeoutSeconds": 3, "failureThreshold": failures}

    ready = "/readyz?exclude=kafka" if workload.name == "registration" else "/readyz"
    return {
        "name": workload.name,
        "image": f"tertulia-{workload.name}",
        "ports": [{"name": "http", "containerPort": _HTTP}, {"name": "metrics", "containerPort": _METRICS}],
        "env": [{"name": name, "value": value} for name, value in sorted(_environment(workload).items())],
        "startupProbe": probe("/livez", 2, 60),
        "livenessProbe": probe("/livez", 10, 3),
        "readinessProbe": probe(ready, 5, 1),
        "resources": {
            "requests": {"cpu": workload.cpu, "memory": workload.memory},
            # No limit of the processor: a throttled process misses its heartbeats.
            "limits": {"memory": workload.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of the container
            {"name": "secrets", "mountPath": "/run/secrets", "readOnly": True},
        ],
    }


def _environment(workload: Workload) -> dict[str, str]:
    return {
        "TERTULIA_KAFKA_BOOTSTRAP": _BOOTSTRAP,
        "TERTULIA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "TERTULIA_KAFKA_SASL_USERNAME": workload.name,
        "TERTULIA_KAFKA_SSL_CA_FILE": "/run/secrets/kafka-ca.crt",
        "TERTULIA_METRICS_PORT": str(_METRICS),
        "TERTULIA_LEAVE_SECONDS": str(_LEAVE_SECONDS),
        **{f"TERTULIA_{name.upper()}_URL": f"http://{name}:{_HTTP}" for name in workload.calls},
        **dict(workload.environment),
    }


def _secrets(workload: Workload) -> Manifest:
    """Return the volume of secrets: files named as variables, of our Secret and of Strimzi's Secrets."""
    own = [{"key": name, "path": name} for name in workload.secrets]
    sources = [
        {"secret": {"name": "tertulia", "items": own}},
        {"secret": {"name": workload.name, "items": [{"key": "password", "path": "TERTULIA_KAFKA_SASL_PASSWORD"}]}},
        {
            "secret": {
                "name": f"{_KAFKA_CLUSTER}-cluster-ca-cert",
                "items": [{"key": "ca.crt", "path": "kafka-ca.crt"}],
            }
        },
    ]
    return {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}


def _network(workload: Workload) -> Manifest:
    callers = [caller.name for caller in WORKLOADS if workload.name in caller.calls]
    rules: list[Manifest] = [
        _ingress([{"namespaceSelector": {"matchLabels": {"tertulia/monitoring": "true"}}}], _METRICS)
    ]
    sources: list[Manifest] = [{"podSelector": {"matchLabels": _selector(caller)}} for caller in callers]
    if workload.is_public:
        sources.append({"namespaceSelector": {"matchLabels": {"tertulia/ingress": "true"}}})
    rules.append(_ingress(sources, _HTTP))
    peers: list[Manifest] = [{"podSelector": {"matchLabels": _selector(name)}} for name in workload.calls]
    egress: list[Manifest] = [{"to": peers, "ports": [_port(_HTTP)]}] if peers else []
    if workload.name == "notify":
        egress.append({"ports": [_port(25), _port(465), _port(587)]})
    return {
        "podSelector": {"matchLabels": _selector(workload.name)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [rule for rule in rules if rule["from"]],
        "egress": egress,
    }


def _ingress(sources: list[Manifest], port: int) -> Manifest:
    return {"from": sources, "ports": [_port(port)]}


def _port(number: int, protocol: str = "TCP") -> Manifest:
    return {"protocol": protocol, "port": number}


def _replicas(workload: Workload, labels: dict[str, str]) -> Manifest:
    """Return the rule for the number of replicas: by lag for readers of Kafka, else by processor."""
    name = workload.name
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    triggers: list[Manifest] = [
        {
            "type": "kafka",
            "metadata": {
                "bootstrapServers": _BOOTSTRAP,
                "consumerGroup": group_of(name),
                "topic": topic.name,
                "lagThreshold": _LAG_OF_A_REPLICA,
                "offsetResetPolicy": "earliest",
                # A partition whose offset stands still needs a mending, not more replicas.
                "excludePersistentLag": "true",
            },
            "authenticationRef": {"name": "kafka"},
        }
        for topic in topics_of(name)
    ]
    if not triggers:
        triggers = [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}]
    spec = {
        "scaleTargetRef": target,
        "minReplicaCount": 2,
        "maxReplicaCount": PARTITIONS if topics_of(name) else 10,
        # Each change of replicas stops the group for seconds.
        "cooldownPeriod": 600,
        "pollingInterval": 15,
        "triggers": triggers,
    }
    return _manifest("keda.sh/v1alpha1", "ScaledObject", name, spec, labels)


def _shared() -> list[Manifest]:
    levels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    namespace = {"name": NAMESPACE, "labels": _labels() | levels}
    # Strimzi gives its own pods of this namespace policies of their own.
    ours = [{"key": "strimzi.io/cluster", "operator": "DoesNotExist"}]
    everything: Manifest = {"podSelector": {"matchExpressions": ours}, "policyTypes": ["Ingress", "Egress"]}
    dns = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    servers: Manifest = {
        "podSelector": {"matchLabels": _labels()},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [dns], "ports": [_port(53, "UDP"), _port(53)]},
            {"ports": [_port(9093), _port(27017)]},
        ],
    }
    parameters = [
        {"parameter": "sasl", "name": "keda-kafka", "key": "sasl"},
        {"parameter": "username", "name": "keda-kafka", "key": "username"},
        {"parameter": "password", "name": "keda-kafka", "key": "password"},
        {"parameter": "tls", "name": "keda-kafka", "key": "tls"},
        {"parameter": "ca", "name": f"{_KAFKA_CLUSTER}-cluster-ca-cert", "key": "ca.crt"},
    ]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": namespace},
        _manifest("networking.k8s.io/v1", "NetworkPolicy", "default-deny", everything),
        _manifest("networking.k8s.io/v1", "NetworkPolicy", "servers", servers),
        _manifest("keda.sh/v1alpha1", "TriggerAuthentication", "kafka", {"secretTargetRef": parameters}),
    ]


def _topics() -> list[Manifest]:
    """Return Strimzi's topics, as `tertulia topics apply` would create them."""
    cluster = {"strimzi.io/cluster": _KAFKA_CLUSTER}
    return [
        _manifest(
            "kafka.strimzi.io/v1beta2",
            "KafkaTopic",
            topic.name,
            {"topicName": topic.name, "partitions": topic.partitions, "replicas": 3}
            | {"config": topic.config | {"min.insync.replicas": "2"}},
            _labels() | cluster,
        )
        for topic in topic_admin.declared(ConnectionSettings.model_construct(kafka_partitions=PARTITIONS))
    ]


def _users() -> list[Manifest]:
    """Return Strimzi's users with the least rights, as `tertulia topics acls` prints them."""
    return [_user(service, access_rules.rules_of_service(service, f"User:{service}")) for service in SERVICES]


def _user(service: str, rules: Iterable[access_rules.AccessRule]) -> Manifest:
    acls = [
        {
            "resource": {
                "type": str(rule.resource),
                "name": rule.name,
                "patternType": "prefix" if rule.is_prefix else "literal",
            },
            "operations": [str(rule.operation)],
        }
        for rule in rules
    ]
    spec = {"authentication": {"type": "scram-sha-512"}, "authorization": {"type": "simple", "acls": acls}}
    labels = _labels() | {"strimzi.io/cluster": _KAFKA_CLUSTER}
    return _manifest("kafka.strimzi.io/v1beta2", "KafkaUser", service, spec, labels)


def _rules() -> Manifest:
    files = sorted(RULES.glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return _manifest("monitoring.coreos.com/v1", "PrometheusRule", "tertulia", {"groups": groups})
