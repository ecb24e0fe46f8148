"""The settings of the events service."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final, Self

from pydantic import Field, FilePath, field_validator, model_validator

from services.events.webhooks.addresses import TargetRules
from shared.runtime.settings import ServiceSettings, variables

_LAST_PORT: Final = 65535


class Settings(ServiceSettings):
    """Settings of the events service, read from the environment."""

    service: ClassVar[str] = "events"

    feed_look_seconds: float = Field(
        default=0.25, gt=0, description="Time between two looks for new items, of which waiting readers are told."
    )
    feed_kept_days: float = Field(
        default=90, gt=0, description="Time after the close of an edition for which its change feed is kept, in days."
    )
    webhook_private_networks: bool = Field(
        default=False,
        description="Permit webhooks to all addresses and ports, and over plain HTTP. For trials on a machine of your "
        "own only: with it, operators reach all that this process reaches.",
    )
    webhook_ports: str = Field(
        default="443", description="Ports of receivers that webhooks may be sent to, separated by commas."
    )
    webhook_ca_file: FilePath | None = Field(
        default=None, description="CA certificates to trust in receivers of webhooks; the system's if unset."
    )
    webhook_connect_seconds: float = Field(
        default=5.0, gt=0, le=60, description="Time in which a receiver's name is resolved and a connection opened."
    )
    webhook_answer_seconds: float = Field(
        default=8.0, gt=0, le=60, description="Time in which a receiver has to answer, from the first step on."
    )
    webhook_at_once: int = Field(
        default=4, ge=1, le=100, description="Messages that are sent to a receiver at once, each about another thing."
    )
    webhook_all_at_once: int = Field(
        default=1000, ge=1, description="Messages that a process sends at once to all receivers."
    )
    webhook_lease_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Time after which another process takes over the webhooks of a process that has ended.",
    )
    webhook_dead_days: float = Field(
        default=5.0,
        gt=0,
        description="Days without a delivery, if tries fail, after which a webhook is disabled.",
    )
    webhook_kept_days: float = Field(
        default=30.0, gt=0, description="Days for which ended deliveries are kept, to look at and to send again."
    )

    @field_validator("webhook_ports")
    @classmethod
    def _names_ports(cls, value: str) -> str:
        for port in value.split(","):
            text = port.strip()
            if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= _LAST_PORT):
                raise ValueError(f"{text[:20]!r} is no port: write numbers from 1 to {_LAST_PORT}, such as 443,8443")
        return value

    @model_validator(mode="after")
    def _lease_outlasts_a_try(self) -> Self:
        least = self.webhook_answer_seconds + 5
        if self.webhook_lease_seconds < least:
            raise ValueError(
                f"{variables('webhook_lease_seconds')} is {self.webhook_lease_seconds:g}: at least "
                f"{variables('webhook_answer_seconds')} + 5, {least:g}, is needed"
            )
        return self

    @property
    def webhook_rules(self) -> TargetRules:
        """The targets that webhooks may be sent to."""
        ports = frozenset(int(port) for port in self.webhook_ports.split(","))
        return TargetRules(ports, self.webhook_private_networks)

    @property
    def webhook_lease(self) -> timedelta:
        """Time for which a process holds a webhook without a renewal."""
        return timedelta(seconds=self.webhook_lease_seconds)

    @property
    def webhook_longest_try(self) -> timedelta:
        """The longest time of a try, with the end of its connection."""
        return timedelta(seconds=self.webhook_answer_seconds + 1)

    @property
    def webhook_dead_after(self) -> timedelta:
        """Time without a delivery after which a webhook is disabled."""
        return timedelta(days=self.webhook_dead_days)

    @property
    def webhook_kept(self) -> timedelta:
        """Time for which ended deliveries are kept."""
        return timedelta(days=self.webhook_kept_days)
