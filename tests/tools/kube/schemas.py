"""JSON Schemas for kubeconform, from the Go modules of Kubernetes' validator, KEDA and the Prometheus operator.

Only files are read from the modules; nothing of them is built. The hashes are those of Go's checksum database.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

#: Modules with their hashes, and the folder of each that holds schemas.
_KUBERNETES = ("sigs.k8s.io/kubectl-validate", "v0.0.4", "h1:tGKuv0awYHn11Cb6KPsZKxUmHgavF46K3NvVH0Nse9U=")
_KEDA = ("github.com/kedacore/keda/v2", "v2.16.1", "h1:LfYsxfSX8DjetLW8q9qnriImH936POrQJvE+caRoScI=")
_OPERATOR = (
    "github.com/prometheus-operator/prometheus-operator",
    "v0.83.0",
    "h1:qAKbm+45fqNGcn9sGTa1Ae2TM3KZuYA/uyoD2QKi9+o=",
)
_KINDS = "x-kubernetes-group-version-kind"


class WrongModule(Exception):
    """A downloaded module has another hash than the pinned module."""


def write(folder: Path, go: str) -> None:
    """Write the schemas of Kubernetes 1.30, and of the kinds of KEDA and the Prometheus operator that we use."""
    folder.mkdir(parents=True, exist_ok=True)
    builtins = _module(go, folder, *_KUBERNETES) / "pkg" / "openapiclient" / "builtins" / "1.30"
    for file in builtins.rglob("*.json"):
        for name, schema in _of_openapi(json.loads(file.read_text(encoding="utf-8"))):
            (folder / name).write_text(json.dumps(schema), encoding="utf-8")
    keda = _module(go, folder, *_KEDA) / "config" / "crd" / "bases"
    operator = _module(go, folder, *_OPERATOR) / "example" / "prometheus-operator-crd"
    definitions = [keda / f"keda.sh_{kind}.yaml" for kind in ("scaledobjects", "triggerauthentications")]
    definitions += [operator / f"monitoring.coreos.com_{kind}.yaml" for kind in ("servicemonitors", "prometheusrules")]
    for file in definitions:
        for name, schema in _of_definition(yaml.safe_load(file.read_text(encoding="utf-8"))):
            (folder / name).write_text(json.dumps(schema), encoding="utf-8")


def _module(go: str, folder: Path, path: str, version: str, digest: str) -> Path:
    command = [go, "mod", "download", "-json", f"{path}@{version}"]
    answer = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)
    found = json.loads(answer.stdout)
    if found["Sum"] != digest:
        raise WrongModule(f"{path}@{version} has the hash {found['Sum']}, not {digest}")
    return Path(found["Dir"])


def _of_openapi(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    schemas = document.get("components", {}).get("schemas", {})
    for schema in schemas.values():
        _close(schema)
    for name, schema in schemas.items():
        for kind in schema.get(_KINDS, ()):
            whole = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
            yield _name(kind["group"], kind["version"], kind["kind"]), whole


def _of_definition(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    spec = definition["spec"]
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        _close(schema)
        schema["properties"]["metadata"] = {"type": "object"}
        yield _name(spec["group"], version["name"], spec["names"]["kind"]), schema


def _name(group: str, version: str, kind: str) -> str:
    # kubeconform takes the version of the core group for its name.
    return f"{kind.lower()}-{group or version}-{version}.json"


def _close(schema: Any) -> None:
    """Refuse properties that are not declared, as the API server warns of them."""
    if isinstance(schema, list):
        for part in schema:
            _close(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
            schema["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        for part in schema.values():
            _close(part)
