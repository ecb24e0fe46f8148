"""Affinity configurations of an installation: the built-in configurations, and the files of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from services.matching.domain.scoring.configuration import CONFIGURATIONS, AffinityConfiguration


class BadConfiguration(Exception):
    """A file is no valid configuration, or reuses a version. The message names the file and the reason."""


def configurations_in(folder: Path | None) -> Mapping[str, AffinityConfiguration]:
    """Return the configurations by version: the built-in configurations and every `.json` file of the folder.

    Raises:
        BadConfiguration: a file cannot be used. The service then does not start, rather than score in another way.
    """
    known = dict(CONFIGURATIONS)
    for file in sorted(folder.glob("*.json")) if folder else ():
        try:
            configuration = AffinityConfiguration.model_validate_json(file.read_bytes())
        except ValidationError as error:
            raise BadConfiguration(f"{file}: {error}") from error
        if known.setdefault(configuration.version, configuration) != configuration:
            raise BadConfiguration(f"{file}: there is another configuration of version {configuration.version!r}")
    return known
