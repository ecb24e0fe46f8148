"""The settings of matching."""

from __future__ import annotations

from typing import ClassVar

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What matching can be told: nothing beyond what every service can."""

    service: ClassVar[str] = "matching"
