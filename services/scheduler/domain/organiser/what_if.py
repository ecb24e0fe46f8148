"""Problems of what-if questions: an edition with more tables, slots or days, filled up from its agenda."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from services.scheduler.domain import timing
from services.scheduler.domain.improvement.problem import SolverProblem, problem_of
from services.scheduler.domain.objective.levels import SearchPolicy
from services.scheduler.domain.organiser.errors import EditRejected, must_be_open
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.timeline import Timeline
from shared.contract.events import EditionChanged, Interval, Slot, Zone, ZoneKind
from shared.internal_api.edit_errors import EditErrorCode
from shared.internal_api.edits import More

#: The answer counts placed encounters only, so that no meeting moves against breaks.
_POLICY = SearchPolicy(moves_to_place=True, moves_against_breaks=False, is_fair_first=False)


def problem_with(state: AgendaState, more: More, now: datetime, change_budget: int) -> SolverProblem:
    """Return the problem of the edition with more tables or time, with its present agenda as the incumbent.

    Participants with `available` times are absent from the new slots that these do not cover. Until agendas are
    announced any meeting may move, then `change_budget` meetings.

    Raises:
        EditRejected: the edition is unknown or closed, or it has no such zone or no slots.
    """
    edition = with_more(must_be_open(state), more)
    problem = problem_of(state, now, change_budget if state.announced else len(state.placements))
    enlarged = state.model_copy(update={"edition": edition})
    enlarged.forget_indexes("timeline", "zones_by_kinds")
    timeline = enlarged.timeline
    return replace(
        problem,
        announced=True,
        search_policy=_POLICY,
        all_slots=timeline.all_slots,
        open_slots=timing.open_slots(enlarged, now),
        tables={zone.zone_id: zone.tables for zone in edition.zones},
        hours={person_id: enlarged.hours(state.participants[person_id]) for person_id in problem.hours},
        candidates=tuple(
            candidate._replace(meeting=enlarged.meeting(candidate.meeting.pair_id)) for candidate in problem.candidates
        ),
        days=timeline.days(edition.timezone),
        before_and_after={pair: timeline.before_and_after(state.placements[pair]) for pair in problem.before_and_after},
    )


def with_more(edition: EditionChanged, more: More) -> EditionChanged:
    """Return the edition with more tables or time.

    Raises:
        EditRejected: it has no such zone or no slots.
    """
    slots = (*edition.slots, *_later(edition.slots, more.slots))
    times: list[Interval] = list(slots)
    days = Timeline(slots).days(edition.timezone)
    last_day = [slot for index, slot in enumerate(slots) if days[-1] >> index & 1]
    for day in range(1, more.days + 1):
        times += [_days_later(slot, day, edition.timezone) for slot in last_day]
    numbered = tuple(
        Slot(index=index, starts_at=slot.starts_at, ends_at=slot.ends_at) for index, slot in enumerate(times)
    )
    zone_id = more.zone_id or _workspace(edition.zones)
    if more.tables and zone_id not in {zone.zone_id for zone in edition.zones}:
        raise EditRejected(
            EditErrorCode.UNKNOWN_ZONE,
            f"the edition has no zone {zone_id}: give the id of one of its zones as `zone_id`"
            if zone_id
            else "the edition has no workspace: give a zone as `zone_id`",
        )
    zones = tuple(_with_tables(zone, more.tables) if zone.zone_id == zone_id else zone for zone in edition.zones)
    return edition.model_copy(update={"slots": numbered, "zones": zones})


def _later(slots: Sequence[Interval], count: int) -> Iterator[Interval]:
    """Yield `count` slots after the last slot, of its length, with the shortest gap of the edition between them."""
    if count and not slots:
        raise EditRejected(
            EditErrorCode.NO_SUCH_SLOT,
            "the edition has no slots yet, so that the length of more slots is unknown: add days to the edition first",
        )
    gap = min((later.starts_at - earlier.ends_at for earlier, later in pairwise(slots)), default=timedelta())
    for number in range(count):
        length = slots[-1].ends_at - slots[-1].starts_at
        starts_at = slots[-1].ends_at + gap + number * (length + gap)
        yield Interval(starts_at=starts_at, ends_at=starts_at + length)


def _days_later(slot: Interval, days: int, timezone: str) -> Interval:
    """Return the slot some days later at the same local time, of the same length."""
    starts_at = slot.starts_at.astimezone(ZoneInfo(timezone)) + timedelta(days=days)
    return Interval(starts_at=starts_at, ends_at=starts_at + (slot.ends_at - slot.starts_at))


def _workspace(zones: Sequence[Zone]) -> str | None:
    return next((zone.zone_id for zone in zones if zone.kind is ZoneKind.WORKSPACE), None)


def _with_tables(zone: Zone, more: int) -> Zone:
    names = (f"+{number}" for number in range(1, more + len(zone.tables) + 1))
    return zone.model_copy(update={"tables": (*zone.tables, *[n for n in names if n not in zone.tables][:more])})
