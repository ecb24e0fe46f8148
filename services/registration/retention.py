"""The retention of an edition: its people are anonymised some months after its end."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Facts
from shared.contract.events import Instant
from shared.contract.ids import Id

#: Time between the warning and the anonymisation.
WARNED_BEFORE: Final = timedelta(days=30)


class RetentionFacts(Facts):
    """The months for which the personal data of an edition is kept after its end."""

    months: int = Field(ge=1, le=120)


class Retention(BaseModel):
    """The retention of an edition, and how far it has come."""

    model_config = ConfigDict(frozen=True)

    operator_id: Id
    edition_id: Id
    months: int
    warned_at: Instant | None = Field(default=None, description="Time of the warning, 30 days before at least.")
    anonymised_at: Instant | None = Field(default=None, description="Time at which the last person was erased.")

    def due_at(self, edition: Edition) -> datetime | None:
        """Return the time from which people are erased: never within 30 days of the warning. None: no end."""
        ends_at = edition.ends_at
        if ends_at is None:
            return None
        due = months_after(ends_at, self.months)
        return max(due, self.warned_at + WARNED_BEFORE) if self.warned_at else due

    def is_to_be_warned(self, edition: Edition, now: datetime) -> bool:
        """Tell whether the operator is to be warned now."""
        due = self.due_at(edition)
        return self.warned_at is None and due is not None and now >= due - WARNED_BEFORE

    def is_due(self, edition: Edition, now: datetime) -> bool:
        """Tell whether the people of the edition are to be erased now."""
        due = self.due_at(edition)
        return self.warned_at is not None and due is not None and now >= due


def months_after(moment: datetime, months: int) -> datetime:
    """Return the same day of a later month, or the last day of a shorter month."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
