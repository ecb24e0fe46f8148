"""The trial of a remedy: the events and edits of its steps are decided on a copy of the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime
from typing import NamedTuple

from services.scheduler.domain.decide import apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.organiser.edit_plan import RulesBroken
from services.scheduler.domain.organiser.edits import apply_edit, plan_edit
from services.scheduler.domain.organiser.errors import EditRejected
from services.scheduler.domain.organiser.what_if import with_more
from services.scheduler.domain.state import AgendaState
from shared.contract.events import EditionChanged, Event, Interval, ParticipantChanged, Place, RemedyKind, RemedyStep
from shared.internal_api.edits import Edit, InviteGuest, LockEncounter, More, OrderEncounters, PlaceEncounter


def copy_of(state: AgendaState) -> AgendaState:
    """Return a copy on which a decision is tried. A decision on the copy leaves the state as it is."""
    fields = {name: getattr(state, name) for name in AgendaState.model_fields}
    own = {name: copy(value) for name, value in fields.items() if isinstance(value, dict | set)}
    return AgendaState.model_construct(**(fields | own))


class Outcome(NamedTuple):
    """The outcome of a trial: the encounter's place, and the pairs whose encounters moved or lost their place."""

    place: Place
    moved: tuple[str, ...]
    lost: tuple[str, ...]


def carry_out(
    state: AgendaState, pair_id: str, steps: Sequence[RemedyStep], now: datetime, *, spares_moves: bool = True
) -> AgendaState | None:
    """Return a copy of the state after the steps; `None` if a rule forbids a step."""
    copy = copy_of(state)
    for step in steps:
        decision = DecisionInProgress(copy, now)
        decision.spares_moves = spares_moves
        try:
            if step.kind in _EVENTS:
                apply_event(decision, _EVENTS[step.kind](copy, step, now))
            else:
                apply_edit(decision, edit_of(copy.encounter_id(pair_id), step), "*")
        except (EditRejected, RulesBroken):
            return None
    return copy


def try_place(state: AgendaState, pair_id: str, step: RemedyStep, now: datetime) -> Outcome | None:
    """Return the outcome of a place by hand; `None` if a rule forbids it. The edit is planned, so no copy is needed."""
    try:
        plan = plan_edit(state, edit_of(state.encounter_id(pair_id), step), now)
    except EditRejected:
        return None
    place = plan.after[pair_id].place if pair_id in plan.after else None
    if plan.violations or place is None:
        return None
    others = [(other, after.place) for other, after in plan.after.items() if other != pair_id]
    moved = tuple(other for other, after in others if after and plan.before[other].place)
    return Outcome(place, moved, tuple(other for other, after in others if not after and plan.before[other].place))


def outcome_of(before: AgendaState, after: AgendaState, pair_id: str) -> Outcome | None:
    """Return the outcome for a waiting pair; `None` if it still waits."""
    place = after.placements.get(pair_id)
    if place is None:
        return None
    moved, lost = [], []
    for other_id, old in before.placements.items():
        new = after.placements.get(other_id)
        if new is None:
            lost.append(other_id)
        elif (new.starts_at, new.zone_id, new.table) != (old.starts_at, old.zone_id, old.table):
            moved.append(other_id)
    return Outcome(place, tuple(sorted(moved)), tuple(sorted(lost)))


def edit_of(encounter_id: str, step: RemedyStep) -> Edit:
    """Return the edit by hand that a step of the waiting encounter's remedy stands for."""
    match step:
        case RemedyStep(kind=RemedyKind.PLACE, slot=int(slot), zone_id=str(zone_id), table=table):
            return PlaceEncounter(encounter_id=encounter_id, slot=slot, zone_id=zone_id, table=table)
        case RemedyStep(kind=RemedyKind.UNLOCK, encounter_id=str(locked_id)):
            return LockEncounter(encounter_id=locked_id, is_locked=False)
        case RemedyStep(kind=RemedyKind.ORDER, encounter_id=str(later_id), after_id=str(earlier_id)):
            return OrderEncounters(encounter_id=later_id, after_id=earlier_id, is_ordered=False)
        case RemedyStep(kind=RemedyKind.GUEST, participant_id=str(guest_id)):
            return InviteGuest(encounter_id=encounter_id, participant_id=guest_id, is_invited=False)
    raise ValueError(f"no edit: {step!r}")


def edition_after(edition: EditionChanged, step: RemedyStep) -> EditionChanged:
    """Return the edition after a step that changes it."""
    match step:
        case RemedyStep(kind=RemedyKind.QUOTA, quota=int(quota)):
            quotas = edition.quotas.model_copy(update={"max_encounters": quota})
            return edition.model_copy(update={"quotas": quotas})
        case RemedyStep(kind=RemedyKind.TABLE, zone_id=str(zone_id), tables=int(tables)):
            return with_more(edition, More(tables=tables, zone_id=zone_id))
        case RemedyStep(kind=RemedyKind.SLOT):
            return with_more(edition, More(slots=1))
    raise ValueError(f"no change of the edition: {step!r}")


def hours_after(available: tuple[Interval, ...], step: RemedyStep) -> tuple[Interval, ...]:
    """Return a participant's times of presence after a step."""
    return (*available, step.time) if step.kind is RemedyKind.HOURS and step.time else available


def sessions_after(session_ids: tuple[str, ...], step: RemedyStep) -> tuple[str, ...]:
    """Return the sessions that a participant attends after a step."""
    is_left = step.kind is RemedyKind.SESSION
    return tuple(session_id for session_id in session_ids if not (is_left and session_id == step.session_id))


def _edition_event(state: AgendaState, step: RemedyStep, now: datetime) -> Event:  # noqa: ARG001 - as its sibling
    assert state.edition is not None  # noqa: S101 - no remedy is sought in an unknown edition
    changed = edition_after(state.edition, step)
    return changed.model_copy(update={"revision": state.edition.revision + 1})


def _participant_event(state: AgendaState, step: RemedyStep, now: datetime) -> Event:
    """Return the event with the fields that agendas read. The scheduler knows no names."""
    assert step.participant_id is not None  # noqa: S101 - each step of these kinds names a participant
    known = state.participants[step.participant_id]
    fields = {**dict(known), "available": hours_after(known.available, step)}
    fields |= {"session_ids": sessions_after(known.session_ids, step), "revision": known.revision + 1}
    envelope = {"operator_id": state.operator_id, "edition_id": state.edition_id, "occurred_at": now}
    changed: Event = ParticipantChanged.model_construct(None, participant_id=step.participant_id, **envelope, **fields)  # type: ignore[arg-type] # no name, address or languages
    return changed


_EVENTS: dict[RemedyKind, Callable[[AgendaState, RemedyStep, datetime], Event]] = {
    RemedyKind.HOURS: _participant_event,
    RemedyKind.SESSION: _participant_event,
    RemedyKind.QUOTA: _edition_event,
    RemedyKind.TABLE: _edition_event,
    RemedyKind.SLOT: _edition_event,
}
