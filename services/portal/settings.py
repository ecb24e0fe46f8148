"""The settings of the portal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the portal, read from the environment."""

    service: ClassVar[str] = "portal"
    needed: ClassVar[Mapping[str, str]] = {"registration_url": "sign-in and all forms"}

    registration_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="Address of registration. The portal asks there as the signed-in person: it has no right "
        "of its own.",
    )
    registration_ca_file: Path | None = Field(
        default=None, description="Certificate (PEM) that signs registration's; the system's if unset."
    )
    registration_seconds: float = Field(default=5.0, gt=0, description="Longest time of one request to registration.")
    portal_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/?#]+(/[^\s?#]*)?)?$",
        description="Address at which people reach the portal, such as `https://meet.example.org`. With plain http, "
        "cookies are sent without encryption: for a trial on one machine only.",
    )
    rights_seconds: float = Field(
        default=5.0, gt=0, le=60, description="Time for which the rights of a person are remembered."
    )
    nudge_seconds: float = Field(
        default=0.25, gt=0, description="Time between two looks for changes, of which open pages are told."
    )
    streams: int = Field(default=2000, ge=1, description="Most open pages that are told of changes at once.")

    @property
    def has_secure_cookies(self) -> bool:
        """Tell whether browsers may send the cookies over TLS only."""
        return not self.portal_url.startswith("http://")
