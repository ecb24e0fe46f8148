"""The settings of the events service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the events service, read from the environment."""

    service: ClassVar[str] = "events"

    feed_look_seconds: float = Field(
        default=0.25, gt=0, description="Time between two looks for new items, of which waiting readers are told."
    )
    feed_kept_days: float = Field(
        default=90, gt=0, description="Time after the close of an edition for which its change feed is kept, in days."
    )
