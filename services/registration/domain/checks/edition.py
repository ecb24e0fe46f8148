"""Rules for the facts of an edition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise

from services.registration.domain.checks.days import EditionDays
from services.registration.domain.checks.doubtful_fact import MOST_NAMED, DoubtfulFact
from services.registration.domain.edition import EditionFacts, SessionFacts, ZoneFacts
from services.registration.domain.slots import Day, Hours, day_span, hours_span
from shared.contract.events import Phase, ZoneKind
from shared.contract.spelling import similar_name

_LONGEST_GAP = timedelta(days=31)
_LONGEST_SESSION = timedelta(hours=24)
_FAR_OFF = timedelta(days=5 * 366)


def doubtful_facts_of_edition(edition: EditionFacts, now: datetime) -> Iterator[DoubtfulFact]:
    """Yield the doubtful and the impossible facts of an edition."""
    yield from _past(edition, now)
    yield from _far_off(edition, now)
    for index, day in enumerate(edition.days):
        for number, pause in enumerate(day.breaks):
            yield from _break(f"/days/{index}/breaks/{number}", day, pause, edition.timezone)
    yield from _days_without_slot(edition)
    yield from _shared_names(edition.zones)
    days = EditionDays.of(edition)
    workspaces = {zone.zone_id for zone in edition.zones if zone.kind is ZoneKind.WORKSPACE}
    for index, session in enumerate(edition.sessions):
        yield from _session(f"/sessions/{index}", session, days)
        if session.zone_id in workspaces:
            yield DoubtfulFact(
                f"/sessions/{index}/zone_id",
                f"session {session.session_id} is in zone {session.zone_id}, a workspace: its tables hold encounters "
                "meanwhile. Put the session into a zone of another kind",
                "session-in-workspace",
                f"{session.session_id} {session.zone_id}",
            )


def _shared_names(zones: Sequence[ZoneFacts]) -> Iterator[DoubtfulFact]:
    """Yield the zones that are named as a zone before: mails would send people to either."""
    named: dict[str, str] = {}
    for index, zone in enumerate(zones):
        before = named.setdefault(similar_name(zone.name), zone.zone_id)
        if before != zone.zone_id:
            yield DoubtfulFact(
                f"/zones/{index}/name",
                f"zones {before} and {zone.zone_id} are both named {zone.name!r}, and mails tell the name: rename one",
                "zones-share-name",
                f"{before} {zone.zone_id}",
            )


def overlapping_sessions(edition: EditionFacts) -> set[frozenset[str]]:
    """Return the pairs of sessions that overlap, by their ids."""
    times = [session.in_zone(edition.timezone) for session in edition.sessions]
    return {
        frozenset((first.session_id, second.session_id))
        for first, second in combinations(times, 2)
        if first.overlaps(second)
    }


def clashing_attendance(edition: EditionFacts, attended: Mapping[str, Sequence[str]]) -> Iterator[DoubtfulFact]:
    """Yield a doubtful fact if participants attend two sessions at a time. `attended` is by participant id."""
    overlapping = overlapping_sessions(edition)
    clashing = [
        participant_id
        for participant_id, session_ids in sorted(attended.items())
        if any(frozenset(pair) in overlapping for pair in combinations(session_ids, 2))
    ]
    if clashing:
        named = ", ".join(clashing[:MOST_NAMED])
        yield DoubtfulFact(
            "/sessions",
            f"{len(clashing)} participants attend two sessions at a time: move a session, or correct the participants "
            f"{named}",
            "participants-in-two-sessions",
            named,
        )


def _past(edition: EditionFacts, now: datetime) -> Iterator[DoubtfulFact]:
    """Yield the days that have passed. An edition of nothing else is refused, unless it is closed: a record."""
    ends = [day_span(day, edition.timezone)[1] for day in edition.days]
    last_session = max((session.in_zone(edition.timezone).ends_at for session in edition.sessions), default=ends[0])
    if max(*ends, last_session) <= now:
        days = EditionDays.of(edition)
        yield DoubtfulFact(
            "/days",
            f"the edition was held on {days.text}, and today is {now:%Y-%m-%d}: no encounter can take place any more. "
            "Correct the year, the month or the day",
            "edition-passed",
            days.text,
            is_refused=edition.phase is not Phase.CLOSED,
        )
        return
    for index, (day, end) in enumerate(zip(edition.days, ends, strict=True)):
        if end <= now:
            yield DoubtfulFact(
                f"/days/{index}/date",
                f"the day {day.date:%Y-%m-%d (%B)} has passed: it gets no encounters. Correct its date, or leave it",
                "day-passed",
                day.date.isoformat(),
            )


def _far_off(edition: EditionFacts, now: datetime) -> Iterator[DoubtfulFact]:
    dates = sorted({day.date for day in edition.days})
    for before, after in pairwise(dates):
        if after - before > _LONGEST_GAP:
            yield DoubtfulFact(
                "/days",
                f"no day lies between {before:%Y-%m-%d (%B)} and {after:%Y-%m-%d (%B)}: "
                "correct the year or the month, or open two editions",
                "days-far-apart",
                f"{before} {after}",
            )
    if dates[0] - now.date() > _FAR_OFF:
        yield DoubtfulFact(
            "/days",
            f"the edition begins on {dates[0]}: correct the year if it is a slip",
            "days-far-off",
            str(dates[0]),
        )


def _break(where: str, day: Day, pause: Hours, timezone: str) -> Iterator[DoubtfulFact]:
    """Yield a break beyond the hours of its day. A break wholly outside is refused: it is no break of that day."""
    start, end = day_span(day, timezone)
    break_starts, break_ends = hours_span(day.date, pause, timezone)
    value = f"{day.date} {pause.starts:%H:%M}-{pause.ends:%H:%M}"
    hours = f"{day.starts:%H:%M}-{day.ends:%H:%M}"
    if break_ends <= start or end <= break_starts:
        detail = f"the break {value} is outside the day, which lasts {hours}: correct the hours, or leave the break out"
        yield DoubtfulFact(where, detail, "break-outside-day", value, is_refused=True)
    elif break_starts < start or end < break_ends:
        detail = f"the break {value} goes beyond the day, which lasts {hours}: correct one of the two"
        yield DoubtfulFact(where, detail, "break-beyond-day", value)


def _days_without_slot(edition: EditionFacts) -> Iterator[DoubtfulFact]:
    if not any(zone.tables for zone in edition.zones):
        return
    slots = edition.slots()
    for index, day in enumerate(edition.days):
        start, end = day_span(day, edition.timezone)
        if not any(start <= slot.starts_at < end for slot in slots):
            yield DoubtfulFact(
                f"/days/{index}",
                f"no slot of {edition.slot_minutes} minutes fits into the day {day.date}: "
                "correct its hours or its breaks",
                "day-without-slot",
                day.date.isoformat(),
            )


def _session(where: str, session: SessionFacts, days: EditionDays) -> Iterator[DoubtfulFact]:
    """Yield the faults of a session's times. A session on a far date is refused: mails would send people there."""
    times = session.in_zone(days.timezone)
    value = f"{session.session_id} {times.starts_at:%Y-%m-%dT%H:%MZ} {times.ends_at:%Y-%m-%dT%H:%MZ}"
    if days.are_far_from(times.starts_at, times.ends_at):
        yield DoubtfulFact(
            f"{where}/starts_at",
            f"session {session.session_id} is on {days.written(times.starts_at)}, but the edition is held on "
            f"{days.text}: correct the date, or move days and sessions in the same request",
            "session-far-from-days",
            value,
            is_refused=True,
        )
    elif times.ends_at - times.starts_at > _LONGEST_SESSION:
        yield DoubtfulFact(
            f"{where}/ends_at",
            f"session {session.session_id} lasts from {days.written(times.starts_at)} to "
            f"{days.written(times.ends_at)}: correct its end, or make it a session a day",
            "session-too-long",
            value,
        )
    elif not days.hold(times.starts_at, times.ends_at):
        yield DoubtfulFact(
            f"{where}/starts_at",
            f"session {session.session_id}, {times.starts_at:%Y-%m-%d %H:%M} to {times.ends_at:%Y-%m-%d %H:%M} UTC, is "
            "not within the hours of a day of the edition: correct its times if this is a slip",
            "session-outside-days",
            value,
        )
