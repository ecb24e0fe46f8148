"""The bills of materials of the services: every line of the lock with all its hashes, valid by CycloneDX's schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deploy import sbom
from services import SERVICES

LOCKS = Path(sbom.ROOT) / "requirements"


@pytest.mark.parametrize("service", SERVICES)
def test_each_line_of_the_lock_is_in_the_bill_with_its_hashes(service: str) -> None:
    locked: dict[tuple[str, str], set[str]] = {}
    for line in (LOCKS / f"{service}.lock").read_text().splitlines():
        if found := re.match(r"([\w.-]+)(?:\[.+\])?==([^ ;]+)", line):
            hashes = locked.setdefault((found[1], found[2]), set())
        hashes |= set(re.findall(r"--hash=sha256:(\w+)", line))

    bill = json.loads(sbom.bill(service))
    listed = {
        (component["name"], component["version"]): {
            digest["content"] for reference in component["externalReferences"] for digest in reference["hashes"]
        }
        for component in bill["components"]
    }
    assert listed == locked
    assert bill["metadata"]["component"]["name"] == f"tertulia-{service}"


def test_the_bill_names_the_licences_that_packages_declare() -> None:
    components = json.loads(sbom.bill("notify"))["components"]
    licences = {component["name"]: component.get("licenses") for component in components}
    assert licences["starlette"] == [{"license": {"id": "BSD-3-Clause", "acknowledgement": "declared"}}]


def test_a_bill_that_breaks_the_schema_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclonedx.validation.json.JsonStrictValidator.validate_str", lambda *_: "broken")
    with pytest.raises(ValueError, match="breaks CycloneDX's schema"):
        sbom.bill("notify")
