"""Edits by hand: milliseconds to plan an edit, beside milliseconds to copy the edition for a trial."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from statistics import mean, quantiles

from bench.instances.agendas import agenda_of
from bench.instances.editions import ITECAM, THOUSAND, WHEN, Size, synthetic
from services.scheduler.domain.organiser.edit_plan import EditPlan
from services.scheduler.domain.organiser.edits import plan_edit
from services.scheduler.domain.state import AgendaState
from shared.internal_api.edits import PlaceEncounter

_EDITS = 500
#: 10,000 people, with the number of encounters that is built in half a minute.
_LARGE = Size("10,000", 6_000, 10_000, 30_000, 40, 900, days=3, sessions=12)


def run(data: Path | None) -> list[dict[str, object]]:  # noqa: ARG001 - every benchmark is offered the data
    """Return a row per size, in CPU time."""
    return [_row(size) for size in (ITECAM, THOUSAND, _LARGE)]


def _row(size: Size) -> dict[str, object]:
    state, random = agenda_of(synthetic(size, seed=1).events), Random(1)
    plans: list[EditPlan] = []
    seconds: list[float] = []
    for _ in range(_EDITS):
        edit = _random_edit(state, random)
        before = time.process_time()
        plans.append(plan_edit(state, edit, WHEN))
        seconds.append(time.process_time() - before)
    cuts = quantiles(seconds, n=100)
    before = time.process_time()
    state.model_copy(deep=True)
    return {
        "people": size.people,
        "encounters": len(state.placements),
        "plan p50 ms": cuts[49] * 1e3,
        "plan p99 ms": cuts[98] * 1e3,
        "encounters touched": mean(len(plan.after) for plan in plans),
        "would break a rule": mean(bool(plan.violations) for plan in plans),
        "copy ms": (time.process_time() - before) * 1e3,
    }


def _random_edit(state: AgendaState, random: Random) -> PlaceEncounter:
    """Draw an encounter, and a slot and table for it, free or taken."""
    assert state.edition is not None  # noqa: S101 - it has been built
    zone = random.choice([zone for zone in state.edition.zones if zone.tables])
    return PlaceEncounter(
        encounter_id=random.choice(list(state.pairs_by_encounter)),
        slot=random.randrange(len(state.edition.slots)),
        zone_id=zone.zone_id,
        table=random.choice(zone.tables),
    )
