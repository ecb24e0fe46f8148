"""Remedies of waiting encounters in random, full editions: carried out, a remedy must place its encounter.

An edition of the stress stream has few tables, a short day, hours, sessions, quotas, cancellations, orders, guests and
locks, in any phase. The remedy is found on the state. The events and edits that it names are sent to a restarted copy.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from bench import BenchmarkError
from bench.instances.editions import EDITION, Size, SyntheticEdition, synthetic
from bench.instances.stream import STRESS, late_changes
from bench.operations import RandomEdition
from services.scheduler.aggregate import AgendaAggregate, Query
from services.scheduler.domain.organiser.edits import apply_edit
from services.scheduler.domain.organiser.remedies import find_remedy
from services.scheduler.domain.publication import RELAXABLE
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Event, ParticipantChanged, RemedyKind, RemedyStep, Slot
from shared.contract.ids import pair_id
from shared.internal_api.edits import Edit, InviteGuest, LockEncounter, OrderEncounters, PlaceEncounter

#: Few tables; a short day; two days with few tables and many sessions. The last number counts further requests, which
#: overfill agendas.
_FEW_TABLES = Size("tables", 6, 12, 20, 6, 2, sessions=2), 4
_SHORT_DAY = Size("day", 8, 12, 20, 4, 10, sessions=2), 20
_TWO_DAYS = Size("days", 7, 14, 40, 4, 4, days=2, sessions=5), 20
_FULL = (_FEW_TABLES, _SHORT_DAY, _TWO_DAYS)
_OPERATIONS, _EVERY, _EACH = 120, 15, 4
_EDITIONS = 70
#: Counts of a run; `steps_3` counts remedies of three and more steps.
_COUNTS = ("waiting", "steps_1", "steps_2", "steps_3", "without_remedy", "still_waiting", "states_changed")


def run(data: Path | None, editions: int | str = _EDITIONS) -> list[dict[str, object]]:  # noqa: ARG001 - every benchmark is offered the data
    """Return a row of counts, and a row for every combination of steps with its number of remedies.

    Raises:
        BenchmarkError: a remedy was carried out and its encounter waits.
    """
    started, done = time.perf_counter(), Counter[str]()
    with multiprocessing.get_context("spawn").Pool() as pool:
        for count in pool.imap_unordered(prove, range(int(editions))):
            done.update(count)
    if done["still_waiting"]:
        raise BenchmarkError(f"{done['still_waiting']} remedies were carried out and their encounters still wait")
    kinds = Counter({name: number for name, number in done.items() if name not in _COUNTS})
    counts: dict[str, object] = {name: done[name] for name in _COUNTS}
    by_kind: list[dict[str, object]] = [{"remedy": name, "encounters": number} for name, number in kinds.most_common()]
    return [{**counts, "seconds": round(time.perf_counter() - started, 1)}, *by_kind]


def prove(seed: int) -> Counter[str]:
    """Carry out the remedies of waiting encounters of a random edition. Count encounters, steps and failures."""
    subject, count = RandomEdition(_overfilled(*_FULL[seed % len(_FULL)], seed)), Counter[str]()
    for number, (_, event) in enumerate(late_changes(subject.instance, _OPERATIONS, STRESS)):
        subject.operate(event)
        if not number % _EVERY:
            waiting = sorted(pair for pair, reason in subject.state.waiting.items() if reason in RELAXABLE)
            for waiting_id in subject.instance.random.sample(waiting, min(_EACH, len(waiting))):
                count.update(_carried_out(subject, waiting_id))
    return count


def _overfilled(size: Size, requests: int, seed: int) -> SyntheticEdition:
    """Return an edition with further requests, also of participants without time left."""
    instance = synthetic(size, seed)
    while requests:
        first_id, second_id = instance.random.sample(instance.names, 2)
        are_colleagues = len({instance.participants[name].organisation_id for name in (first_id, second_id)}) == 1
        if not are_colleagues and pair_id(EDITION, first_id, second_id) not in instance.pairs:
            instance.grant(first_id, second_id)
            requests -= 1
    return instance


def _carried_out(subject: RandomEdition, waiting_id: str) -> dict[str, int]:
    """Find and carry out the remedy of a waiting encounter."""
    if subject.state.is_closed:
        return {}
    before = subject.state.model_dump()
    remedy = find_remedy(subject.state, waiting_id, subject.now)
    changed = {"states_changed": int(before != subject.state.model_dump())}
    if remedy is None:
        return {"waiting": 1, "without_remedy": 1, **changed}
    state, people = AgendaState.model_validate(before), dict(subject.instance.participants)
    for step in remedy.steps:
        if step.kind in _EDITS:
            _apply(state, _edit(state, waiting_id, step), subject.now)
        else:
            AgendaAggregate().decide(state, [_event(state, people, step)], subject.now)
    is_placed = waiting_id in state.placements and state.placements[waiting_id].starts_at == remedy.place.starts_at
    kinds = "+".join(step.kind for step in remedy.steps)
    steps = f"steps_{min(len(remedy.steps), 3)}"
    return {"waiting": 1, steps: 1, "still_waiting": int(not is_placed), kinds: 1, **changed}


_EDITS = (RemedyKind.PLACE, RemedyKind.ORDER, RemedyKind.UNLOCK, RemedyKind.GUEST)


def _apply(state: AgendaState, edit: Edit, now: datetime) -> None:
    """Make an edit by hand. Raises its rejection."""
    query = Query(lambda decision: apply_edit(decision, edit, "*"))
    query(state, now)
    _ = query.answer


def _edit(state: AgendaState, waiting_id: str, step: RemedyStep) -> Edit:
    own = state.encounter_id(waiting_id)
    match step.kind:
        case RemedyKind.PLACE:
            return PlaceEncounter.model_validate(
                {"encounter_id": own, "slot": step.slot, "zone_id": step.zone_id, "table": step.table}
            )
        case RemedyKind.ORDER:
            return OrderEncounters.model_validate(
                {"encounter_id": step.encounter_id, "after_id": step.after_id, "is_ordered": False}
            )
        case RemedyKind.UNLOCK:
            return LockEncounter.model_validate({"encounter_id": step.encounter_id, "is_locked": False})
        case _:
            return InviteGuest.model_validate(
                {"encounter_id": own, "participant_id": step.participant_id, "is_invited": False}
            )


def _event(state: AgendaState, people: dict[str, ParticipantChanged], step: RemedyStep) -> Event:
    """Return the event of a step, with all the facts that registration would send."""
    assert state.edition is not None  # noqa: S101 - the instance begins with its edition
    edition = state.edition
    match step:
        case RemedyStep(kind=RemedyKind.TABLE):
            zones = tuple(
                zone.model_copy(
                    update={"tables": (*zone.tables, *(f"more {number}" for number in range(step.tables or 0)))}
                )
                if zone.zone_id == step.zone_id
                else zone
                for zone in edition.zones
            )
            update: dict[str, object] = {"zones": zones}
        case RemedyStep(kind=RemedyKind.QUOTA):
            update = {"quotas": edition.quotas.model_copy(update={"max_encounters": step.quota})}
        case RemedyStep(kind=RemedyKind.SLOT, time=time) if time:
            slot = Slot(index=len(edition.slots), starts_at=time.starts_at, ends_at=time.ends_at)
            update = {"slots": (*edition.slots, slot)}
        case _:
            return _participant(state, people, step)
    return edition.model_copy(update={**update, "revision": edition.revision + 1})


def _participant(state: AgendaState, people: dict[str, ParticipantChanged], step: RemedyStep) -> Event:
    assert step.participant_id is not None  # noqa: S101 - steps of these kinds name a participant
    known = people[step.participant_id]
    if step.kind is RemedyKind.HOURS:
        update: dict[str, object] = {"available": (*known.available, step.time)}
    else:
        update = {"session_ids": tuple(item for item in known.session_ids if item != step.session_id)}
    update["revision"] = state.participants[step.participant_id].revision + 1
    people[step.participant_id] = changed = known.model_copy(update=update)
    return changed
