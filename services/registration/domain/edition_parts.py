"""Parts of an edition: its place, its contact, its quotas, its fee, and its rounds of proposals."""

from __future__ import annotations

from pydantic import Field

from services.registration.domain.entity import Facts
from services.registration.domain.names import Email, Line, ShortLine
from shared.contract import events


class VenueFacts(events.Venue, extra="forbid"):
    """The place of an edition. Mails and calendars show it."""

    name: Line
    address: Line | None = Field(default=None, description="Street and town, in a line.")


class HelpContactFacts(events.HelpContact, extra="forbid"):
    """The address and the phone number of the organiser that mails show. Replies to mails go to this address."""

    email: Email | None = None
    phone: ShortLine | None = None


class QuotaFacts(events.Quotas, extra="forbid"):
    """Limits for each participant; null: no limit."""

    max_encounters: int | None = Field(default=None, ge=0, le=1000, description="Most encounters of a participant.")
    max_requests: int | None = Field(
        default=None, ge=0, le=1000, description="Most live match requests of a participant."
    )
    min_encounters: int | None = Field(
        default=None,
        ge=0,
        le=1000,
        description="Least encounters of a participant, if as many are wanted: participants with fewer come first.",
    )


class FeeFacts(events.Fee, extra="forbid"):
    """The fee of a participant, in the smallest unit of the currency."""

    amount: int = Field(ge=0, le=1_000_000_000)


class FillingFacts(Facts):
    """A round of proposals for participants with fewer coming encounters than `encounters`."""

    encounters: int = Field(ge=1, le=50, description="Number of encounters up to which partners are proposed.")
