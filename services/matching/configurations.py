"""The affinity configurations of an installation: those that come with the service, and those of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from services.matching.domain.scoring.configuration import CONFIGURATIONS, AffinityConfiguration


class BadConfiguration(Exception):
    """A file of the folder is no configuration, or takes the version of another; the message says which, and why."""


def configurations_in(folder: Path | None) -> Mapping[str, AffinityConfiguration]:
    """All by version: a `.json` file each in the folder, if there is one.

    Raises:
        BadConfiguration: one cannot be used. Better not to start than to score otherwise than was asked.
    """
    known = dict(CONFIGURATIONS)
    for file in sorted(folder.glob("*.json")) if folder else ():
        try:
            one = AffinityConfiguration.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise BadConfiguration(f"{file}: {error}") from error
        if known.setdefault(one.version, one) != one:
            raise BadConfiguration(f"{file}: there is another configuration of version {one.version!r}")
    return known
