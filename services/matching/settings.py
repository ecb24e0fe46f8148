"""The settings of matching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import DirectoryPath, Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of matching beside the settings of every service."""

    service: ClassVar[str] = "matching"
    needed: ClassVar[Mapping[str, str]] = {"internal_token": "affinities, observatory, profile help"}

    configurations: DirectoryPath | None = Field(
        default=None, description="A folder with more affinity configurations, a JSON file each; or none."
    )
    quality_tier: bool = Field(
        default=False, description="Score pairs again in the background with the slower encoder: the extra `quality`."
    )
    refine_seconds: float = Field(
        default=1.0, gt=0, description="Time between two steps of the second look, some pairs at a time."
    )
