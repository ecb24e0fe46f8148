"""The answer of matching about the affinity versions that it can compute."""

from __future__ import annotations

from pydantic import BaseModel

from shared.contract.events.registration import AffinityVersion


class InstalledVersions(BaseModel):
    """Affinity versions, sorted, whose configuration and text scorer are installed."""

    versions: tuple[AffinityVersion, ...]
