"""`make sbom`: a bill of materials in CycloneDX's JSON for every service, made from its lock.

The hashes are of all files of a release, as in the lock. Licences are declared by the packages; they are known for
packages that this environment has installed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.hash.factories import HashTypeFactory
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.exception import CycloneDxException
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement

from services import SERVICES

ROOT = Path(__file__).parents[1]
_licences, _hashes = LicenseFactory(), HashTypeFactory()


def bill(service: str) -> str:
    """Return the bill of a service as JSON.

    Raises:
        ValueError: the bill breaks CycloneDX's schema.
    """
    bom = Bom(components=list(_components((ROOT / "requirements" / f"{service}.lock").read_text(encoding="utf-8"))))
    bom.metadata.component = Component(
        type=ComponentType.APPLICATION,
        name=f"tertulia-{service}",
        version=metadata.version("tertulia"),
        licenses=[_licences.make_from_string("Apache-2.0")],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        raise ValueError(f"the bill of {service} breaks CycloneDX's schema: {error}")
    return text


def _components(lock: str) -> Iterator[Component]:
    """Yield the packages of a lock, in its order."""
    for entry in lock.replace("\\\n", " ").splitlines():
        pinned, *hashes = entry.split(" --hash=")
        requirement = Requirement(pinned)
        [specifier] = requirement.specifier
        yield _component(requirement.name, specifier.version, [digest.strip() for digest in hashes])


def _component(name: str, version: str, hashes: list[str]) -> Component:
    release = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(f"https://pypi.org/project/{name}/{version}/#files"),
        hashes=[_hashes.from_composite_str(digest) for digest in hashes],
    )
    purl = PackageURL("pypi", name=name, version=version)
    declared = _declared_licence(name)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=purl.to_string(),
        purl=purl,
        external_references=[release],
        licenses=[_licences.make_from_string(declared, license_acknowledgement=LicenseAcknowledgement.DECLARED)]
        if declared
        else [],
    )


def _declared_licence(name: str) -> str:
    """Return the licence that a package declares in one line, or an empty text."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    declared = next((about[field] for field in ("License-Expression", "License") if field in about), "")
    return "" if "\n" in declared else declared.strip()


def main(folder: Path) -> int:
    """Write the bills into a folder. Returns the exit status: 1 if one cannot be made."""
    folder.mkdir(exist_ok=True)
    try:
        for service in SERVICES:
            path = folder / f"{service}.cdx.json"
            path.write_text(bill(service) + "\n", encoding="utf-8")
            sys.stdout.write(f"{path} written\n")
    except (ValueError, CycloneDxException) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path("sbom")))
