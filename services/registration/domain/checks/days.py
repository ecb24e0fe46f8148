"""The days of an edition as stretches of time, to which sessions and availability are compared."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from services.registration.domain.edition import EditionFacts
from services.registration.domain.slots import day_span, local_date

#: Receptions on the eve and visits on the day after belong to an edition: further away, a date is a slip.
_MARGIN = timedelta(days=1)


class EditionDays(NamedTuple):
    """The days of an edition in time order, as spans from start to end, in UTC."""

    spans: list[tuple[datetime, datetime]]
    timezone: str
    text: str

    @classmethod
    def of(cls, edition: EditionFacts) -> EditionDays:
        """Return the days of an edition."""
        dates = sorted({day.date for day in edition.days})
        first, last = dates[0], dates[-1]
        text = f"{first:%Y-%m-%d} ({first:%B})" if first == last else f"{first:%Y-%m-%d} to {last:%Y-%m-%d} ({last:%B})"
        return cls(sorted(day_span(day, edition.timezone) for day in edition.days), edition.timezone, text)

    def hold(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Return whether a stretch of time lies within the hours of a day."""
        return any(start <= starts_at and ends_at <= end for start, end in self.spans)

    def are_far_from(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Return whether a stretch of time lies more than a day before the first date, or after the last date."""
        first = local_date(self.spans[0][0], self.timezone) - _MARGIN
        last = local_date(self.spans[-1][0], self.timezone) + _MARGIN
        return local_date(ends_at, self.timezone) < first or local_date(starts_at, self.timezone) > last

    def written(self, moment: datetime) -> str:
        """Return a moment as the edition's local time, with the name of the month."""
        return f"{local_date(moment, self.timezone):%Y-%m-%d (%B)}"
